import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Lexer, stringify } from 'yaml';
import { readDocument } from '../../../../core/config/document.ts';
import { lex } from '../../../../core/config/lexemes.ts';

function placeOf(text: string, path: readonly (string | number)[], part: 'key' | 'value'): string {
  const { document } = readDocument('a.yaml', text);
  assert.ok(document);
  const { file, line, column } = document.locate(path, part);
  return `${file}:${line}:${column}`;
}

const TEXT = '# head\nlist:\n  - one\n  - { key: &a value, empty: }\nother: *a\nmap: {"a.b": 1}\n';

test('values and keys are found where they stand', () => {
  assert.equal(placeOf(TEXT, ['list', 0], 'value'), 'a.yaml:3:5');
  assert.equal(placeOf(TEXT, ['list', 1, 'key'], 'key'), 'a.yaml:4:7');
  assert.equal(placeOf(TEXT, ['list', 1, 'key'], 'value'), 'a.yaml:4:15');
  assert.equal(placeOf(TEXT, ['other'], 'value'), 'a.yaml:5:8');
  assert.equal(placeOf(TEXT, ['map', 'a.b'], 'key'), 'a.yaml:6:7');
});

test('a value that is not there stands at its key, a path that leads nowhere at the place above', () => {
  assert.equal(placeOf(TEXT, ['list', 1, 'empty'], 'value'), 'a.yaml:4:22');
  assert.equal(placeOf(TEXT, ['list', 7], 'value'), 'a.yaml:3:3');
  assert.equal(placeOf(TEXT, ['map', 'b', 'c'], 'value'), 'a.yaml:6:6');
  assert.equal(placeOf('a: {b: 1}\n', ['x'], 'value'), 'a.yaml:1:1');
});

test('lines end by CR LF too, and a byte order mark counts for nothing', () => {
  assert.equal(placeOf('\u{feff}a: 1\r\nb:\r\n  c: 2\r\n', ['b', 'c'], 'value'), 'a.yaml:3:6');
});

test('two aliases of one value are two values', () => {
  const { document } = readDocument('a.yaml', 'a: &x { n: 1 }\nb: *x\n');
  const value = document?.value as Record<string, { n: number }>;
  assert.deepEqual(value, { a: { n: 1 }, b: { n: 1 } });
  assert.notEqual(value['a'], value['b']);
});

test('a template in a flow mapping is one scalar, as people write it', () => {
  const { document, errors } = readDocument('a.yaml', '[{ match: GET /u/{id}/o/{oid}, to: a }, { path: /u/{id} }]');
  assert.deepEqual(errors, []);
  assert.equal(document?.locate([0, 'to'], 'value').column, 36);
  assert.deepEqual(document?.value, [{ match: 'GET /u/{id}/o/{oid}', to: 'a' }, { path: '/u/{id}' }]);
});

test('in text that is valid YAML no lexeme changes', () => {
  const leaf = fc.oneof(fc.constantFrom('/a/{id}', '/a/', '{', '}', 'a: b', '/x/{y}/z', ''), fc.string());
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(leaf, tie('any'), { maxKeys: 3 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, fc.constantFrom('flow' as const, 'any' as const), (data, style) => {
      const text = stringify(data, { collectionStyle: style });
      assert.deepEqual(lex(text), [...new Lexer().lex(text)]);
    }),
    { numRuns: 300 },
  );
});
