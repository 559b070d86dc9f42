// Handshakes in turns. When all proxies of a mesh come back at once there are more of them than can be done before the
// proxies give up: who is served in the order of arrival is then gone, again and again, and nobody gets in. So the
// newest comes first, and who has waited too long is turned away before its handshake costs anything.

export interface HandshakeTurnsOptions {
  /** Milliseconds, of any beginning; never back. */
  readonly now: () => number;
  /** Runs later, after what has arrived meanwhile was read. */
  readonly later: (work: () => void) => void;
}

/** Handshakes in each turn of the loop: some milliseconds. */
const PER_TURN = 8;
/** An agent gives up after 5,000 ms, of which the rest of the handshake and the first answer need some. */
const PATIENCE = 4_000;
/** Who waits, at most. */
const MOST = 20_000;

interface Waiting {
  readonly since: number;
  readonly done: (refusal: Error | null) => void;
}

export class HandshakeTurns {
  readonly #options: HandshakeTurnsOptions;
  /** Oldest first. */
  #waiting: Waiting[] = [];
  #scheduled = false;

  constructor(options: HandshakeTurnsOptions) {
    this.#options = options;
  }

  /** Calls `done` when it is its turn, or with why not. A handshake that ended meanwhile does not mind. */
  wait(done: (refusal: Error | null) => void): void {
    if (this.#waiting.length >= MOST) return done(new Error('too many handshakes at once'));
    this.#waiting.push({ since: this.#options.now(), done });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    this.#options.later(() => {
      this.#scheduled = false;
      this.#turn();
      this.#schedule();
    });
  }

  #turn(): void {
    const oldest = this.#options.now() - PATIENCE;
    const fresh = this.#waiting.findIndex(({ since }) => since > oldest);
    const stale = this.#waiting.splice(0, fresh === -1 ? this.#waiting.length : fresh);
    for (const { done } of stale) done(new Error('waited too long for its handshake'));
    for (const { done } of this.#waiting.splice(-PER_TURN).reverse()) done(null);
  }
}
