import assert from 'node:assert/strict';
import { before, test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { endpointsIn, endpointsOf, fakeProxy, UP } from '../support/fake-proxy.ts';
import { startDiscovery } from '../support/discovery-harness.ts';
import { sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

/** `web` calls `orders`, of which there are two; views follow the registry. */
async function startMesh(t: TestContext) {
  const discovery = await startDiscovery(authority, t);
  const { server, registry } = discovery;
  const offer = () => discovery.setView('web', sampleView('s1', endpointsOf(registry, 'orders')));
  discovery.setView('orders', sampleView('s1', {}));
  offer();
  registry.onChange(offer);
  const mesh = { ...discovery, authority };
  const instances = () => registry.instances().map(({ instance }) => instance);
  const proxy = (account: string, instance: string) => fakeProxy(t, mesh, account, { instance });
  const orders = await proxy('orders', 'orders-1');
  await orders.ack(0, { status: UP });
  const other = await proxy('orders', 'orders-2');
  await other.ack(0, { status: UP });
  await eventually(() => instances().length === 2);
  const web = await proxy('web', 'web-1');
  await web.ack(0, { status: UP });
  await eventually(() => instances().length === 3);
  return { server, instances, proxy, orders, web };
}

test('an operator takes an instance out: it is done once its callers have acknowledged that, and the proxy is left alone', async (t) => {
  const { server, instances, orders, web } = await startMesh(t);
  let done = false;
  const held = server.hold('orders-1').finally(() => {
    done = true;
  });
  assert.deepEqual(endpointsIn(await web.view(1)), { orders: ['orders-2'] });
  await web.settled();
  assert.equal(done, false, 'the caller has not acknowledged');
  await web.ack(1);
  assert.deepEqual(await held, { ok: true, value: [] });
  assert.deepEqual(
    orders.notices().filter(({ drained }) => drained),
    [],
    'it does not leave, so it is not told to',
  );
  assert.equal(server.states().find(({ instance }) => instance === 'orders-1')?.held, true);
  orders.report({ ...UP, inFlight: 1 });
  await orders.settled();
  assert.deepEqual(instances(), ['orders-2', 'web-1'], 'its own word does not bring it back');
  assert.equal(server.release('orders-1'), true);
  assert.deepEqual(endpointsIn(await web.view(2)), { orders: ['orders-1', 'orders-2'] });
  assert.equal(server.release('orders-1'), false);
});

test('who was taken out stays so when its stream is opened anew, until it says goodbye', async (t) => {
  const { server, instances, proxy, orders, web } = await startMesh(t);
  const held = server.hold('orders-1');
  await web.ack(1);
  await held;
  orders.close();
  await eventually(() => server.states().length === 2);
  const again = await proxy('orders', 'orders-1');
  await again.ack(0, { status: UP });
  await again.settled();
  assert.deepEqual(instances(), ['orders-2', 'web-1']);
  const types = ['CLUSTER', 'ENDPOINTS', 'LISTENER', 'ROUTES'] as const;
  again.send({ subscriptions: types.map((type) => ({ type: `RESOURCE_TYPE_${type}` as const, unsubscribe: ['*'] })) });
  await eventually(() => server.states().length === 2);
  const fresh = await proxy('orders', 'orders-1');
  await fresh.ack(0, { status: UP });
  await eventually(() => instances().includes('orders-1'));
});

test('a caller that does not answer is named after five seconds; whoever leaves by itself cannot be taken out', async (t) => {
  const { server, orders, web } = await startMesh(t);
  const held = server.hold('orders-1');
  await web.view(1);
  assert.deepEqual(await held, { ok: true, value: ['web/web-1'] });
  assert.deepEqual(await server.hold('nobody'), { ok: false, error: 'no proxy nobody is connected' });
  server.release('orders-1');
  orders.report({ ...UP, draining: true });
  await eventually(() => server.states().some(({ status }) => status?.draining));
  assert.deepEqual(await server.hold('orders-1'), { ok: false, error: 'orders-1 leaves already' });
});
