// How often a proxy may say how it is: each time may concern all its callers. One that says it as agreed, every five
// seconds and at once when its app changes, is far from it.

/** Statuses within `WINDOW` ms. */
const MOST = 100;
const WINDOW = 10_000;

export class StatusRate {
  #since = Number.NEGATIVE_INFINITY;
  #count = 0;

  /** False: it is too often. `now` in ms. */
  take(now: number): boolean {
    if (now - this.#since >= WINDOW) {
      this.#since = now;
      this.#count = 0;
    }
    return ++this.#count <= MOST;
  }
}
