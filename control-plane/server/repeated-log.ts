// For what somebody outside may repeat as often as they like: the first time is a warning, the same again is for
// debugging only, until it has been quiet about it for a while.
import type { Log, LogFields } from '../../core/kit/log.ts';

/** How long the same is not said again, ms. */
const QUIET = 10 * 60_000;
/** Keys that are remembered; beyond it the oldest is forgotten. */
const MOST = 1_000;

export class RepeatedLog {
  readonly #log: Log;
  readonly #now: () => number;
  /** When it was said, by key; oldest first. */
  readonly #said = new Map<string, number>();

  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  warn(key: string, fields: LogFields, message: string): void {
    const now = this.#now();
    const before = this.#said.get(key);
    if (before !== undefined && now - before < QUIET) return this.#log.debug(fields, message);
    this.#said.delete(key);
    this.#said.set(key, now);
    const [oldest] = this.#said.keys();
    if (this.#said.size > MOST && oldest !== undefined) this.#said.delete(oldest);
    this.#log.warn(fields, message);
  }

  /** It is over: the next time is news. */
  forget(key: string): void {
    this.#said.delete(key);
  }
}
