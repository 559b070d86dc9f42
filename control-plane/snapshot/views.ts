// The view of each account, encoded, as of now. Instances of one service share it, and what did not change
// between two snapshots is not encoded again.
import { sameList } from '../../core/compile/share.ts';
import type { View } from '../../core/model/view.ts';
import { ViewEncoder, type EncodedResource } from '../../proto/codec/encode.ts';

export interface EncodedView {
  readonly snapshot: string;
  /** The same list for as long as nothing in it changed. */
  readonly resources: readonly EncodedResource[];
}

export class Views {
  readonly #cut: (account: string) => View | null;
  readonly #encoder = new ViewEncoder();
  readonly #current = new Map<string, EncodedView>();
  /** Of those that are to be cut anew: as they were before. */
  readonly #before = new Map<string, EncodedView>();
  #snapshot: string | null = null;

  /** `cut` makes the current view of an account; null: there is no such account. */
  constructor(cut: (account: string) => View | null) {
    this.#cut = cut;
  }

  of(account: string): EncodedView | null {
    const known = this.#current.get(account);
    if (known !== undefined) return this.#stamped(account, known);
    const view = this.#cut(account);
    const before = this.#before.get(account);
    this.#before.delete(account);
    if (view === null) return null;
    const encoded = keep(before, view.snapshot, this.#encoder.encode(view));
    this.#current.set(account, encoded);
    return encoded;
  }

  /** Something in the views of these accounts has changed. */
  invalidate(accounts: Iterable<string>): void {
    for (const account of accounts) {
      const known = this.#current.get(account);
      if (known !== undefined) this.#before.set(account, known);
      this.#current.delete(account);
    }
  }

  /** There is another snapshot, in which the views that are not cut anew are as they were. */
  restamp(snapshot: string): void {
    this.#snapshot = snapshot;
  }

  #stamped(account: string, known: EncodedView): EncodedView {
    if (this.#snapshot === null || known.snapshot === this.#snapshot) return known;
    const stamped = { snapshot: this.#snapshot, resources: known.resources };
    this.#current.set(account, stamped);
    return stamped;
  }
}

function keep(before: EncodedView | undefined, snapshot: string, resources: readonly EncodedResource[]): EncodedView {
  if (before === undefined || !sameList(before.resources, resources)) return { snapshot, resources };
  return before.snapshot === snapshot ? before : { snapshot, resources: before.resources };
}
