import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startControlPlane } from '../../control-plane/start.ts';
import { MeshError } from '../../core/kit/error.ts';
import { eventually } from '../support/eventually.ts';
import { runControlPlaneHere } from '../support/running-control-plane.ts';

const MESH = `version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, calls: [orders] }
  users: { port: 8080 }
  orders:
    port: 8080
    calls: [payments]
    versions: { v1: { instances: 1 }, v2: { instances: 1 } }
  payments: { port: 8082 }
edges:
  main:
    listeners: [{ port: 8443, hosts: [api.shop.test], tls: internal }]
    routes: [{ match: /api/orders/**, to: orders@v2 }]
`;

test('a sidecar that joined by token is told what it calls and nothing else', async (t) => {
  const mesh = await runControlPlaneHere(t, MESH);
  const payments = await mesh.sidecar({ account: 'payments', instance: 'payments-1' }, 4_001);
  await eventually(() => payments.agent.state.snapshot);
  const orders = await mesh.sidecar({ account: 'orders', version: 'v2', instance: 'orders-1' }, 4_002);
  const view = await eventually(() => orders.applied.at(-1));
  assert.deepEqual([...view.clusters.keys()], ['payments']);
  assert.deepEqual([...view.listeners.keys()].sort(), ['inbound', 'outbound/payments']);
  assert.deepEqual([...view.routes.keys()], ['outbound/payments']);
  assert.deepEqual(view.endpoints.get('payments')?.endpoints, [
    { id: 'payments-1', host: '127.0.0.1', port: 4_001, weight: 1 },
  ]);
  const users = await mesh.sidecar({ account: 'users' });
  const own = await eventually(() => users.applied.at(-1));
  assert.deepEqual([[...own.clusters.keys()], [...own.listeners.keys()]], [[], ['inbound']]);
});

test('an edge is told its routes, and instances of one version as they come and go', async (t) => {
  const mesh = await runControlPlaneHere(t, MESH);
  const edge = await mesh.sidecar({ account: 'edge-main' }, 0);
  const endpoints = () =>
    edge.applied
      .at(-1)
      ?.endpoints.get('orders@v2')
      ?.endpoints.map(({ id }) => id);
  assert.deepEqual(await eventually(endpoints), []);
  const v1 = await mesh.sidecar({ account: 'orders', version: 'v1', instance: 'orders-1' });
  const v2 = await mesh.sidecar({ account: 'orders', version: 'v2', instance: 'orders-2' });
  await eventually(() => endpoints()?.join() === 'orders-2');
  await v1.agent.close();
  await v2.agent.close();
  await eventually(() => endpoints()?.length === 0);
});

test('an edit is live in every proxy that it concerns within a second', async (t) => {
  const mesh = await runControlPlaneHere(t, MESH);
  const orders = await mesh.sidecar({ account: 'orders' });
  const users = await mesh.sidecar({ account: 'users' });
  await eventually(() => orders.agent.state.snapshot !== null && users.agent.state.snapshot !== null);
  const began = performance.now();
  await mesh.edit(MESH.replace('calls: [payments]', 'calls: [payments, users]'));
  await eventually(() => orders.applied.at(-1)?.clusters.has('users'));
  assert.ok(performance.now() - began < 1_000);
  const inbound = await eventually(() => {
    const listener = users.applied.at(-1)?.listeners.get('inbound');
    return listener?.kind === 'inbound' && listener.policy.callers.length > 0 ? listener : null;
  });
  assert.deepEqual(inbound.policy.callers, [
    { identity: 'spiffe://shop.test/ns/default/sa/orders', ruleId: 'services.orders.calls[1]' },
  ]);
});

