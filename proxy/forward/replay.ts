// The beginning of a request body, kept so that another endpoint can be given it. Above the cap nothing
// is kept and the exchange is not retried (source: Linkerd, 64 KiB).
import type { Upstream } from '../exchange.ts';

const REPLAY_BYTES = 65_536;

export class ReplayBuffer {
  #chunks: Buffer[] | null = null;
  #bytes = 0;
  #overflowed = false;

  /** False: the body began and not all of it is here. */
  get whole(): boolean {
    return !this.#overflowed;
  }

  keep(chunk: Buffer): void {
    if (this.#overflowed) return;
    this.#bytes += chunk.length;
    if (this.#bytes > REPLAY_BYTES) {
      this.drop();
      return;
    }
    if (this.#chunks === null) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
  }

  /** Nothing will be sent again. */
  drop(): void {
    this.#overflowed = true;
    this.#chunks = null;
  }

  /** False: stop until the upstream drains. */
  sendTo(upstream: Upstream): boolean {
    let ready = true;
    if (this.#chunks !== null) for (const chunk of this.#chunks) ready = upstream.sendData(chunk);
    return ready;
  }
}
