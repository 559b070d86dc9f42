import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Views } from '../../../../control-plane/snapshot/views.ts';
import type { Endpoint, View } from '../../../../core/model/view.ts';
import { encodeView } from '../../../../proto/codec/encode.ts';
import { sampleEndpoint, sampleView } from '../../../support/sample-view.ts';

const viewsOf = (cut: () => View | null) => new Views({ cut, endpoints: () => assert.fail() });

test('a view is cut and encoded once until something changes', () => {
  let cuts = 0;
  const views = viewsOf(() => {
    cuts++;
    return sampleView('s1', { a: [] });
  });
  const first = views.of('orders');
  assert.equal(views.of('orders'), first);
  assert.equal(cuts, 1);
  views.invalidate(['orders']);
  assert.notEqual(views.of('orders'), first);
  assert.equal(cuts, 2);
});

test('a view that a change left as it is stays the same one, and under another snapshot the same list', () => {
  let view = sampleView('s1', { a: [sampleEndpoint('a-1')], 'a@v1': [] });
  const views = viewsOf(() => view);
  const first = views.of('orders');
  views.invalidate(['orders']);
  views.invalidate(['orders']);
  assert.equal(views.of('orders'), first);
  view = { ...view, snapshot: sampleView('s2', {}).snapshot };
  views.invalidate(['orders']);
  const second = views.of('orders');
  assert.equal(second?.snapshot, 's2');
  assert.equal(second?.resources, first?.resources);
});

test('an account that is not there is asked for again each time', () => {
  let view: View | null = null;
  const views = viewsOf(() => view);
  assert.equal(views.of('orders'), null);
  view = sampleView('s1', {});
  assert.equal(views.of('orders')?.snapshot, 's1');
});

test('what two snapshots share is encoded once, and what changed is encoded anew', () => {
  const before = sampleView('s1', { a: [], b: [sampleEndpoint('b-1')] });
  const after: View = {
    ...before,
    endpoints: new Map(before.endpoints).set('b', {
      cluster: before.clusters.get('b')?.name ?? assert.fail(),
      endpoints: [sampleEndpoint('b-2')],
    }),
  };
  let view = before;
  const views = viewsOf(() => view);
  const first = views.of('orders')?.resources ?? [];
  view = after;
  views.invalidate(['orders']);
  const second = views.of('orders')?.resources ?? [];
  assert.deepEqual(
    second.map((resource, index) => resource === first[index]),
    [true, true, true, false],
  );
  assert.deepEqual(second, encodeView(after));
});

test('two clusters with one list of endpoints stay two resources', () => {
  const shared = [sampleEndpoint('a-1')];
  const view = sampleView('s1', { a: shared, 'a@v1': shared });
  const names = viewsOf(() => view)
    .of('orders')
    ?.resources.map(({ type, name }) => `${type}/${name}`);
  assert.deepEqual(names, ['cluster/a', 'cluster/a@v1', 'endpoints/a', 'endpoints/a@v1']);
});

test('where instances come and go the list is what it would be if it were cut anew', () => {
  const names = ['a', 'b', 'c'];
  const step = fc.record({
    kind: fc.constantFrom('move', 'cut', 'look'),
    name: fc.constantFrom(...names),
    port: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let called: Record<string, Endpoint[]> = { a: [], b: [], c: [] };
      const views = new Views({
        cut: () => sampleView('s1', called),
        endpoints: (_, services) =>
          [...sampleView('s1', called).endpoints.values()].filter(({ cluster }) => services.has(cluster)),
      });
      for (const { kind, name, port } of steps) {
        called = { ...called, [name]: port === 0 ? [] : [sampleEndpoint(`${name}-${port}`)] };
        if (kind === 'cut') views.invalidate(['orders']);
        else views.move(name, ['orders']);
        if (kind === 'look') assert.deepEqual(views.of('orders')?.resources, encodeView(sampleView('s1', called)));
      }
      assert.deepEqual(views.of('orders')?.resources, encodeView(sampleView('s1', called)));
    }),
  );
});