test('an edit that is not valid changes nothing and every error of it is said with its place', async (t) => {
  const mesh = await runControlPlaneHere(t, MESH);
  const orders = await mesh.sidecar({ account: 'orders' });
  await eventually(() => orders.agent.state.snapshot);
  await mesh.edit(MESH.replace('calls: [payments]', 'calls: [paymets]').replace('to: orders@v2', 'to: odrers'));
  await eventually(() => mesh.log.lines.some(({ message }) => message.includes('the configuration before it stays')));
  const errors = mesh.log.lines.filter(({ level }) => level === 'error');
  assert.equal(errors.length, 2);
  assert.match(errors[0]?.message ?? '', /weft\.yaml:8:\d+: error: .*paymets.*payments/);
  assert.match(errors[1]?.message ?? '', /weft\.yaml:14:\d+: error: .*odrers.*orders/);
  assert.equal(orders.applied.length, 1);
  assert.equal(mesh.plane.facts.counts.invalidConfigs, 1);
  await mesh.edit(MESH.replace('calls: [payments]', 'calls: [users]'));
  await eventually(() => orders.applied.at(-1)?.clusters.has('users'));
});

test('an edit that means the same pushes nothing', async (t) => {
  const mesh = await runControlPlaneHere(t, MESH);
  const orders = await mesh.sidecar({ account: 'orders' });
  await eventually(() => mesh.plane.facts.instances().length === 1);
  const acks = mesh.plane.facts.counts.acks;
  await mesh.edit(`# a comment\n${MESH.replace('{ port: 8080 }', '{\n    port: 8080 }')}`);
  await eventually(() => mesh.log.lines.some(({ message }) => message === 'the edit changes nothing'));
  assert.deepEqual([orders.applied.length, mesh.plane.facts.counts.acks], [1, acks]);
});

test('a refusal is said with the line of the config that it comes from', async (t) => {
  const mesh = await runControlPlaneHere(t, MESH);
  const { agent } = await mesh.sidecar({ account: 'orders', instance: 'orders-1' }, 4_001, async (view) => {
    const cluster = view.clusters.get('payments') ?? assert.fail();
    const fault = { resource: 'cluster/payments', ruleId: cluster.ruleId, message: 'nobody answers' };
    return { ok: false, error: { code: 'warm-failed', ...fault } };
  });
  const line = await eventually(() => mesh.log.lines.find(({ message }) => message.startsWith('view refused')));
  assert.match(line.message, /^view refused: nobody answers \(.*weft\.yaml:10:3\)$/);
  assert.equal(line.fields['rule'], 'services.payments');
  assert.equal(mesh.plane.facts.counts.nacks, 1);
  assert.deepEqual(mesh.plane.facts.instances(), [], 'who runs nothing is called by nobody');
  assert.equal(agent.state.snapshot, null);
});

test('a restarted control plane is found again with what it issued before', async (t) => {
  const mesh = await runControlPlaneHere(t, MESH);
  const orders = await mesh.sidecar({ account: 'orders', instance: 'orders-1' });
  await eventually(() => mesh.plane.facts.instances().length === 1);
  await mesh.plane.close();
  await eventually(() => !orders.agent.state.connected);
  const again = await startControlPlane(
    {
      config: [join(mesh.folder, 'weft.yaml')],
      caDir: join(mesh.folder, 'ca'),
      stateDir: join(mesh.folder, 'control-plane'),
      discovery: mesh.port('discovery'),
      join: mesh.port('join'),
      status: { host: '127.0.0.1', port: 0 },
    },
    { log: mesh.log, settle: 0 },
  );
  t.after(() => again.close());
  await eventually(() => again.facts.instances().some(({ instance }) => instance === 'orders-1'));
  assert.equal(orders.applied.length, 1);
});

