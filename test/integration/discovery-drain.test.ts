import assert from 'node:assert/strict';
import { before, test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { endpointsIn, endpointsOf, fakeProxy, UP } from '../support/fake-proxy.ts';
import { fakeTimers } from '../support/fake-timers.ts';
import { startDiscovery, testRegistry, type HarnessOptions } from '../support/discovery-harness.ts';
import { sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

/** `web` and `edge-main` call `orders`, nobody calls `web`; views follow the registry. */
async function startMesh(t: TestContext, options: HarnessOptions = {}) {
  const discovery = await startDiscovery(authority, t, options);
  const offer = () => {
    for (const account of ['web', 'edge-main']) {
      discovery.setView(account, sampleView('s1', endpointsOf(discovery.registry, 'orders')));
    }
  };
  discovery.setView('orders', sampleView('s1', {}));
  discovery.setView('users', sampleView('s1', {}));
  offer();
  discovery.registry.onChange(offer);
  const mesh = { ...discovery, authority };
  return {
    ...mesh,
    proxy: (account: string, instance = `${account}-1`) => fakeProxy(t, mesh, account, { instance }),
    instances: () => discovery.registry.instances().map(({ instance }) => instance),
  };
}

type Mesh = Awaited<ReturnType<typeof startMesh>>;

/** `orders-1` and `orders-2` are up and two callers have taken a view with both. */
async function twoCallers(mesh: Mesh) {
  const orders = await mesh.proxy('orders');
  await orders.ack(0, { status: UP });
  await eventually(() => mesh.instances().length === 1);
  const other = await mesh.proxy('orders', 'orders-2');
  await other.ack(0, { status: UP });
  await eventually(() => mesh.instances().length === 2);
  const web = await mesh.proxy('web');
  const edge = await mesh.proxy('edge-main');
  for (const caller of [web, edge]) {
    assert.deepEqual(endpointsIn(await caller.ack(0, { status: UP })), { orders: ['orders-1', 'orders-2'] });
  }
  await eventually(() => mesh.instances().length === 4);
  return { orders, web, edge };
}

const isDrained = (proxy: { notices(): { drained: boolean }[] }) => proxy.notices().some(({ drained }) => drained);

test('an instance that drains is told so once every caller has acknowledged a view without it', async (t) => {
  const mesh = await startMesh(t);
  const { orders, web, edge } = await twoCallers(mesh);
  orders.report({ ...UP, draining: true });
  assert.deepEqual(endpointsIn(await web.view(1)), { orders: ['orders-2'] });
  await edge.view(1);
  await orders.settled();
  assert.equal(isDrained(orders), false, 'nobody has acknowledged');
  await web.ack(1);
  await web.settled();
  await orders.settled();
  assert.equal(isDrained(orders), false, 'the edge has not acknowledged');
  await edge.ack(1);
  await eventually(() => isDrained(orders));
  assert.equal(orders.notices().filter(({ drained }) => drained).length, 1);
  assert.deepEqual(mesh.instances(), ['edge-main-1', 'orders-2', 'web-1']);
});

test('callers that do not call it are not waited for', async (t) => {
  const mesh = await startMesh(t);
  const users = await mesh.proxy('users');
  await users.view(0);
  const orders = await mesh.proxy('orders');
  await orders.ack(0, { status: UP });
  orders.report({ ...UP, draining: true });
  await eventually(() => isDrained(orders));
});

test('the answer to a view from before does not count, and neither does a refusal', async (t) => {
  const mesh = await startMesh(t);
  const orders = await mesh.proxy('orders');
  await orders.ack(0, { status: UP });
  await eventually(() => mesh.instances().length === 1);
  const web = await mesh.proxy('web');
  assert.deepEqual(endpointsIn(await web.view(0)), { orders: ['orders-1'] });
  orders.report({ ...UP, draining: true });
  await eventually(() => mesh.instances().length === 0);
  await web.ack(0);
  assert.deepEqual(endpointsIn(await web.view(1)), { orders: [] });
  await orders.settled();
  assert.equal(isDrained(orders), false);
  await web.nack(1);
  await eventually(() => mesh.server.states().some(({ refusal }) => refusal !== null));
  await orders.settled();
  assert.equal(isDrained(orders), false, 'it still calls the instance');
});

test('a caller that says goodbye is waited for no longer, one that is lost is, and has to acknowledge when it is back', async (t) => {
  const mesh = await startMesh(t);
  const { orders, web, edge } = await twoCallers(mesh);
  orders.report({ ...UP, draining: true });
  await web.view(1);
  const types = ['CLUSTER', 'ENDPOINTS', 'LISTENER', 'ROUTES'] as const;
  web.send({ subscriptions: types.map((type) => ({ type: `RESOURCE_TYPE_${type}` as const, unsubscribe: ['*'] })) });
  edge.close();
  await eventually(() => mesh.server.states().length === 2);
  await orders.settled();
  assert.equal(isDrained(orders), false, 'the edge may still call');
  const again = await mesh.proxy('edge-main');
  assert.deepEqual(endpointsIn(await again.ack(0)), { orders: ['orders-2'] });
  await eventually(() => isDrained(orders));
});

test('a caller that was lost just before is waited for too', async (t) => {
  const mesh = await startMesh(t, { registry: testRegistry(30_000) });
  const { orders, web, edge } = await twoCallers(mesh);
  edge.close();
  await eventually(() => mesh.server.states().length === 3);
  orders.report({ ...UP, draining: true });
  await web.ack(1);
  await web.settled();
  await orders.settled();
  assert.equal(isDrained(orders), false);
  const again = await mesh.proxy('edge-main');
  await again.ack(0);
  await eventually(() => isDrained(orders));
});

test('a caller that does not answer holds a drain up for five seconds and no longer', async (t) => {
  const timers = fakeTimers();
  const mesh = await startMesh(t, { after: timers.after });
  const { orders, web, edge } = await twoCallers(mesh);
  orders.report({ ...UP, draining: true });
  await web.ack(1);
  await edge.view(1);
  await web.settled();
  timers.advance(4_999);
  await orders.settled();
  assert.equal(isDrained(orders), false);
  timers.advance(1);
  await eventually(() => isDrained(orders));
  const line = mesh.log.lines.find(({ message }) => message.includes('did not acknowledge a drain in time'));
  assert.deepEqual(line?.fields['late'], ['edge-main/edge-main-1']);
});

test('after a restart nobody is told that it is drained before its callers can have come back', async (t) => {
  let settled = false;
  const mesh = await startMesh(t, { settled: () => settled });
  const orders = await mesh.proxy('orders');
  await orders.ack(0, { status: { ...UP, draining: true } });
  await orders.settled();
  assert.equal(isDrained(orders), false);
  settled = true;
  mesh.server.offerAll();
  await eventually(() => isDrained(orders));
});

test('who is out of the views already, taken out or with its app down, drains at once', async (t) => {
  const timers = fakeTimers();
  const mesh = await startMesh(t, { after: timers.after });
  const { orders, web, edge } = await twoCallers(mesh);
  const first = mesh.server.hold('orders-1');
  await Promise.all([web.ack(1), edge.ack(1)]);
  assert.deepEqual(await first, { ok: true, value: [] });
  assert.deepEqual(await mesh.server.hold('orders-1'), { ok: true, value: [] }, 'once more');
  orders.report({ ...UP, draining: true });
  await eventually(() => isDrained(orders));

  const other = await mesh.proxy('orders', 'orders-3');
  await other.ack(0, { status: UP });
  await Promise.all([web.ack(2), edge.ack(2)]);
  other.report({ ...UP, appHealth: 'APP_HEALTH_DOWN' });
  await Promise.all([web.ack(3), edge.ack(3)]);
  other.report({ ...UP, appHealth: 'APP_HEALTH_DOWN', draining: true });
  await eventually(() => isDrained(other));
});

test('an instance that drains is in no new view, also after its stream was opened anew', async (t) => {
  const mesh = await startMesh(t);
  const { orders } = await twoCallers(mesh);
  orders.report({ ...UP, draining: true });
  await eventually(() => !mesh.instances().includes('orders-1'));
  const again = await mesh.proxy('orders');
  await again.ack(0);
  await eventually(() => mesh.server.states().some(({ instance, snapshot }) => instance === 'orders-1' && snapshot));
  assert.ok(!mesh.instances().includes('orders-1'), 'it has not said that it takes calls again');
  again.report(UP);
  await eventually(() => mesh.instances().includes('orders-1'));
});
