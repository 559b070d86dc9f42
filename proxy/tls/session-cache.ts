// Sessions of mutual TLS that may be resumed: half the cost of a handshake. A session skips the check of the chain, so it
// is good only for as long as that check would come out the same: whoever gets new material forgets them all, and none
// is used after its peer's certificate has ended.

export interface Kept {
  readonly session: Buffer;
  /** Milliseconds since 1970; of the peer's certificate. */
  readonly notAfter: number;
}

const MOST = 512;

export class SessionCache {
  readonly #kept = new Map<string, Kept>();

  /** `now`: milliseconds since 1970. */
  find(key: string, now: number): Kept | null {
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    if (kept.notAfter > now) return kept;
    this.#kept.delete(key);
    return null;
  }

  keep(key: string, session: Buffer, notAfter: number): void {
    this.#kept.delete(key);
    this.#kept.set(key, { session, notAfter });
    if (this.#kept.size <= MOST) return;
    // A map keeps the order in which its entries were made.
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }

  drop(key: string): void {
    this.#kept.delete(key);
  }

  clear(): void {
    this.#kept.clear();
  }
}
