import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { err, ok } from '../../core/kit/result.ts';
import { encodeView } from '../../proto/codec/encode.ts';
import { startAgent, startDiscovery } from '../support/discovery-harness.ts';
import { eventually } from '../support/eventually.ts';
import { HELLO, openRecordingClient, startRecordingServer } from '../support/recording-peers.ts';
import { sampleEndpoint, sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

test('a proxy that cannot warm a view refuses it and keeps the old one, until there is a newer', async (t) => {
  const discovery = await startDiscovery(authority, t, { locate: (rule) => (rule === '' ? '' : 'weft.yaml:7:3') });
  discovery.setView('orders', sampleView('s1', { payments: [sampleEndpoint('payments-1')] }));
  let dead = 'ledger';
  const { applied, agent } = startAgent(discovery.port, await authority.svid('orders'), t, {
    apply: async (view) =>
      view.clusters.has(dead)
        ? err({ code: 'warm-failed', resource: `cluster/${dead}`, ruleId: `services.${dead}`, message: 'nobody there' })
        : ok(undefined),
  });
  await eventually(() => agent.state.snapshot === 's1');
  const both = { payments: [sampleEndpoint('payments-1')], ledger: [sampleEndpoint('ledger-1', 1)] };
  discovery.setView('orders', sampleView('s2', both));
  const refusal = await eventually(() => agent.state.refusal);
  assert.equal(refusal.code, 'warm-failed');
  assert.equal(agent.state.snapshot, 's1');
  const line = await eventually(() => discovery.log.lines.find(({ message }) => message.startsWith('view refused')));
  assert.equal(line.message, 'view refused: nobody there (weft.yaml:7:3)');
  assert.deepEqual(line.fields, {
    account: 'orders',
    instance: 'orders-1',
    snapshot: 's2',
    code: 'warm-failed',
    resource: 'cluster/ledger',
    rule: 'services.ledger',
    at: 'weft.yaml:7:3',
  });
  // The same again is not sent; the endpoint that comes makes it another view.
  discovery.server.offerAll();
  dead = 'nobody';
  discovery.setView('orders', sampleView('s2', { ...both, ledger: [sampleEndpoint('ledger-1', 2)] }));
  await eventually(() => agent.state.snapshot === 's2');
  assert.equal(agent.state.refusal, null);
  assert.deepEqual(
    applied.map(({ snapshot }) => snapshot),
    ['s1', 's2'],
  );
});

test('a view that is not valid is refused before anything of it is applied', async (t) => {
  const server = await startRecordingServer(authority);
  t.after(() => server.close());
  const { applied, agent } = startAgent(server.port, await authority.svid('orders'), t);
  await server.request(0);
  const good = encodeView(sampleView('s1', { payments: [] })).map(({ wire }) => wire);
  server.send({ nonce: 'n1', snapshot: 's1', resources: good });
  assert.equal((await server.request(1)).errorDetail, null);
  const [cluster] = good;
  const bad = { ...cluster, name: 'ledger', version: '1' };
  server.send({ nonce: 'n2', snapshot: 's2', resources: [bad] });
  const nack = await server.request(2);
  assert.equal(nack.responseNonce, 'n2');
  assert.deepEqual(nack.errorDetail, {
    code: 'view-invalid',
    resource: 'cluster/ledger',
    ruleId: 'services.payments',
    message: "cluster/ledger name: differs from the name inside, 'payments'",
  });
  server.send({
    nonce: 'n3',
    snapshot: 's3',
    resources: [],
    removed: [{ type: 'RESOURCE_TYPE_ENDPOINTS', name: 'payments' }],
  });
  assert.match((await server.request(3)).errorDetail?.message ?? '', /cluster\/payments: needs endpoints\/payments/);
  assert.deepEqual(
    applied.map(({ snapshot }) => snapshot),
    ['s1'],
  );
  assert.equal(agent.state.snapshot, 's1');
  // And the stream lives on.
  server.send({ nonce: 'n4', snapshot: 's4', resources: [] });
  assert.equal((await server.request(4)).errorDetail, null);
  assert.equal(agent.state.snapshot, 's4');
});

test('a proxy whose apply breaks says so and keeps the old view', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const { agent, log } = startAgent(discovery.port, await authority.svid('orders'), t, {
    apply: async () => {
      throw new Error('a secret detail');
    },
  });
  const refusal = await eventually(() => agent.state.refusal);
  assert.deepEqual([refusal.code, refusal.message], ['internal', 'the view could not be applied']);
  assert.ok(log.lines.some(({ level }) => level === 'error'));
});

