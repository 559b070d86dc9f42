// The view of each account, encoded, as of now. Instances of one service share it, and what did not change
// between two snapshots is not encoded again.
import type { View } from '../../core/model/view.ts';
import { ViewEncoder, type EncodedResource } from '../../proto/codec/encode.ts';

export interface EncodedView {
  readonly snapshot: string;
  readonly resources: readonly EncodedResource[];
}

export class Views {
  readonly #cut: (account: string) => View | null;
  readonly #encoder = new ViewEncoder();
  readonly #encoded = new Map<string, EncodedView>();

  /** `cut` makes the current view of an account; null: there is no such account. */
  constructor(cut: (account: string) => View | null) {
    this.#cut = cut;
  }

  of(account: string): EncodedView | null {
    const known = this.#encoded.get(account);
    if (known !== undefined) return known;
    const view = this.#cut(account);
    if (view === null) return null;
    const encoded = { snapshot: view.snapshot, resources: this.#encoder.encode(view) };
    this.#encoded.set(account, encoded);
    return encoded;
  }

  /** The snapshot or the instances have changed. */
  invalidate(): void {
    this.#encoded.clear();
  }
}
