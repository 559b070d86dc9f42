// The view of each account, encoded, as of now. Instances of one service share it, and what did not change
// between two snapshots is not encoded again.
import { sameList } from '../../core/compile/share.ts';
import type { Snapshot } from '../../core/compile/snapshot.ts';
import { endpointsFor, viewFor, type InstanceSource } from '../../core/compile/view.ts';
import type { ClusterEndpoints, View } from '../../core/model/view.ts';
import { ViewEncoder, type EncodedResource } from '../../proto/codec/encode.ts';

export interface EncodedView {
  readonly snapshot: string;
  /** The same list for as long as nothing in it changed. */
  readonly resources: readonly EncodedResource[];
}

/** Where views come from. */
export interface ViewSource {
  /** Makes the current view of an account; null: there is no such account. */
  readonly cut: (account: string) => View | null;
  /** Of the same view the endpoints of these services alone. */
  readonly endpoints: (account: string, services: ReadonlySet<string>) => readonly ClusterEndpoints[];
}

/** Views of the snapshot in force, with the instances of now. */
export function viewSource(snapshot: () => Snapshot | null, instances: InstanceSource): ViewSource {
  return {
    cut: (account) => {
      const now = snapshot();
      return now === null ? null : viewFor(now, account, instances);
    },
    endpoints: (account, services) => {
      const now = snapshot();
      return now === null ? [] : endpointsFor(now, account, services, instances);
    },
  };
}

export class Views {
  readonly #source: ViewSource;
  readonly #encoder = new ViewEncoder();
  readonly #current = new Map<string, EncodedView>();
  /** Of those that are to be cut anew: as they were before. */
  readonly #before = new Map<string, EncodedView>();
  /** Of them, those where only instances of these services have come and gone. */
  readonly #moved = new Map<string, Set<string>>();
  /** Where the endpoints of each cluster stand in the list of an account, since it was cut. */
  readonly #places = new Map<string, ReadonlyMap<string, number>>();
  #snapshot: string | null = null;

  constructor(source: ViewSource) {
    this.#source = source;
  }

  of(account: string): EncodedView | null {
    const known = this.#current.get(account);
    if (known !== undefined) return this.#stamped(account, known);
    const before = this.#before.get(account);
    const moved = this.#moved.get(account);
    this.#before.delete(account);
    this.#moved.delete(account);
    const encoded = (before && moved && this.#patched(account, before, moved)) ?? this.#cut(account, before);
    if (encoded !== null) this.#current.set(account, encoded);
    return encoded;
  }

  /** Something in the views of these accounts has changed. */
  invalidate(accounts: Iterable<string>): void {
    for (const account of accounts) {
      this.#putAside(account);
      this.#moved.delete(account);
    }
  }

  /** Instances of a service have come or gone, and these accounts have it in view. */
  move(service: string, accounts: Iterable<string>): void {
    for (const account of accounts) {
      // Who was to be cut anew before is still.
      const isCutAnew = this.#before.has(account) && !this.#moved.has(account);
      this.#putAside(account);
      if (!isCutAnew) this.#moved.set(account, (this.#moved.get(account) ?? new Set()).add(service));
    }
  }

  #putAside(account: string): void {
    const known = this.#current.get(account);
    if (known !== undefined) this.#before.set(account, known);
    this.#current.delete(account);
  }

  #cut(account: string, before: EncodedView | undefined): EncodedView | null {
    const view = this.#source.cut(account);
    this.#places.delete(account);
    return view === null ? null : keep(before, view.snapshot, this.#encoder.encode(view));
  }

  /** An edge has thousands of services in view, of which one has moved. null: there is no such cluster in the list. */
  #patched(account: string, before: EncodedView, services: ReadonlySet<string>): EncodedView | null {
    const places = this.#places.get(account) ?? placesIn(before.resources);
    this.#places.set(account, places);
    const resources = [...before.resources];
    for (const endpoints of this.#source.endpoints(account, services)) {
      const place = places.get(endpoints.cluster);
      if (place === undefined) return null;
      resources[place] = this.#encoder.endpoints(endpoints);
    }
    return keep(before, this.#snapshot ?? before.snapshot, resources);
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

function placesIn(resources: readonly EncodedResource[]): ReadonlyMap<string, number> {
  return new Map(resources.flatMap(({ type, name }, index) => (type === 'endpoints' ? [[name, index]] : [])));
}

function keep(before: EncodedView | undefined, snapshot: string, resources: readonly EncodedResource[]): EncodedView {
  if (before === undefined || !sameList(before.resources, resources)) return { snapshot, resources };
  return before.snapshot === snapshot ? before : { snapshot, resources: before.resources };
}
