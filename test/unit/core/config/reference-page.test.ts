import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { schemaDocument } from '../../../../core/config/schema.ts';

const page = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly default?: string | number;
}

/** Every key with its default; below `services.<name>` and `edges.<name>` as the tables of the page write them. */
function keysOf(node: Node, path: string): readonly (readonly [string, string | null])[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, value]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const below = keysOf(value, at);
    return below.length > 0 ? below : [[at, value.default === undefined ? null : String(value.default)] as const];
  });
  const named = Object.values(node.patternProperties ?? {}).flatMap((value) =>
    keysOf(value, path === 'services' || path === 'edges' ? '' : `${path}.<name>`),
  );
  const items = node.items === undefined ? [] : keysOf(node.items, `${path}[]`);
  const either = (node.anyOf ?? []).flatMap((value) => keysOf(value, path.replace('routes[].', '')));
  return [...own, ...named, ...items, ...either];
}

test('the page has every key of the schema, with its default', () => {
  const keys = keysOf(JSON.parse(schemaDocument()) as Node, '');
  assert.ok(keys.length > 30);
  for (const [key, fallback] of keys) {
    const row = page
      .split('\n')
      .find((line) => line.startsWith('| ') && (line.split('|')[1] ?? '').includes(`\`${key}\``));
    assert.ok(row, `docs/configuration.md has no row for ${key}`);
    if (fallback !== null) assert.ok(row.includes(`| \`${fallback}\``), `${key}: default ${fallback}`);
  }
});
