// Random ids for requests and traces, cut from a pool of random bytes: one call to the generator serves
// a hundred requests.
import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4_096;

export class IdSource {
  readonly #pool = Buffer.allocUnsafe(POOL_BYTES);
  readonly #fill: (pool: Buffer) => void;
  #next = POOL_BYTES;

  /** `fill` is the source of randomness; a test may give another. */
  constructor(fill: (pool: Buffer) => void = randomFillSync) {
    this.#fill = fill;
  }

  /** Lower-case hex of so many random bytes, at most 64. */
  hex(bytes: number): string {
    if (this.#next + bytes > POOL_BYTES) {
      this.#fill(this.#pool);
      this.#next = 0;
    }
    const start = this.#next;
    this.#next = start + bytes;
    return this.#pool.toString('hex', start, this.#next);
  }
}
