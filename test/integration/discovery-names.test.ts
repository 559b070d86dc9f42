import assert from 'node:assert/strict';
import { before, test, type TestContext } from 'node:test';
import type { DiscoveryRequest } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import { fakeProxy, UP } from '../support/fake-proxy.ts';
import { startDiscovery } from '../support/discovery-harness.ts';
import { HELLO } from '../support/recording-peers.ts';
import { sampleEndpoint, sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

const CLUSTER = 'RESOURCE_TYPE_CLUSTER';
const node = HELLO.node ?? null;
const hello = (...subscribe: string[]): DiscoveryRequest => ({ node, ...asked(...subscribe) });
const asked = (...subscribe: string[]): DiscoveryRequest => ({ subscriptions: [{ type: CLUSTER, subscribe }] });
const names = ({ resources }: { resources: { name: string }[] }) => resources.map(({ name }) => name);

async function startMesh(t: TestContext, services: Record<string, []>) {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', services));
  return { ...discovery, authority };
}

test('a name that does not exist is answered once, in `removed`, and never again', async (t) => {
  const mesh = await startMesh(t, { a: [] });
  const proxy = await fakeProxy(t, mesh, 'orders', { hello: hello('a', 'later') });
  const first = await proxy.ack(0, { status: UP });
  assert.deepEqual([names(first), first.removed], [['a'], [{ type: CLUSTER, name: 'later' }]]);
  mesh.setView('orders', sampleView('s2', { a: [], other: [] }));
  const second = await proxy.ack(1);
  assert.deepEqual([names(second), second.removed], [[], []]);
  assert.equal(await proxy.settled(), 2);
});

test('a name that does not exist is remembered, and sent when it comes to exist', async (t) => {
  const mesh = await startMesh(t, {});
  const proxy = await fakeProxy(t, mesh, 'orders', { hello: hello('later') });
  assert.deepEqual((await proxy.ack(0, { status: UP })).removed, [{ type: CLUSTER, name: 'later' }]);
  mesh.setView('orders', sampleView('s2', { later: [] }));
  assert.deepEqual(names(await proxy.ack(1)), ['later']);
  mesh.setView('orders', sampleView('s3', {}));
  assert.deepEqual((await proxy.ack(2)).removed, [{ type: CLUSTER, name: 'later' }], 'and removed when it ceases to');
});

test('an answer that says that a name is not there is given again where it was refused', async (t) => {
  const mesh = await startMesh(t, {});
  const proxy = await fakeProxy(t, mesh, 'orders', { hello: hello('later') });
  await proxy.nack(0);
  mesh.setView('orders', sampleView('s2', {}));
  assert.deepEqual((await proxy.view(1)).removed, [{ type: CLUSTER, name: 'later' }]);
});

test('a name that is asked for later is answered at once, also where the snapshot is the same', async (t) => {
  const mesh = await startMesh(t, { a: [], b: [] });
  const proxy = await fakeProxy(t, mesh, 'orders', { hello: hello('a') });
  await proxy.ack(0, { status: UP });
  proxy.send(asked('b', 'c'));
  const second = await proxy.ack(1);
  assert.deepEqual([second.snapshot, names(second), second.removed], ['s1', ['b'], [{ type: CLUSTER, name: 'c' }]]);
});

test('a name that is asked for again is sent again, also at the same version', async (t) => {
  const mesh = await startMesh(t, { a: [], b: [] });
  const proxy = await fakeProxy(t, mesh, 'orders', { hello: HELLO });
  await proxy.ack(0, { status: UP });
  proxy.send(asked('a'));
  assert.deepEqual(names(await proxy.ack(1)), ['a']);
  assert.equal(await proxy.settled(), 2);
});

test('what is asked for while a response is in flight waits for its answer', async (t) => {
  const mesh = await startMesh(t, { a: [], b: [] });
  const proxy = await fakeProxy(t, mesh, 'orders', { hello: hello('a') });
  await proxy.view(0);
  proxy.send({ ...asked('b', 'c'), status: UP });
  assert.equal(await proxy.settled(), 1);
  await proxy.ack(0);
  const second = await proxy.view(1);
  assert.deepEqual([names(second), second.removed], [['b'], [{ type: CLUSTER, name: 'c' }]]);
});

test('what is unsubscribed is not sent any more, and not removed by a response either', async (t) => {
  const mesh = await startMesh(t, { a: [], b: [] });
  const proxy = await fakeProxy(t, mesh, 'orders', { hello: hello('a', 'b', 'later') });
  await proxy.ack(0, { status: UP });
  proxy.send({ subscriptions: [{ type: CLUSTER, unsubscribe: ['b', 'later'] }] });
  await proxy.settled();
  mesh.setView('orders', sampleView('s2', { later: [] }));
  const second = await proxy.ack(1);
  assert.deepEqual([names(second), second.removed], [[], [{ type: CLUSTER, name: 'a' }]]);
  proxy.send(asked('later'));
  assert.deepEqual(names(await proxy.ack(2)), ['later'], 'who asks again gets it again');
});

test('who unsubscribes while a response is in flight gets it whole when it asks again', async (t) => {
  const mesh = await startMesh(t, { a: [], b: [] });
  const proxy = await fakeProxy(t, mesh, 'orders', { hello: hello('a', 'b') });
  await proxy.view(0);
  proxy.send({ subscriptions: [{ type: CLUSTER, unsubscribe: ['b'] }] });
  await proxy.ack(0, { status: UP });
  await proxy.settled();
  proxy.send(asked('b'));
  assert.deepEqual(names(await proxy.view(1)), ['b']);
});

test('every message adds before it removes: clusters, endpoints, listeners, routes, and removals the other way round', async (t) => {
  const discovery = await startDiscovery(authority, t);
  const mesh = { ...discovery, authority };
  const order = ['CLUSTER', 'ENDPOINTS', 'LISTENER', 'ROUTES'].map((type) => `RESOURCE_TYPE_${type}`);
  discovery.setView('orders', sampleView('s1', { a: [sampleEndpoint('a-1')], b: [] }));
  const proxy = await fakeProxy(t, mesh, 'orders');
  const typeOf = ({ body }: { body?: string }) => `RESOURCE_TYPE_${(body ?? '').toUpperCase()}`;
  const first = await proxy.ack(0, { status: UP });
  discovery.setView('orders', sampleView('s2', { c: [], d: [sampleEndpoint('d-1')] }));
  const second = await proxy.ack(1);
  for (const { resources } of [first, second]) {
    const positions = resources.map((resource) => order.indexOf(typeOf(resource)));
    assert.deepEqual(
      positions,
      positions.toSorted((one, other) => one - other),
    );
    assert.equal(positions.length, 4);
  }
  assert.deepEqual(
    second.removed.map(({ type, name }) => `${order.indexOf(type)} ${name}`),
    ['1 b', '1 a', '0 b', '0 a'],
  );
});
