// The rules of the stream on the control plane's side that no other file has, each against a proxy that records everything.
import assert from 'node:assert/strict';
import { before, test, type TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import { encodeView } from '../../proto/codec/encode.ts';
import type { View } from '../../core/model/view.ts';
import { startDiscovery } from '../support/discovery-harness.ts';
import { eventually } from '../support/eventually.ts';
import { endpointsIn, fakeProxy, UP } from '../support/fake-proxy.ts';
import { fakeTimers } from '../support/fake-timers.ts';
import { HELLO } from '../support/recording-peers.ts';
import { sampleEndpoint, sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

async function startMesh(t: TestContext, view: View) {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', view);
  return { ...discovery, authority };
}

const names = ({ resources }: { resources: { name: string }[] }) => resources.map(({ name }) => name);
const node = HELLO.node ?? null;

/** The first message of a proxy that holds this view from before. */
function resumed(view: View): typeof HELLO {
  const held = encodeView(view);
  const versions = (type: string) =>
    Object.fromEntries(held.filter((one) => one.type === type).map(({ name, version }) => [name, version]));
  return {
    node,
    subscriptions: (['cluster', 'endpoints', 'listener', 'routes'] as const).map((type) => ({
      type: `RESOURCE_TYPE_${type.toUpperCase()}` as 'RESOURCE_TYPE_CLUSTER',
      subscribe: ['*'],
      initialResourceVersions: versions(type),
    })),
  };
}

test('a type that was never named gets nothing', async (t) => {
  const mesh = await startMesh(t, sampleView('s1', { a: [] }));
  const hello = { node, subscriptions: [{ type: 'RESOURCE_TYPE_ENDPOINTS' as const, subscribe: ['*'] }] };
  const proxy = await fakeProxy(t, mesh, 'orders', { hello });
  assert.deepEqual(
    (await proxy.ack(0)).resources.map(({ body }) => body),
    ['endpoints'],
  );
});

test('who says only who it is gets nothing at all, until it asks', async (t) => {
  const mesh = await startMesh(t, sampleView('s1', { a: [] }));
  const proxy = await fakeProxy(t, mesh, 'orders', { hello: { node, status: UP } });
  assert.equal(await proxy.settled(), 0);
  proxy.send({ subscriptions: [...(HELLO.subscriptions ?? [])] });
  assert.deepEqual(names(await proxy.view(0)), ['a', 'a']);
});

test('an answer is a refusal where error_detail is there, also with nothing in it, and only there', async (t) => {
  const mesh = await startMesh(t, sampleView('s1', { a: [] }));
  const proxy = await fakeProxy(t, mesh, 'orders');
  const { nonce } = await proxy.view(0);
  proxy.send({ responseNonce: nonce, errorDetail: {} });
  await eventually(() => mesh.server.states().some(({ refusal }) => refusal !== null));
  mesh.setView('orders', sampleView('s2', { a: [] }));
  await proxy.ack(1);
  await eventually(() => mesh.server.states().some(({ snapshot, refusal }) => snapshot === 's2' && refusal === null));
});

test('a nonce does not survive its stream', async (t) => {
  const mesh = await startMesh(t, sampleView('s1', { a: [] }));
  const first = await fakeProxy(t, mesh, 'orders');
  const { nonce } = await first.view(0);
  first.close();
  const second = await fakeProxy(t, mesh, 'orders');
  await second.view(0);
  second.send({ responseNonce: nonce, status: UP });
  assert.equal(await second.settled(), 1);
  assert.deepEqual(mesh.registry.instances(), [], 'nothing was acknowledged');
});

test('who comes back with its versions gets no body where nothing changed, and else the difference alone', async (t) => {
  const before = sampleView('s1', { a: [sampleEndpoint('a-1')], b: [], gone: [] });
  const mesh = await startMesh(t, before);
  const same = await fakeProxy(t, mesh, 'orders', { instance: 'orders-1', hello: resumed(before) });
  const nothing = await same.ack(0);
  assert.deepEqual([nothing.snapshot, nothing.resources, nothing.removed], ['s1', [], []]);
  mesh.setView('orders', sampleView('s2', { a: [sampleEndpoint('a-2')], b: [], c: [] }));
  const late = await fakeProxy(t, mesh, 'orders', { instance: 'orders-2', hello: resumed(before) });
  const step = await late.view(0);
  assert.deepEqual([step.snapshot, names(step), endpointsIn(step)], ['s2', ['c', 'a', 'c'], { a: ['a-2'], c: [] }]);
  assert.deepEqual(
    step.removed.map(({ name }) => name),
    ['gone', 'gone'],
  );
});

test('a later message that says again who it is changes nothing', async (t) => {
  const mesh = await startMesh(t, sampleView('s1', {}));
  const proxy = await fakeProxy(t, mesh, 'orders');
  await proxy.ack(0, { node: { version: '0.9.0', inboundPort: 99 }, status: UP });
  await proxy.settled();
  assert.deepEqual(
    mesh.registry.instances().map(({ inboundPort }) => inboundPort),
    [15_006],
  );
  assert.equal(mesh.server.states()[0]?.proxyVersion, '0.1.0');
});

test('who opens a stream and says nothing is refused after ten seconds', async (t) => {
  const timers = fakeTimers();
  const discovery = await startDiscovery(authority, t, { after: timers.after });
  discovery.setView('orders', sampleView('s1', {}));
  const mesh = { ...discovery, authority };
  const silent = await fakeProxy(t, mesh, 'orders', { instance: 'orders-1', hello: null });
  const speaks = await fakeProxy(t, mesh, 'orders', { instance: 'orders-2' });
  await speaks.ack(0, { status: UP });
  await eventually(() => discovery.server.states().length === 2);
  await speaks.settled();
  timers.advance(10_000);
  const end = await silent.ended;
  assert.deepEqual([end.code, end.details], [status.DEADLINE_EXCEEDED, 'nothing was said on the stream']);
  assert.deepEqual(
    discovery.server.states().map(({ instance }) => instance),
    ['orders-2'],
  );
});

test('questions are answered by the proxy that is asked, and bounded in number, time and size', async (t) => {
  const timers = fakeTimers();
  const discovery = await startDiscovery(authority, t, { after: timers.after });
  discovery.setView('orders', sampleView('s1', {}));
  const proxy = await fakeProxy(t, { ...discovery, authority }, 'orders');
  const ask = (limit = 2) => discovery.server.ask('orders-1', { requestId: 'r1', limit });
  await proxy.ack(0);
  await eventually(() => discovery.registry.instances().length === 1);
  assert.deepEqual(await ask(), { ok: false, error: 'its version does not answer questions' });
  proxy.report(UP);
  await proxy.settled();
  const question = async (index: number) => (await eventually(() => proxy.notices()[index])).ask ?? assert.fail();
  const good = ask();
  const { ask: id, requestId, limit } = await question(1);
  assert.deepEqual([requestId, limit], ['r1', 2]);
  proxy.send({ answer: { ask: 'another', decisions: ['{}'] } });
  const decisions = ['{"id":"1"}', 'no json', '{"id":"2"}', '{"id":"3"}', '[]', `"${'x'.repeat(100_000)}"`];
  proxy.send({ answer: { ask: id, decisions } });
  assert.deepEqual(await good, { ok: true, value: [{ id: '1' }] }, 'two were asked for, and one of the two is none');
  const open = [ask(), ask(), ask(), ask()];
  assert.deepEqual(await ask(), { ok: false, error: 'it has not answered earlier questions' });
  await question(5);
  timers.advance(2_000);
  assert.deepEqual(
    await Promise.all(open),
    Array.from(open, () => ({ ok: false, error: 'no answer within 2 s' })),
  );
  const last = ask();
  await question(6);
  proxy.close();
  assert.deepEqual(await last, { ok: false, error: 'its stream was lost' });
  assert.deepEqual(await discovery.server.ask('nobody', { requestId: '', limit: 1 }), {
    ok: false,
    error: 'no proxy nobody is connected',
  });
});

test('what a refusal says goes into logs and onto terminals in bounds and without control characters', async (t) => {
  const mesh = await startMesh(t, sampleView('s1', {}));
  const proxy = await fakeProxy(t, mesh, 'orders');
  const { nonce } = await proxy.view(0);
  const errorDetail = { code: 'view-invalid', message: `\u001b[2J\r\n${'x'.repeat(100_000)}`, resource: '\u0007' };
  proxy.send({ responseNonce: nonce, errorDetail });
  const refusal = await eventually(() => mesh.server.states()[0]?.refusal);
  assert.match(refusal.message, /^ \[2J {2}x{1000,1100}$/);
  const line = await eventually(() => mesh.log.lines.find(({ message }) => message.startsWith('view refused')));
  assert.doesNotMatch(JSON.stringify([line.message, line.fields]), /\\u00|\\r|\\n/);
});