test('a view that could not be applied is asked for again, on a new stream, until it can', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', { payments: [] }));
  let tries = 0;
  const { agent, applied, log } = startAgent(discovery.port, await authority.svid('orders'), t, {
    retry: { base: 20, cap: 50 },
    apply: async () => {
      if (++tries === 3) return ok(undefined);
      return err({ code: 'address-in-use', resource: '', ruleId: '', message: 'the port is in use' });
    },
  });
  await eventually(() => agent.state.snapshot === 's1');
  assert.equal(applied.length, 1);
  assert.equal(log.lines.filter(({ level }) => level === 'warn').length, 2, 'the two refusals and no loss');
});

test('responses are applied one at a time, in order', async (t) => {
  const server = await startRecordingServer(authority);
  t.after(() => server.close());
  let running = 0;
  let most = 0;
  const { applied } = startAgent(server.port, await authority.svid('orders'), t, {
    apply: async () => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
      return ok(undefined);
    },
  });
  await server.request(0);
  for (const n of [1, 2, 3, 4, 5]) server.send({ nonce: `n${n}`, snapshot: `s${n}`, resources: [] });
  await server.request(5);
  assert.deepEqual(
    server.received.slice(1).map(({ responseNonce }) => responseNonce),
    ['n1', 'n2', 'n3', 'n4', 'n5'],
  );
  assert.equal(most, 1);
  assert.equal(applied.length, 5);
});

test('a stale nonce is ignored and the response in flight stays in flight', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', { a: [] }));
  const client = openRecordingClient(discovery.port, await authority.svid('orders'));
  t.after(() => client.close());
  client.send(HELLO);
  const first = await client.response(0);
  client.send({ responseNonce: first.nonce });
  await eventually(() => discovery.registry.instances().length === 1);
  discovery.setView('orders', sampleView('s2', { b: [] }));
  const second = await client.response(1);
  client.send({ responseNonce: first.nonce, errorDetail: { code: 'warm-failed', message: 'late' } });
  client.send({ responseNonce: 'never-given', errorDetail: { code: 'warm-failed', message: 'wrong' } });
  client.send({ responseNonce: 'never-given' });
  discovery.setView('orders', sampleView('s3', { c: [] }));
  client.send({ responseNonce: second.nonce });
  const third = await client.response(2);
  assert.equal(third.snapshot, 's3');
  assert.ok(!discovery.log.lines.some(({ message }) => message.startsWith('view refused')));
  assert.equal(discovery.log.lines.filter(({ message }) => message.includes('never given')).length, 1);
});

test('changes that come while a proxy is busy reach it as one step', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', { a: [] }));
  const client = openRecordingClient(discovery.port, await authority.svid('orders'));
  t.after(() => client.close());
  client.send(HELLO);
  const first = await client.response(0);
  for (let n = 2; n <= 500; n++) discovery.setView('orders', sampleView(`s${n}`, { a: [], [`b${n}`]: [] }));
  client.send({ responseNonce: first.nonce });
  const second = await client.response(1);
  assert.equal(second.snapshot, 's500');
  assert.deepEqual(
    second.resources.map(({ name }) => name),
    ['b500', 'b500'],
  );
  client.send({ responseNonce: second.nonce });
  await eventually(() => discovery.server.states().some(({ snapshot }) => snapshot === 's500'));
  assert.equal(client.received.length, 2);
});