test('a restarted control plane sends news at once, and keeps the instances that are not back yet for a while', async (t) => {
  const mesh = await runControlPlaneHere(t, MESH);
  const orders = await mesh.sidecar({ account: 'orders', version: 'v1', instance: 'orders-1' }, 4_001);
  await eventually(() => mesh.plane.facts.instances().length === 1);
  const web = await mesh.sidecar({ account: 'web', instance: 'web-1' });
  const endpoints = () =>
    web.applied
      .at(-1)
      ?.endpoints.get('orders')
      ?.endpoints.map(({ id }) => id);
  await eventually(() => endpoints()?.[0] === 'orders-1');
  await mesh.plane.close();
  await eventually(() => !orders.agent.state.connected && !web.agent.state.connected);
  // Without a control plane it can tell nobody that it goes.
  await orders.agent.close();
  await mesh.edit(MESH.replace('calls: [orders]', 'calls: [orders], timeout: 3s'));
  const settings = { discovery: mesh.port('discovery'), join: mesh.port('join'), status: mesh.port('status') };
  const caDir = join(mesh.folder, 'ca');
  const stateDir = join(mesh.folder, 'control-plane');
  const again = await startControlPlane(
    { config: [join(mesh.folder, 'weft.yaml')], caDir, stateDir, ...settings },
    { log: mesh.log, grace: 300, settle: 2_000 },
  );
  t.after(() => again.close());
  await eventually(() => web.agent.state.snapshot === again.facts.snapshot(), 1_500);
  assert.deepEqual(endpoints(), ['orders-1']);
  assert.deepEqual(
    again.facts
      .instances()
      .map(({ instance }) => instance)
      .sort(),
    ['orders-1', 'web-1'],
  );
  await eventually(() => endpoints()?.length === 0, 5_000);
});

test('operators see proxies, instances and the snapshot, scrapers see counts', async (t) => {
  const mesh = await runControlPlaneHere(t, MESH);
  const orders = await mesh.sidecar({ account: 'orders', version: 'v1', instance: 'orders-1' }, 4_001);
  const hash = await eventually(() => orders.agent.state.snapshot);
  await eventually(() => mesh.plane.facts.counts.acks > 0);
  const page = (path: string) => get({ socketPath: mesh.plane.admin, path });
  assert.deepEqual(JSON.parse(await page('/snapshot')), { snapshot: hash });
  assert.deepEqual(JSON.parse(await page('/ready')), { ready: true });
  const instance = {
    account: 'orders',
    version: 'v1',
    instance: 'orders-1',
    address: '127.0.0.1',
    inboundPort: 4_001,
  };
  assert.deepEqual(JSON.parse(await page('/instances')), { instances: [instance] });
  const [proxy] = JSON.parse(await page('/proxies')).proxies;
  const { since, notAfter, status, ...rest } = proxy;
  assert.deepEqual(rest, { ...instance, proxyVersion: '0.1.0', snapshot: hash, refusal: null, held: false });
  assert.ok(since <= Date.now() && notAfter > Date.now());
  assert.ok(status === null || status.snapshot === hash);
  const { host, port } = mesh.port('status');
  assert.equal(await get({ host, port, path: '/readyz' }), 'ready\n');
  const metrics = await get({ host, port, path: '/metrics' });
  assert.match(metrics, /^weft_control_plane_proxies 1$/m);
  assert.match(metrics, /^weft_control_plane_instances 1$/m);
  assert.match(metrics, /^weft_control_plane_instances_held 0$/m);
  assert.match(metrics, /^weft_discovery_nacks_total 0$/m);
  assert.match(metrics, /^weft_discovery_acks_total 1$/m);
  assert.ok(metrics.includes(`weft_control_plane_snapshot_info{snapshot="${hash}"} 1`));
});

test('a control plane that cannot start says why and leaves nothing open', async (t) => {
  const codeOf = async (yaml: string, trustDomain?: string) => {
    const error = await runControlPlaneHere(t, yaml, trustDomain === undefined ? {} : { trustDomain }).then(
      () => null,
      (cause: unknown) => cause,
    );
    assert.ok(error instanceof MeshError);
    return `${error.code}: ${error.detail}`;
  };
  assert.match(await codeOf('version: 1\nservices: { a: { prt: 1 } }'), /^config-invalid: .*weft\.yaml:2:\d+.*prt/);
  assert.match(
    await codeOf(MESH, 'other.test'),
    /^config-invalid: .*weft\.yaml:2:\d+: error: mesh\.trustDomain: .*"shop\.test".*"other\.test"/,
  );
});

function get(options: { host?: string; port?: number; socketPath?: string; path: string }): Promise<string> {
  return new Promise((done, fail) => {
    const sent = request({ ...options, agent: false }, (response) => text(response).then(done, fail));
    sent.once('error', fail);
    sent.end();
  });
}
