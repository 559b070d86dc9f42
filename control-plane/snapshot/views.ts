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
  /** As they were before the last change. */
  #before = new Map<string, EncodedView>();

  /** `cut` makes the current view of an account; null: there is no such account. */
  constructor(cut: (account: string) => View | null) {
    this.#cut = cut;
  }

  of(account: string): EncodedView | null {
    const known = this.#current.get(account);
    if (known !== undefined) return known;
    const view = this.#cut(account);
    if (view === null) return null;
    const encoded = keep(this.#before.get(account), view.snapshot, this.#encoder.encode(view));
    this.#current.set(account, encoded);
    return encoded;
  }

  /** The snapshot or the instances have changed. */
  invalidate(): void {
    // Only of accounts that somebody asked for since: the others may have gone.
    if (this.#current.size > 0) this.#before = new Map(this.#current);
    this.#current.clear();
  }
}

function keep(before: EncodedView | undefined, snapshot: string, resources: readonly EncodedResource[]): EncodedView {
  if (before === undefined || !sameList(before.resources, resources)) return { snapshot, resources };
  return before.snapshot === snapshot ? before : { snapshot, resources: before.resources };
}
