// The step from what a proxy holds to what its view has become: only what differs, in an order in which
// no name is used before it is there.
import { RESOURCE_TYPES, type ResourceType } from '../../core/model/view.ts';
import type { EncodedResource } from '../../proto/codec/encode.ts';
import { parseResourceKey, resourceKey } from '../../proto/codec/view.ts';

/** `type/name` → version of every resource that a proxy holds. */
export type Holdings = ReadonlyMap<string, string>;

export interface RemovedResource {
  readonly type: ResourceType;
  readonly name: string;
}

export interface Delta {
  /** New and changed: clusters, endpoints, listeners, routes. */
  readonly changed: readonly EncodedResource[];
  /** Applied after all of `changed`; in the opposite order. */
  readonly removed: readonly RemovedResource[];
}

const NONE: ReadonlySet<string> = new Set();

/** Proxies of one account hold the same and go to the same: what was found out for one of them holds for all. */
const made = new WeakMap<readonly EncodedResource[], Holdings>();
const sources = new WeakMap<Holdings, readonly EncodedResource[]>();
const steps = new WeakMap<Holdings, WeakMap<readonly EncodedResource[], Delta>>();

/** The same for the same list, which must not change. */
export function holdingsOf(resources: readonly EncodedResource[]): Holdings {
  const known = made.get(resources);
  if (known !== undefined) return known;
  const holdings = new ListHoldings(resources);
  made.set(resources, holdings);
  sources.set(holdings, resources);
  return holdings;
}

/** A map that is made when it is asked for: an edge of thousands of services takes step after step without it. */
class ListHoldings implements Holdings {
  readonly #resources: readonly EncodedResource[];
  #map: Holdings | null = null;

  constructor(resources: readonly EncodedResource[]) {
    this.#resources = resources;
  }

  get size(): number {
    return this.#resources.length;
  }

  get(key: string): string | undefined {
    return this.#all().get(key);
  }

  has(key: string): boolean {
    return this.#all().has(key);
  }

  forEach(callback: (value: string, key: string, map: Holdings) => void): void {
    for (const [key, value] of this.#all()) callback(value, key, this);
  }

  entries(): MapIterator<[string, string]> {
    return this.#all().entries();
  }

  keys(): MapIterator<string> {
    return this.#all().keys();
  }

  values(): MapIterator<string> {
    return this.#all().values();
  }

  [Symbol.iterator](): MapIterator<[string, string]> {
    return this.#all().entries();
  }

  #all(): Holdings {
    this.#map ??= new Map(this.#resources.map(({ type, name, version }) => [resourceKey(type, name), version]));
    return this.#map;
  }
}

/** @param again keys of resources that are sent also where they are held */
export function deltaOf(held: Holdings, target: readonly EncodedResource[], again: ReadonlySet<string> = NONE): Delta {
  if (again.size > 0) return compare(held, target, again);
  const known = steps.get(held)?.get(target);
  if (known !== undefined) return known;
  const source = sources.get(held);
  const changed = source === undefined ? null : changedInPlace(source, target);
  const delta = changed === null ? compare(held, target, again) : { changed: inOrder(changed), removed: [] };
  const byTarget = steps.get(held) ?? new WeakMap<readonly EncodedResource[], Delta>();
  steps.set(held, byTarget.set(target, delta));
  return delta;
}

/** The same names at the same places, as where only endpoints came and went; null: not so. */
function changedInPlace(
  source: readonly EncodedResource[],
  target: readonly EncodedResource[],
): readonly EncodedResource[] | null {
  if (source.length !== target.length) return null;
  const changed: EncodedResource[] = [];
  for (const [index, resource] of target.entries()) {
    const before = source[index];
    if (before === resource) continue;
    if (before?.type !== resource.type || before.name !== resource.name) return null;
    if (before.version !== resource.version) changed.push(resource);
  }
  return changed;
}

function compare(held: Holdings, target: readonly EncodedResource[], again: ReadonlySet<string>): Delta {
  const wanted = new Set<string>();
  const changed = target.filter(({ type, name, version }) => {
    const key = resourceKey(type, name);
    wanted.add(key);
    return held.get(key) !== version || again.has(key);
  });
  const removed: RemovedResource[] = [];
  for (const key of held.keys()) {
    const resource = wanted.has(key) ? null : parseResourceKey(key);
    if (resource !== null) removed.push(resource);
  }
  return { changed: inOrder(changed), removed: inOrder(removed).reverse() };
}

function inOrder<T extends { readonly type: ResourceType }>(resources: readonly T[]): T[] {
  return RESOURCE_TYPES.flatMap((type) => resources.filter((resource) => resource.type === type));
}
