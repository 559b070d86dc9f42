// How long a process that ended waits before it is started again: 1 s, doubled each time, at most 30 s; one that
// ran for a minute begins anew.

const RESTART = { first: 1_000, longest: 30_000, stable: 60_000 };

export class RestartDelay {
  #failures = 0;

  /** @param ran how long the process ran, ms; @returns the wait before its next start, ms */
  next(ran: number): number {
    if (ran >= RESTART.stable) this.#failures = 0;
    const delay = Math.min(RESTART.longest, RESTART.first * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
    return delay;
  }
}
