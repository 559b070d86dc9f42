// One text per meaning: the same config or resource always gives the same text, whatever the order of its
// keys, so that its hash says whether anything changed.
import type { SnapshotHash } from '../model/brand.ts';

/** SHA-256 of a text as lower-case hex; injected, because core has no crypto of its own. */
export type Hash = (text: string) => string;

const HASH_DIGITS = 16;

/**
 * JSON with sorted keys and no space; a Map is written as an object, an absent field not at all.
 * Lists keep their order: it carries meaning. Source: the idea of RFC 8785, without its number rules,
 * as all numbers here are integers. `known`: texts of objects within it that were made before.
 */
export function canonicalText(value: unknown, known?: ReadonlyMap<object, string>): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const text = known?.get(value);
  if (text !== undefined) return text;
  // Thousands of objects at every start: text is put together as it comes, without lists in between.
  let made = '';
  if (Array.isArray(value)) {
    for (const item of value) made += `${made === '' ? '' : ','}${canonicalText(item, known)}`;
    return `[${made}]`;
  }
  const fields: ReadonlyMap<string, unknown> | null = value instanceof Map ? value : null;
  const plain: Readonly<Record<string, unknown>> = { ...value };
  for (const name of (fields === null ? Object.keys(plain) : [...fields.keys()]).sort()) {
    const field = fields === null ? plain[name] : fields.get(name);
    if (field !== undefined) made += `${made === '' ? '' : ','}${JSON.stringify(name)}:${canonicalText(field, known)}`;
  }
  return `{${made}}`;
}

/** 16 hex digits: what is logged with every decision. */
export function snapshotHash(value: unknown, hash: Hash, known?: ReadonlyMap<object, string>): SnapshotHash {
  return hash(canonicalText(value, known)).slice(0, HASH_DIGITS) as SnapshotHash;
}

/** Version of one resource on the wire: 16 hex digits of the hash of its content. */
export function resourceVersion(resource: unknown, hash: Hash): string {
  return hash(canonicalText(resource)).slice(0, HASH_DIGITS);
}
