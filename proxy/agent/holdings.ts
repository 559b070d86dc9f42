// What a proxy holds of its view, resource by resource, and what a response would make of it. Nothing here
// changes until the new view was applied.
import { err, ok, type Result } from '../../core/kit/result.ts';
import { RESOURCE_TYPES, type ResourceType, type View } from '../../core/model/view.ts';
import type { SnapshotHash } from '../../core/model/brand.ts';
import { decodeResource } from '../../proto/codec/decode.ts';
import { modelWord, WIRE_TYPE } from '../../proto/codec/enums.ts';
import { LIMITS, type Flaw } from '../../proto/codec/fields.ts';
import { resourceKey, viewOf, type DecodedResource } from '../../proto/codec/view.ts';
import type { DiscoveryResponse__Output } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import type { Resource__Output } from '../../proto/gen/weft/v1/Resource.ts';

export interface Holdings {
  readonly snapshot: SnapshotHash | null;
  /** By `type/name`. */
  readonly resources: ReadonlyMap<string, DecodedResource>;
  /** The same as they came. */
  readonly wire: ReadonlyMap<string, Resource__Output>;
}

export interface Staged {
  readonly next: Holdings;
  readonly view: View;
  /** False: the response says nothing that is not applied already. */
  readonly changed: boolean;
}

export const NO_HOLDINGS: Holdings = { snapshot: null, resources: new Map(), wire: new Map() };

/** The view after a response, or the first flaw in it. */
export function stage(held: Holdings, response: DiscoveryResponse__Output): Result<Staged, Flaw> {
  const snapshot = snapshotOf(response.snapshot);
  if (snapshot === null) return flaw('snapshot', 'is empty or too long');
  const resources = new Map(held.resources);
  const wires = new Map(held.wire);
  const touched = new Set<string>();
  for (const wire of response.resources) {
    const decoded = decodeResource(wire);
    if (!decoded.ok) return decoded;
    const key = resourceKey(decoded.value.type, decoded.value.name);
    if (touched.has(key)) return flaw(key, 'is there twice');
    touched.add(key);
    resources.set(key, decoded.value);
    wires.set(key, wire);
  }
  for (const { type: wireType, name } of response.removed) {
    const type = modelWord(WIRE_TYPE, wireType);
    if (type === undefined) return flaw(`unknown/${name.slice(0, LIMITS.name)}`, 'is of a type that is not known here');
    const key = resourceKey(type, name);
    if (touched.has(key)) return flaw(key, 'is both sent and removed');
    resources.delete(key);
    wires.delete(key);
  }
  if (resources.size > LIMITS.resources) return flaw('view', `has more than ${LIMITS.resources} resources`);
  const view = viewOf(resources.values(), snapshot);
  if (!view.ok) return view;
  const changed = snapshot !== held.snapshot || response.resources.length > 0 || response.removed.length > 0;
  return ok({ next: { snapshot, resources, wire: wires }, view: view.value, changed });
}

/** A hash is a word to the proxy: it is logged and compared, never computed here. */
function snapshotOf(text: string): SnapshotHash | null {
  return text === '' || text.length > LIMITS.name ? null : (text as SnapshotHash);
}

function flaw(resource: string, reason: string): Result<never, Flaw> {
  return err({ resource, path: '', reason, ruleId: '' });
}

/** For each type what a reconnecting proxy says it holds: name → version. */
export function versionsByType(held: Holdings): Map<ResourceType, Record<string, string>> {
  const byType = new Map<ResourceType, [string, string][]>(RESOURCE_TYPES.map((type) => [type, []]));
  for (const { type, name, version } of held.resources.values()) byType.get(type)?.push([name, version]);
  // fromEntries defines own properties, so that a resource called __proto__ stays a resource.
  return new Map([...byType].map(([type, entries]) => [type, Object.fromEntries(entries)]));
}
