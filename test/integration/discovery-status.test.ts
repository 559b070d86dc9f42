import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
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

async function startMesh(t: TestContext) {
  const discovery = await startDiscovery(authority, t);
  const offer = () => discovery.setView('web', sampleView('s1', endpointsOf(discovery.registry, 'orders')));
  discovery.setView('orders', sampleView('s1', {}));
  offer();
  discovery.registry.onChange(offer);
  const mesh = { ...discovery, authority };
  return {
    ...mesh,
    proxy: (account: string) => fakeProxy(t, mesh, account),
    instances: () => discovery.registry.instances().map(({ instance }) => instance),
    statusOf: (account: string) => discovery.server.states().find((state) => state.account === account)?.status,
  };
}

const DOWN = { appHealth: 'APP_HEALTH_DOWN', appHealthReason: 'connection refused' } as const;

test('operators see what a proxy says of itself', async (t) => {
  const mesh = await startMesh(t);
  const orders = await mesh.proxy('orders');
  const now = Date.now();
  await orders.ack(0, {
    status: {
      snapshot: 's1',
      viewOrigin: 'VIEW_ORIGIN_STREAM',
      viewAgeSeconds: 3,
      certificateSerial: '0a1b',
      certificateNotAfter: 2_000_000_000,
      appHealth: 'APP_HEALTH_UP',
      inFlight: 4,
      requestsPerSecond: 2.5,
      clockMs: now + 60_000,
      unbound: ['127.15.0.1:80'],
      unreachable: [{ cluster: 'users', endpoint: 'users-1', reason: 'refused' }],
      memoryBytes: 50_000_000,
    },
  });
  const said = await eventually(() => mesh.statusOf('orders'));
  const { at, clockOffset, ...rest } = said;
  assert.ok(at >= now);
  assert.ok(clockOffset !== null && clockOffset > 50_000 && clockOffset <= 60_000);
  assert.deepEqual(rest, {
    snapshot: 's1',
    viewOrigin: 'stream',
    viewAge: 3,
    certificate: { serial: '0a1b', notAfter: 2_000_000_000_000 },
    app: 'up',
    appReason: '',
    inFlight: 4,
    requestsPerSecond: 2.5,
    draining: false,
    unbound: ['127.15.0.1:80'],
    unreachable: [{ cluster: 'users', endpoint: 'users-1', reason: 'refused' }],
    memory: 50_000_000,
  });
});

test('a status is no answer: the view in flight stays in flight, and nothing is sent for it', async (t) => {
  const mesh = await startMesh(t);
  const orders = await mesh.proxy('orders');
  await orders.view(0);
  orders.report(UP);
  await eventually(() => mesh.statusOf('orders'));
  assert.deepEqual(mesh.instances(), [], 'it runs nothing yet');
  assert.equal(await orders.settled(), 1);
  await orders.ack(0);
  await eventually(() => mesh.instances().length === 1);
});

test('an instance whose app is down is not called, at once and without a grace time, until it is up again', async (t) => {
  const mesh = await startMesh(t);
  const orders = await mesh.proxy('orders');
  await orders.ack(0, { status: UP });
  const web = await mesh.proxy('web');
  assert.deepEqual(endpointsIn(await web.ack(0, { status: UP })), { orders: ['orders-1'] });
  orders.report(DOWN);
  assert.deepEqual(endpointsIn(await web.ack(1)), { orders: [] });
  orders.report({ ...DOWN, inFlight: 1 });
  assert.equal(await web.settled(), 2, 'the same again is no news');
  assert.equal(mesh.log.lines.filter(({ message }) => message === 'the app is down').length, 1);
  orders.report(UP);
  assert.deepEqual(endpointsIn(await web.ack(2)), { orders: ['orders-1'] });
});

test('an instance whose app is down from the start is never called', async (t) => {
  const mesh = await startMesh(t);
  const web = await mesh.proxy('web');
  await web.ack(0, { status: UP });
  const orders = await mesh.proxy('orders');
  await orders.ack(0, { status: DOWN });
  await orders.settled();
  assert.equal(await web.settled(), 1);
  orders.report(UP);
  assert.deepEqual(endpointsIn(await web.view(1)), { orders: ['orders-1'] });
});

test('a proxy that says nothing of itself counts as up', async (t) => {
  const mesh = await startMesh(t);
  const orders = await mesh.proxy('orders');
  await orders.ack(0);
  await eventually(() => mesh.instances().length === 1);
  assert.equal(mesh.statusOf('orders'), null);
});

test('who says all the time how it is is refused, and its callers are told of no more than they can take', async (t) => {
  const mesh = await startMesh(t);
  const orders = await mesh.proxy('orders');
  await orders.ack(0, { status: UP });
  const web = await mesh.proxy('web');
  await web.ack(0, { status: UP });
  for (let n = 0; n < 200; n++) orders.report(n % 2 === 0 ? DOWN : UP);
  const end = await orders.ended;
  assert.deepEqual([end.code, end.details], [status.RESOURCE_EXHAUSTED, 'it says too often how it is']);
  assert.ok((await web.settled()) <= 2, 'one view is in flight, whatever happens meanwhile');
});

test('what is too long, no number or no word in a status is cut or left out, and the stream lives', async (t) => {
  const mesh = await startMesh(t);
  const orders = await mesh.proxy('orders');
  const long = '\u001b'.repeat(100_000);
  await orders.ack(0, {
    status: {
      snapshot: long,
      appHealth: 7 as never,
      viewOrigin: 9 as never,
      appHealthReason: long,
      certificateSerial: 'ZZ',
      requestsPerSecond: Number.NaN,
      inFlight: 4_294_967_295,
      unbound: Array.from({ length: 1_000 }, () => long.slice(0, 500)),
      unreachable: Array.from({ length: 1_000 }, () => ({ cluster: 'a', endpoint: 'b', reason: long.slice(0, 900) })),
      memoryBytes: '18446744073709551615',
    },
  });
  const said = await eventually(() => mesh.statusOf('orders'));
  assert.deepEqual(
    [said.app, said.viewOrigin, said.certificate, said.requestsPerSecond],
    ['not-probed', null, null, 0],
  );
  assert.deepEqual([said.unbound.length, said.unreachable.length], [100, 100]);
  const text = JSON.stringify(said);
  assert.ok(text.length < 120_000);
  assert.doesNotMatch(text, /\\u00/);
  assert.equal(Number.isSafeInteger(said.memory), true);
  await eventually(() => mesh.instances().length === 1);
});
