// What would change between two snapshots, in words: which settings of the configuration, and what of it which proxies
// would get. Compiled one upon the other, so that what is not the same object has changed.
import type { AccountResources, Snapshot } from '../compile/snapshot.ts';
import { meshChanges, type Change } from './mesh-changes.ts';

export type { Change } from './mesh-changes.ts';

export interface Difference {
  /** Hash of the snapshot before; null: there is none. */
  readonly from: string | null;
  readonly to: string;
  /** False: both mean the same. */
  readonly changed: boolean;
  /** By config path. */
  readonly settings: readonly Change[];
  /** Whose view becomes another, sorted; nobody else is sent anything but the new snapshot's name. */
  readonly accounts: readonly AccountChange[];
}

export interface AccountChange {
  /** A service, or `edge-<name>`. */
  readonly account: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** `new cluster payments; changed routes edge/main`. */
  readonly words: string;
}

/** `after` was compiled upon `before`. */
export function differenceOf(before: Snapshot | null, after: Snapshot): Difference {
  const changed = before?.hash !== after.hash;
  return {
    from: before?.hash ?? null,
    to: after.hash,
    changed,
    settings: changed ? meshChanges(before?.mesh ?? null, after.mesh) : [],
    accounts: changed ? accountChanges(before?.accounts ?? new Map(), after.accounts) : [],
  };
}

type Accounts = ReadonlyMap<string, AccountResources>;

function accountChanges(before: Accounts, after: Accounts): readonly AccountChange[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((account): AccountChange[] => {
    const [old, now] = [before.get(account), after.get(account)];
    if (old === now) return [];
    if (now === undefined) return [{ account, kind: 'removed', words: 'it is not in the configuration any more' }];
    if (old === undefined) return [{ account, kind: 'added', words: 'it is new' }];
    return [{ account, kind: 'changed', words: resourceWords(old, now) }];
  });
}

function resourceWords(before: AccountResources, after: AccountResources): string {
  const words = [
    ...listWords('cluster', before.clusters, after.clusters),
    ...listWords('listener', before.listeners, after.listeners),
    ...listWords('routes', before.routes, after.routes),
  ];
  return words.length === 0 ? 'another order' : words.join('; ');
}

type Named = { readonly name: string };

function listWords(noun: string, before: readonly Named[], after: readonly Named[]): readonly string[] {
  const [old, now] = [byName(before), byName(after)];
  const fresh = after.filter(({ name }) => !old.has(name));
  const changed = after.filter((each) => old.has(each.name) && old.get(each.name) !== each);
  const gone = before.filter(({ name }) => !now.has(name));
  return [...some(`new ${noun}`, fresh), ...some(`changed ${noun}`, changed), ...some(`no more ${noun}`, gone)];
}

/** So many names are said. */
const MOST_NAMES = 8;

function some(what: string, resources: readonly Named[]): readonly string[] {
  if (resources.length === 0) return [];
  const names = resources.slice(0, MOST_NAMES).map(({ name }) => name);
  const more = resources.length > MOST_NAMES ? ` and ${resources.length - MOST_NAMES} more` : '';
  return [`${what} ${names.join(', ')}${more}`];
}

function byName(resources: readonly Named[]): ReadonlyMap<string, Named> {
  return new Map(resources.map((resource) => [resource.name, resource]));
}
