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

/** @param again keys of resources that are sent also where they are held */
export function deltaOf(held: Holdings, target: readonly EncodedResource[], again: ReadonlySet<string> = NONE): Delta {
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

export function holdingsOf(resources: readonly EncodedResource[]): Holdings {
  return new Map(resources.map(({ type, name, version }) => [resourceKey(type, name), version]));
}
