import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { schemaDocument } from '../../../../core/config/schema.ts';
import { STARTER } from '../../../../control-plane/cli/init.ts';

const FILE = new URL('../../../../config.schema.json', import.meta.url);

test('config.schema.json is the schema that files are checked by (WEFT_UPDATE_GOLDEN=1 writes it anew)', () => {
  if (process.env['WEFT_UPDATE_GOLDEN'] === '1') writeFileSync(FILE, schemaDocument());
  assert.deepEqual(JSON.parse(readFileSync(FILE, 'utf8')), JSON.parse(schemaDocument()));
});

test('the schema stands by itself: an editor can check a file with it alone', () => {
  const check = new Ajv({ allErrors: true }).compile(JSON.parse(schemaDocument()) as object);
  assert.equal(check(parse(STARTER)), true, JSON.stringify(check.errors));
  assert.equal(check({ version: 1, services: { web: { prot: 3000 } } }), false);
  assert.equal(check({ version: 1, services: { Web: { port: 3000 } } }), false);
});

test('every key has a description or a title for the editor', () => {
  const bare: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('properties' in node && typeof node.properties === 'object') {
      for (const [key, value] of Object.entries(node.properties ?? {})) {
        if (!('description' in value) && !('title' in value)) bare.push(`${path}.${key}`);
      }
    }
    for (const [key, value] of Object.entries(node)) visit(value, `${path}.${key}`);
  };
  visit(JSON.parse(schemaDocument()), '');
  assert.deepEqual(bare, []);
});
