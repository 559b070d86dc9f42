import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearestName, suggestName } from '../../../../core/config/nearest.ts';

const KEYS = ['port', 'protocol', 'run', 'calls', 'allow', 'timeout'];

test('a misspelling leads to the key that was meant', () => {
  for (const [wrong, right] of [
    ['prot', 'port'],
    ['Port', 'port'],
    ['timeuot', 'timeout'],
    ['alow', 'allow'],
    ['call', 'calls'],
    ['protcol', 'protocol'],
  ] as const) {
    assert.equal(nearestName(wrong, KEYS), right);
  }
});

test('what resembles nothing leads nowhere', () => {
  for (const name of ['colour', 'xyz', '', 'x'.repeat(5000)]) assert.equal(nearestName(name, KEYS), null);
  assert.equal(suggestName('colour', KEYS), '');
});

test('edit distance is a distance: zero for itself, the same both ways, at most the longer text', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(editDistance(a, a), 0);
      assert.equal(distance, editDistance(b, a));
      assert.ok(distance >= Math.abs(a.length - b.length) && distance <= Math.max(a.length, b.length));
      assert.equal(distance === 0, a === b);
    }),
  );
});

test('two neighbours swapped are one edit', () => {
  assert.equal(editDistance('order', 'oredr'), 1);
});
