// Every open stream: by instance, of which a newer stream takes the place of the older, and by account, as a change
// concerns accounts and must not cost a look at everybody.

interface Keyed {
  readonly key: string;
  readonly account: string;
}

export class StreamTable<T extends Keyed> {
  readonly #byKey = new Map<string, T>();
  readonly #byAccount = new Map<string, Set<T>>();

  get(key: string): T | undefined {
    return this.#byKey.get(key);
  }

  values(): Iterable<T> {
    return this.#byKey.values();
  }

  ofAccount(account: string): Iterable<T> {
    return this.#byAccount.get(account) ?? [];
  }

  /** In the place of the one that had its key. */
  add(stream: T): void {
    const before = this.#byKey.get(stream.key);
    if (before !== undefined) this.remove(before);
    this.#byKey.set(stream.key, stream);
    const account = this.#byAccount.get(stream.account) ?? new Set<T>();
    this.#byAccount.set(stream.account, account.add(stream));
  }

  /** Nothing happens where another one has taken its place. */
  remove(stream: T): void {
    if (this.#byKey.get(stream.key) !== stream) return;
    this.#byKey.delete(stream.key);
    const account = this.#byAccount.get(stream.account);
    account?.delete(stream);
    if (account?.size === 0) this.#byAccount.delete(stream.account);
  }

  clear(): void {
    this.#byKey.clear();
    this.#byAccount.clear();
  }
}
