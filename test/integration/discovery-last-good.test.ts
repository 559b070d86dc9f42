import assert from 'node:assert/strict';
import { before, test, type TestContext } from 'node:test';
import { fakeTimers } from '../support/fake-timers.ts';
import { eventually } from '../support/eventually.ts';
import { endpointsIn, fakeProxy, UP } from '../support/fake-proxy.ts';
import { type HarnessOptions, startDiscovery } from '../support/discovery-harness.ts';
import { sampleEndpoint, sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

const A1 = [sampleEndpoint('a-1')];
const A2 = [sampleEndpoint('a-2')];
/** What the second snapshot has and the first has not. */
const BAD = { bad: [sampleEndpoint('bad-1')] };

async function startMesh(t: TestContext, options: HarnessOptions = {}) {
  const discovery = await startDiscovery(authority, t, options);
  discovery.setView('orders', sampleView('s1', { a: A1 }));
  const mesh = { ...discovery, authority };
  return {
    ...mesh,
    proxy: (instance: string) => fakeProxy(t, mesh, 'orders', { instance }),
    refusalOf: (instance: string) => discovery.server.states().find((one) => one.instance === instance)?.refusal,
  };
}

type Mesh = Awaited<ReturnType<typeof startMesh>>;

/** `orders-1` runs s1 and has refused s2. */
async function refused(mesh: Mesh, code?: string) {
  const first = await mesh.proxy('orders-1');
  await first.ack(0, { status: UP });
  mesh.setView('orders', sampleView('s2', { a: A1, ...BAD }));
  await first.nack(1, code);
  await eventually(() => mesh.refusalOf('orders-1'));
  return first;
}

const names = ({ resources }: { resources: { name: string }[] }) => resources.map(({ name }) => name);

test('a snapshot that a proxy has refused is not sent to it again, a newer one is', async (t) => {
  const mesh = await startMesh(t);
  const first = await refused(mesh);
  mesh.server.offerAll();
  mesh.setView('orders', sampleView('s2', { a: A1, ...BAD }));
  assert.equal(await first.settled(), 2);
  mesh.setView('orders', sampleView('s3', { a: A1, c: [] }));
  const third = await first.ack(2);
  assert.deepEqual([third.snapshot, names(third)], ['s3', ['c', 'c']]);
  await eventually(() => mesh.refusalOf('orders-1') === null);
});

test('who has refused a snapshot still learns which instances of its old view came and went', async (t) => {
  const mesh = await startMesh(t);
  const first = await refused(mesh);
  mesh.setView('orders', sampleView('s2', { a: A2, bad: [sampleEndpoint('bad-2')] }));
  const third = await first.ack(2);
  assert.deepEqual([third.snapshot, endpointsIn(third), third.removed], ['s1', { a: ['a-2'] }, []]);
  assert.equal(await first.settled(), 3);
  assert.notEqual(mesh.refusalOf('orders-1'), null, 'the newest snapshot is still refused');
});

test('newcomers get the last view that one of their account acknowledged, with the instances of today', async (t) => {
  const mesh = await startMesh(t);
  await refused(mesh);
  const second = await mesh.proxy('orders-2');
  const view = await second.ack(0, { status: UP });
  assert.deepEqual([view.snapshot, names(view)], ['s1', ['a', 'a']]);
  assert.equal(await second.settled(), 1, 'and not the refused one after it');
  mesh.setView('orders', sampleView('s2', { a: A2, ...BAD }));
  assert.deepEqual(endpointsIn(await second.ack(1)), { a: ['a-2'] });
  mesh.setView('orders', sampleView('s3', { a: A2 }));
  assert.equal((await second.ack(2)).snapshot, 's3');
});

test('one acknowledgement is enough to take a snapshot for good', async (t) => {
  const mesh = await startMesh(t);
  const second = await mesh.proxy('orders-2');
  await second.ack(0, { status: UP });
  await refused(mesh);
  const third = await mesh.proxy('orders-3');
  assert.equal((await third.ack(0, { status: UP })).snapshot, 's1');
  await second.ack(1);
  assert.equal((await third.ack(1)).snapshot, 's2', 'who had to do with the older one gets it');
  const fourth = await mesh.proxy('orders-4');
  assert.equal((await fourth.view(0)).snapshot, 's2');
});

test('accounts are apart: what one refuses, another gets', async (t) => {
  const mesh = await startMesh(t);
  mesh.setView('users', sampleView('s2', { a: A1 }));
  await refused(mesh);
  const users = await fakeProxy(t, mesh, 'users');
  assert.equal((await users.view(0)).snapshot, 's2');
});

test('where nobody has acknowledged anything, newcomers get what there is', async (t) => {
  const mesh = await startMesh(t);
  const first = await mesh.proxy('orders-1');
  await first.nack(0);
  await eventually(() => mesh.refusalOf('orders-1'));
  const second = await mesh.proxy('orders-2');
  assert.equal((await second.view(0)).snapshot, 's1');
});

test('a newcomer that refuses the older view too is tried with the newest, and then left alone', async (t) => {
  const mesh = await startMesh(t);
  await refused(mesh);
  const second = await mesh.proxy('orders-2');
  await second.nack(0);
  assert.equal((await second.view(1)).snapshot, 's2');
  await second.nack(1);
  second.report(UP);
  assert.equal(await second.settled(), 2);
});

test('a view that was refused for what this proxy met is sent again with other instances', async (t) => {
  const mesh = await startMesh(t);
  const first = await refused(mesh, 'warm-failed');
  mesh.setView('orders', sampleView('s2', { a: A1, bad: [sampleEndpoint('bad-2')] }));
  const third = await first.ack(2);
  assert.deepEqual([third.snapshot, names(third)], ['s2', ['bad', 'bad']]);
});

test('who runs an older view for a reason that may pass is tried with the newest again, later and later', async (t) => {
  const timers = fakeTimers();
  const mesh = await startMesh(t, { after: timers.after });
  const first = await refused(mesh, 'warm-failed');
  mesh.setView('orders', sampleView('s2', { a: A2, ...BAD }));
  await first.nack(2, 'warm-failed');
  const older = await first.ack(3);
  assert.deepEqual([older.snapshot, endpointsIn(older)], ['s1', { a: ['a-2'] }]);
  await first.settled();
  timers.advance(5_000);
  assert.equal((await first.view(4)).snapshot, 's2');
  await first.nack(4, 'warm-failed');
  await first.settled();
  timers.advance(60_000);
  assert.equal(await first.settled(), 5, 'the same endpoints: its agent asks again on a stream of its own');
});

test('one that cannot run what its siblings run goes on with its own view, and is no measure for newcomers', async (t) => {
  const mesh = await startMesh(t);
  const second = await mesh.proxy('orders-2');
  await second.ack(0, { status: UP });
  const first = await refused(mesh);
  await second.ack(1);
  await second.settled();
  mesh.setView('orders', sampleView('s2', { a: A2, ...BAD }));
  const own = await first.ack(2);
  assert.deepEqual([own.snapshot, endpointsIn(own)], ['s1', { a: ['a-2'] }]);
  await first.settled();
  const third = await mesh.proxy('orders-3');
  await third.nack(0);
  await eventually(() => mesh.refusalOf('orders-3'));
  const fourth = await mesh.proxy('orders-4');
  assert.equal((await fourth.view(0)).snapshot, 's2');
});
