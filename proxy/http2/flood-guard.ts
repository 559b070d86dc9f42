// What a peer may do that costs us and moves nothing: buckets of tokens per connection (CVE-2019-9511 to 9518,
// CVE-2023-44487, CVE-2024-27316, CVE-2025-8671). A peer that empties one is told to calm down, and cut.
import type { Allowance, Http2Limits } from './limits.ts';

/** WINDOW_UPDATE frames that a DATA frame pays for: of its stream and of the connection. */
const UPDATES_PER_FRAME = 2;
/** Bytes of DATA that pay for one more. */
const BYTES_PER_FRAME = 1_024;

export class FloodGuard {
  readonly #resets: Bucket;
  readonly #controls: Bucket;
  readonly #noise: Bucket;
  #moved = 0;

  /** `now`: milliseconds, monotonic. */
  constructor(limits: Http2Limits, now: () => number) {
    this.#resets = new Bucket(limits.resets, now);
    this.#controls = new Bucket(limits.controls, now);
    this.#noise = new Bucket(limits.noise, now);
  }

  /** A stream ended before it was answered. False: too many. */
  reset(): boolean {
    return this.#resets.take();
  }

  /** A frame that has to be answered. */
  control(): boolean {
    return this.#controls.take();
  }

  /** A frame that moves nothing. */
  noise(): boolean {
    return this.#noise.take();
  }

  /**
   * A DATA frame went either way, and may cause WINDOW_UPDATE frames, however small it is: gRPC's peers measure the
   * path by a PING with each that they get, and WINDOW_UPDATE before it. (Envoy allows ten of these for a frame.)
   */
  moved(bytes: number): void {
    if (bytes === 0) return;
    this.#controls.give(1);
    this.#noise.give(UPDATES_PER_FRAME);
    this.dribbled(bytes);
  }

  /** The peer's window cut a DATA frame short: only its bytes pay, or a window of one byte would pay for itself. */
  dribbled(bytes: number): void {
    this.#moved += bytes;
    if (this.#moved < BYTES_PER_FRAME) return;
    this.#noise.give(Math.floor(this.#moved / BYTES_PER_FRAME));
    this.#moved %= BYTES_PER_FRAME;
  }
}

class Bucket {
  readonly #allowance: Allowance;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  constructor(allowance: Allowance, now: () => number) {
    this.#allowance = allowance;
    this.#now = now;
    this.#tokens = allowance.burst;
    this.#filledAt = now();
  }

  take(): boolean {
    if (this.#tokens < 1) this.#fill();
    this.#tokens -= 1;
    return this.#tokens >= 0;
  }

  give(tokens: number): void {
    this.#tokens = Math.min(this.#allowance.burst, this.#tokens + tokens);
  }

  /** Only when it is empty: the clock is not asked for every frame. */
  #fill(): void {
    const now = this.#now();
    this.give(((now - this.#filledAt) * this.#allowance.perSecond) / 1_000);
    this.#filledAt = now;
  }
}
