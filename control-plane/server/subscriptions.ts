// What one stream asked for, by type: everything of the view, or names, also names that are not there yet.
import { RESOURCE_TYPES, type ResourceType } from '../../core/model/view.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { modelWord, WIRE_TYPE } from '../../proto/codec/enums.ts';
import { LIMITS } from '../../proto/codec/fields.ts';
import { resourceKey } from '../../proto/codec/view.ts';
import type { Subscription__Output } from '../../proto/gen/weft/v1/Subscription.ts';

const WILDCARD = '*';
/** Names that one stream may ask for, of all types together: what bounds its memory. Proxies ask for `*`. */
const MOST_NAMES = 10_000;

export interface SubscriptionChange {
  /**
   * What the proxy says it holds from before a reconnect, `type/name` → version; only for types that were not named
   * on this stream before (xDS: initial_resource_versions belongs to the first request for a type).
   */
  readonly held: ReadonlyMap<string, string>;
  /** Asked for by name and not said to be held, `type/name`: to be answered, whatever was sent before. */
  readonly named: readonly string[];
  /** Something is not asked for any more. */
  readonly less: boolean;
}

export class Subscriptions {
  readonly #names = new Map<ResourceType, Set<string>>();
  #count = 0;

  /** Whether a resource is asked for. */
  wants(type: ResourceType, name: string): boolean {
    const names = this.#names.get(type);
    return names !== undefined && (names.has(WILDCARD) || names.has(name));
  }

  get empty(): boolean {
    return this.#count === 0;
  }

  /** The whole view is asked for. */
  get everything(): boolean {
    return RESOURCE_TYPES.every((type) => this.#names.get(type)?.has(WILDCARD));
  }

  /** Takes the changes of one request, or none of them. */
  change(changes: readonly Subscription__Output[]): Result<SubscriptionChange, string> {
    const flaw = this.#flawOf(changes);
    if (flaw !== null) return err(flaw);
    const held = new Map<string, string>();
    const named: string[] = [];
    let less = false;
    for (const change of changes) {
      const type = modelWord(WIRE_TYPE, change.type);
      if (type === undefined) continue;
      if (!this.#names.has(type)) {
        for (const [name, version] of Object.entries(change.initialResourceVersions)) {
          held.set(resourceKey(type, name), version);
        }
      }
      for (const name of change.subscribe) {
        const key = resourceKey(type, name);
        if (name !== WILDCARD && !held.has(key)) named.push(key);
      }
      less ||= change.unsubscribe.length > 0;
      this.#changeNames(type, change);
    }
    return ok({ held, named, less });
  }

  #flawOf(changes: readonly Subscription__Output[]): string | null {
    let names = this.#count;
    for (const change of changes) {
      // A number is what a newer proxy would know: it gets nothing of that type.
      const known = typeof change.type === 'number' || modelWord(WIRE_TYPE, change.type) !== undefined;
      if (!known) return `the resource type ${change.type} is not known here`;
      const versions = Object.entries(change.initialResourceVersions);
      names += change.subscribe.length;
      if (names > MOST_NAMES) return `more than ${MOST_NAMES} names: ask for ${WILDCARD}`;
      if (versions.length > LIMITS.resources) return 'more names than a view can hold';
      for (const name of [...change.subscribe, ...change.unsubscribe, ...versions.flat()]) {
        if (name === '' || name.length > LIMITS.name) return 'a name that is empty or too long';
      }
    }
    return null;
  }

  #changeNames(type: ResourceType, change: Subscription__Output): void {
    const names = this.#names.get(type) ?? new Set();
    const before = names.size;
    for (const name of change.subscribe) names.add(name);
    for (const name of change.unsubscribe) names.delete(name);
    this.#names.set(type, names);
    this.#count += names.size - before;
  }
}
