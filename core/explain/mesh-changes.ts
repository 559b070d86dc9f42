// Two configurations side by side: every setting that differs, by its config path and in words.
import { canonicalText } from '../compile/canonical.ts';
import { sameValue } from '../compile/share.ts';
import type { Mesh } from '../model/mesh.ts';
import { itemKey, itemWords, valueWords } from './item-words.ts';

export interface Change {
  /** Config path: `services.orders.timeout.request`, `edges.main.routes[3]`. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** `1s → 3s`. */
  readonly words: string;
}

/** Said by where they stand; names repeat the path. */
const SILENT = new Set(['ruleId', 'name', 'kind']);
/** Model → the key in the file, where they differ. */
const KEYS: Readonly<Record<string, string>> = {
  timeout: 'timeout.request',
  perTryTimeout: 'timeout.perTry',
  idleTimeout: 'timeout.idle',
};

/** `before`: null where there was none, which makes everything new. */
export function meshChanges(before: Mesh | null, after: Mesh): readonly Change[] {
  const plain = (mesh: Mesh) => ({
    trustDomain: mesh.trustDomain,
    mtls: mesh.mtls,
    egress: mesh.egress,
    authorization: mesh.authorization,
  });
  return [
    ...(before === null ? [] : fieldChanges('mesh', plain(before), plain(after))),
    ...entryChanges('services', before?.services ?? new Map(), after.services),
    ...entryChanges('edges', before?.edges ?? new Map(), after.edges),
  ];
}

function entryChanges(
  section: string,
  before: ReadonlyMap<string, object>,
  after: ReadonlyMap<string, object>,
): readonly Change[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name): readonly Change[] => {
    const path = `${section}.${name}`;
    const [old, now] = [before.get(name), after.get(name)];
    if (old === undefined) return [{ path, kind: 'added', words: 'new' }];
    if (now === undefined) return [{ path, kind: 'removed', words: 'removed' }];
    return old === now ? [] : fieldChanges(path, old, now);
  });
}

function fieldChanges(path: string, before: object, after: object): readonly Change[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((field) => !SILENT.has(field))
    .flatMap((field) => valueChanges(`${path}.${keyOf(path, field)}`, field, old.get(field), now.get(field)));
}

/** A health check has times of its own. */
function keyOf(path: string, field: string): string {
  return path.endsWith('.health') ? field : (KEYS[field] ?? field);
}

function valueChanges(path: string, field: string, before: unknown, after: unknown): readonly Change[] {
  if (sameValue(before, after)) return [];
  if (isList(before) && isList(after)) return listChanges(path, before, after);
  if (isFields(before) && isFields(after)) return fieldChanges(path, before, after);
  const say = (value: unknown) =>
    isList(value) ? value.map(itemWords).join('; ') || 'nobody' : valueWords(field, value);
  return [{ path, kind: 'changed', words: `${say(before)} → ${say(after)}` }];
}

interface Item {
  readonly value: unknown;
  readonly index: number;
  readonly text: string;
}

function listChanges(path: string, before: readonly unknown[], after: readonly unknown[]): readonly Change[] {
  const [old, now] = [itemsOf(before), itemsOf(after)];
  const changes: Change[] = [];
  for (const [key, { value, index, text }] of now) {
    const at = `${path}[${index}]`;
    const same = old.get(key);
    if (same === undefined) changes.push({ path: at, kind: 'added', words: `new: ${itemWords(value)}` });
    else if (same.text !== text) changes.push(...itemChanges(at, key, same.value, value));
  }
  for (const [key, { value, index }] of old) {
    if (!now.has(key))
      changes.push({ path: `${path}[${index}]`, kind: 'removed', words: `removed: ${itemWords(value)}` });
  }
  // Where it counts, the place of what stayed is a setting too.
  return changes.length > 0 ? changes : orderChange(path, [...old.keys()], [...now.keys()]);
}

function itemChanges(path: string, key: string, before: unknown, after: unknown): readonly Change[] {
  if (!isFields(before) || !isFields(after)) return [];
  return fieldChanges(path, before, after).map((change) => ({ ...change, words: `${change.words} (${key})` }));
}

function orderChange(path: string, before: readonly string[], after: readonly string[]): readonly Change[] {
  return sameValue(before, after) ? [] : [{ path, kind: 'changed', words: 'another order' }];
}

/** By what an item is called; a name that comes twice counts on. */
function itemsOf(list: readonly unknown[]): ReadonlyMap<string, Item> {
  const items = new Map<string, Item>();
  list.forEach((value, index) => {
    const name = itemKey(value);
    let key = name;
    for (let count = 2; items.has(key); count++) key = `${name} #${count}`;
    items.set(key, { value, index, text: textOf(value) });
  });
  return items;
}

/** Without the rule id, which says the place. */
function textOf(value: unknown): string {
  return canonicalText(isFields(value) ? { ...value, ruleId: undefined } : value);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isFields(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
