import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deltaOf, holdingsOf, type Delta, type Holdings } from '../../../../control-plane/delta/delta.ts';
import { RESOURCE_TYPES } from '../../../../core/model/view.ts';
import { encodeView, type EncodedResource } from '../../../../proto/codec/encode.ts';
import { resourceKey } from '../../../../proto/codec/view.ts';
import { arbitraryView } from '../../../support/arbitrary-view.ts';

function after(held: Holdings, delta: Delta): Map<string, string> {
  const next = new Map(held);
  for (const { type, name, version } of delta.changed) next.set(resourceKey(type, name), version);
  for (const { type, name } of delta.removed) next.delete(resourceKey(type, name));
  return next;
}

/** Two views that share some of their resources, as an edit leaves them. */
const twoViews = fc.tuple(arbitraryView, arbitraryView, fc.infiniteStream(fc.boolean())).map(([a, b, keep]) => {
  const old = encodeView(a);
  const kept = old.filter(() => keep.next().value);
  const keys = new Set(kept.map(({ type, name }) => resourceKey(type, name)));
  const fresh = encodeView(b).filter(({ type, name }) => !keys.has(resourceKey(type, name)));
  return [old, [...kept, ...fresh]] as const;
});

test('the old view and the delta make the new view', () => {
  fc.assert(
    fc.property(twoViews, ([old, next]) => {
      const held = holdingsOf(old);
      assert.deepEqual(new Map([...after(held, deltaOf(held, next))].sort()), new Map([...holdingsOf(next)].sort()));
    }),
  );
});

test('what did not change is neither sent nor removed', () => {
  fc.assert(
    fc.property(twoViews, ([old, next]) => {
      const held = holdingsOf(old);
      const { changed, removed } = deltaOf(held, next);
      for (const { type, name, version } of changed) assert.notEqual(held.get(resourceKey(type, name)), version);
      for (const { type, name } of removed) assert.ok(held.has(resourceKey(type, name)));
      assert.deepEqual(deltaOf(held, old), { changed: [], removed: [] });
    }),
  );
});

test('clusters come first and go last, whatever the order of the view', () => {
  const rank = ({ type }: Pick<EncodedResource, 'type'>) => RESOURCE_TYPES.indexOf(type);
  fc.assert(
    fc.property(twoViews, ([old, next]) => {
      const { changed, removed } = deltaOf(holdingsOf(old), next.toReversed());
      assert.deepEqual(changed.map(rank), changed.map(rank).sort());
      assert.deepEqual(removed.map(rank), removed.map(rank).sort().reverse());
    }),
  );
});

test('the step is the same whether the lists are known or only the versions in them', () => {
  const one = fc.record({
    type: fc.constantFrom(...RESOURCE_TYPES),
    name: fc.nat(4),
    version: fc.constantFrom('1', '2'),
  });
  const list = fc
    .uniqueArray(one, { selector: ({ type, name }) => `${type}/${name}`, maxLength: 12 })
    .map((all) => all.map(({ type, name, version }) => ({ type, name: `${name}`, version, wire: {} })));
  // Half of the steps change only versions: the same names at the same places.
  const step = fc.oneof(
    fc.tuple(list, list),
    list.chain((before) =>
      fc
        .array(fc.boolean(), { minLength: before.length, maxLength: before.length })
        .map((bumped) => [before, before.map((each, i) => (bumped[i] ? { ...each, version: '3' } : each))] as const),
    ),
  );
  fc.assert(
    fc.property(step, ([before, after]) => {
      const held = holdingsOf(before);
      assert.deepEqual(deltaOf(held, after), deltaOf(new Map(held), after));
      assert.equal(deltaOf(held, after), deltaOf(holdingsOf(before), after));
    }),
  );
});
