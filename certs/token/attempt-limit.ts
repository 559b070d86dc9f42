// How often one address may be wrong: failed redemptions per minute and source, in bounded memory. Secrets have
// 256 bits, so this keeps noise and cost down rather than guessing out.
import type { Clock } from '../ambient.ts';

const WINDOW = 60_000;
const MAX_SOURCES = 4096;

export class AttemptLimit {
  readonly #clock: Clock;
  readonly #limit: number;
  /** Source → failures since the window began; in order of the window's begin. */
  readonly #failures = new Map<string, { readonly since: number; count: number }>();

  /** @param limit failures per minute before a source has to wait; default 20 */
  constructor(clock: Clock, limit = 20) {
    this.#clock = clock;
    this.#limit = limit;
  }

  mayTry(source: string): boolean {
    const entry = this.#failures.get(source);
    return entry === undefined || this.#clock() - entry.since >= WINDOW || entry.count < this.#limit;
  }

  failed(source: string): void {
    const now = this.#clock();
    const entry = this.#failures.get(source);
    if (entry !== undefined && now - entry.since < WINDOW) {
      entry.count += 1;
      return;
    }
    this.#failures.delete(source);
    this.#failures.set(source, { since: now, count: 1 });
    for (const [oldest, { since }] of this.#failures) {
      if (now - since < WINDOW && this.#failures.size <= MAX_SOURCES) break;
      this.#failures.delete(oldest);
    }
  }
}
