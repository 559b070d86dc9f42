// The idle connections to one endpoint, last in, first out, and what they teach about how long this upstream keeps
// one. A few that are too old to be used are left open: they show when it closes, or that it does not.
import {
  announcedIdle,
  closedWhileIdle,
  type IdleEvidence,
  type IdleLimits,
  idleLimits,
  NO_EVIDENCE,
  openWhileIdle,
} from '../../core/decide/keep-alive.ts';
import type { ClientConnection } from './dial.ts';

export interface IdleEntry {
  readonly connection: ClientConnection;
  /** Milliseconds, monotonic. */
  idleSince: number;
  /** How long it had been idle when it was taken last; -1: not at all. */
  idleFor: number;
  /** Requests that it carried. */
  readonly requests: number;
}

export interface IdleOptions {
  /** Most that are kept. */
  readonly most: number;
  /** Milliseconds that one is kept at most. */
  readonly timeout: number;
  now(): number;
}

export class IdleConnections<E extends IdleEntry> {
  readonly #options: IdleOptions;
  /** The longest idle stand first. */
  readonly #entries: E[] = [];
  #evidence: IdleEvidence = NO_EVIDENCE;
  #limits: IdleLimits;
  /** Whatever was closed by then is known to be. */
  #lookedAt: number;

  constructor(options: IdleOptions) {
    this.#options = options;
    this.#limits = idleLimits(NO_EVIDENCE, options.timeout);
    this.#lookedAt = options.now();
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Milliseconds of idleness up to which a connection is used again. */
  get limit(): number {
    return this.#limits.repeatable;
  }

  /** What has just been given back is surely still open. */
  get trusted(): boolean {
    return this.#limits.once > 0;
  }

  /** The one used last, if it is surely still open; `repeatable`: being wrong does no harm. */
  take(repeatable: boolean): E | null {
    const entries = this.#entries;
    if (!repeatable && !this.trusted) return null;
    for (let entry = entries.at(-1); entry !== undefined; entry = entries.at(-1)) {
      if (entry.connection.usable) {
        const idle = this.#options.now() - entry.idleSince;
        if (idle > (repeatable ? this.#limits.repeatable : this.#limits.once)) return null;
        entries.pop();
        entry.idleFor = idle;
        return entry;
      }
      entries.pop();
    }
    return null;
  }

  /** False: there are enough. */
  put(entry: E): boolean {
    if (this.#entries.length >= this.#options.most) return false;
    if (entry.requests > 0) this.#hear(entry.connection.announcedIdle ?? -1);
    entry.idleSince = this.#options.now();
    this.#entries.push(entry);
    return true;
  }

  /** It is gone, whether it was idle or not. */
  remove(entry: E): void {
    const at = this.#entries.indexOf(entry);
    const idle = at === -1 ? entry.idleFor : this.#options.now() - entry.idleSince;
    if (at !== -1) this.#entries.splice(at, 1);
    // A request that was lost on it crossed the close.
    if (entry.connection.endedByPeer === true && idle >= 0 && entry.requests > 0)
      this.#learn(closedWhileIdle(this.#evidence, idle));
  }

  /** Regularly: closes what has been idle for too long. */
  sweep(): void {
    const { now, timeout } = this.#options;
    const entries = this.#entries;
    // One that carried nothing yet waits under other rules of the upstream.
    const oldest = entries.find(({ requests }) => requests > 0);
    // A close that came after the last look may still wait to be read.
    if (oldest?.connection.usable === true && this.#lookedAt > oldest.idleSince)
      this.#learn(openWhileIdle(this.#evidence, this.#lookedAt - oldest.idleSince));
    this.#lookedAt = now();
    const outdated = entries.filter(({ idleSince }) => idleSince <= this.#lookedAt - timeout);
    for (const entry of outdated) this.#close(entry);
    const unused = entries.filter(({ idleSince }) => idleSince < this.#lookedAt - this.#limits.repeatable);
    for (const entry of unused.slice(1)) this.#close(entry);
  }

  /** False: there is none. */
  closeOldest(): boolean {
    const [oldest] = this.#entries;
    if (oldest !== undefined) this.#close(oldest);
    return oldest !== undefined;
  }

  closeAll(): void {
    for (const entry of [...this.#entries]) this.#close(entry);
  }

  /** Another process may answer at this address from now on. */
  forget(): void {
    this.#learn(NO_EVIDENCE);
  }

  #hear(announced: number): void {
    if (announced !== this.#evidence.announced) this.#learn(announcedIdle(this.#evidence, announced));
  }

  #close(entry: E): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    entry.connection.close();
  }

  #learn(evidence: IdleEvidence): void {
    this.#evidence = evidence;
    this.#limits = idleLimits(evidence, this.#options.timeout);
  }
}
