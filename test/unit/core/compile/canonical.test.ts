import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalText, resourceVersion } from '../../../../core/compile/canonical.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('keys are sorted, a map is an object, an absent field is no field', () => {
  const value = { b: [2, 1], a: new Map([['y', null] as const, ['x', 'ä'] as const]), c: undefined };
  assert.equal(canonicalText(value), '{"a":{"x":"ä","y":null},"b":[2,1]}');
});

test('the order of keys never changes the text, and the text means the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // -0 is 0 in JSON.
      const plain: unknown = JSON.parse(JSON.stringify(value));
      assert.deepEqual(JSON.parse(canonicalText(plain)), plain);
      assert.equal(canonicalText(reversed(plain)), canonicalText(plain));
    }),
  );
});

test('two values that differ have two texts', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      fc.pre(JSON.stringify(a) !== JSON.stringify(b));
      const same = canonicalText(a) === canonicalText(b);
      if (same) assert.deepEqual(JSON.parse(canonicalText(a)), JSON.parse(JSON.stringify(b)));
    }),
  );
});

test('a version is 16 hex digits of the hash of the content', () => {
  assert.match(resourceVersion({ a: 1 }, sha256), /^[0-9a-f]{16}$/);
  assert.equal(resourceVersion({ a: 1, b: 2 }, sha256), resourceVersion({ b: 2, a: 1 }, sha256));
  assert.notEqual(resourceVersion({ a: 1 }, sha256), resourceVersion({ a: 2 }, sha256));
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, field]) => [key, reversed(field)]),
  );
}
