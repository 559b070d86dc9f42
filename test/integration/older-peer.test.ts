// What an older proxy and an older control plane said to each other, byte by byte, said again to those of today; and a
// newer one.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { compileSnapshot } from '../../core/compile/snapshot.ts';
import { viewFor } from '../../core/compile/view.ts';
import { parseConfig } from '../../core/config/parse.ts';
import { err, ok } from '../../core/kit/result.ts';
import type { View } from '../../core/model/view.ts';
import { loadServices } from '../../proto/codec/services.ts';
import { startAgent, startDiscovery } from '../support/discovery-harness.ts';
import { eventually } from '../support/eventually.ts';
import { HELLO, openRecordingClient, startRecordingServer } from '../support/recording-peers.ts';
import { SAMPLE_FACTS } from '../support/sample-facts.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

interface Recording {
  readonly configurations: readonly string[];
  readonly messages: readonly { readonly stream: number; readonly from: string; readonly bytes: string }[];
}

const RECORDED = new URL('../fixtures/older-peer/before-status.json', import.meta.url);
const recording: Recording = JSON.parse(readFileSync(RECORDED, 'utf8'));
const { Stream } = loadServices().discovery;

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

const bytesOf = (stream: number, from: string) =>
  recording.messages
    .filter((one) => one.stream === stream && one.from === from)
    .map(({ bytes }) => Buffer.from(bytes, 'base64'));

/** The view of `orders` under one of the configurations, as it is compiled today. */
function viewAt(step: number): View {
  const parsed = parseConfig([{ name: 'weft.yaml', text: recording.configurations[step] ?? '' }]);
  assert.ok(parsed.ok);
  const compiled = compileSnapshot(parsed.value.mesh, (text) => createHash('sha256').update(text).digest('hex'));
  assert.ok(compiled.ok);
  const view = viewFor(compiled.value, 'orders', (cluster) => [
    { id: `${cluster}-1`, host: '127.0.0.1', port: 15_006, weight: 1 },
  ]);
  return view ?? assert.fail();
}

test('an older proxy gets its views, refuses one, comes back after a restart and says goodbye', async (t) => {
  const discovery = await startDiscovery(authority, t, { run: 'recorded' });
  const identity = await authority.svid('orders');
  const state = () => discovery.server.states()[0];
  const open = () => {
    const queue: Buffer[] = [];
    const client = openRecordingClient(discovery.port, identity, () => queue.shift() ?? assert.fail());
    t.after(() => client.close());
    const say = (bytes: Buffer | undefined) => {
      queue.push(bytes ?? assert.fail());
      client.send({});
    };
    return { ...client, say };
  };
  const [hello, ...answers] = bytesOf(1, 'proxy');
  const first = open();
  const views = [0, 1, 2, 3].map(viewAt);
  discovery.setView('orders', views[0] ?? null);
  first.say(hello);
  for (const [index, answer] of answers.entries()) {
    if (index > 0) discovery.setView('orders', views[index] ?? null);
    const response = await first.response(index);
    assert.equal(response.snapshot, views[index]?.snapshot);
    assert.equal(Stream.requestDeserialize(answer).responseNonce, response.nonce, 'nonces count up as they did');
    first.say(answer);
    await eventually(() => state()?.refusal?.code === (index === 2 ? 'view-invalid' : undefined));
    await eventually(() => state()?.snapshot === views[index === 2 ? 1 : index]?.snapshot);
  }
  assert.equal(first.received.length, 4);
  assert.deepEqual(first.received[1]?.removed.map(({ name }) => name).sort(), [
    'outbound/users',
    'outbound/users',
    'users',
    'users',
  ]);
  assert.equal(state()?.status, null);
  assert.deepEqual(
    discovery.registry.instances().map(({ instance }) => instance),
    ['orders-1'],
  );
  const [again, , goodbye] = bytesOf(2, 'proxy');
  const second = open();
  discovery.setView('orders', views[0] ?? null);
  second.say(again);
  const response = await second.response(0);
  assert.equal(response.snapshot, views[0]?.snapshot);
  assert.ok(!response.resources.some(({ name }) => name === 'payments'), 'what it holds is not sent again');
  second.say(goodbye);
  await eventually(() => discovery.registry.instances().length === 0);
});

test('an older control plane is understood, and is told nothing that it would take for an answer', async (t) => {
  const responses = bytesOf(1, 'control-plane');
  const nonces = responses.map((bytes) => Stream.responseDeserialize(bytes).nonce);
  const serialize = ({ nonce }: { nonce?: string }) => responses[nonces.indexOf(nonce ?? '')] ?? assert.fail();
  const server = await startRecordingServer(authority, authority.server, serialize);
  t.after(() => server.close());
  const { agent, applied } = startAgent(server.port, await authority.svid('orders'), t, {
    facts: { refresh: async () => {}, read: () => SAMPLE_FACTS },
    apply: async (view) =>
      view.clusters.has('bad')
        ? err({ code: 'view-invalid', resource: 'cluster/bad', ruleId: 'services.bad', message: 'bad' })
        : ok(undefined),
  });
  await server.request(0);
  for (const [index, nonce] of nonces.entries()) {
    server.send({ nonce });
    const answer = await server.request(index + 1);
    assert.equal(answer.responseNonce, nonce);
    assert.equal(answer.errorDetail?.code ?? null, index === 2 ? 'view-invalid' : null);
  }
  assert.equal(agent.state.snapshot, Stream.responseDeserialize(responses.at(-1) ?? assert.fail()).snapshot);
  assert.deepEqual(
    applied.map(({ clusters }) => [...clusters.keys()]),
    [
      ['payments', 'users'],
      ['payments', 'stock'],
      ['payments', 'users'],
    ],
  );
});

test('a newer proxy, which says more than is known here, is served what is known', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', viewAt(0));
  // Field 99 of the request with a text, a type that is to come, and a next minor version.
  const more = Buffer.from([0x9a, 0x06, 3, 0x61, 0x62, 0x63, 0x12, 5, 8, 9, 0x12, 1, 0x2a]);
  const client = openRecordingClient(discovery.port, await authority.svid('orders'), (request) =>
    Buffer.concat([Stream.requestSerialize(request), more]),
  );
  t.after(() => client.close());
  client.send({ ...HELLO, node: { version: '0.2.0', inboundPort: 15_006 } });
  const response = await client.response(0);
  assert.deepEqual(
    response.resources.filter(({ body }) => body === 'cluster').map(({ name }) => name),
    ['payments', 'users'],
  );
  client.send({ responseNonce: response.nonce });
  await eventually(() => discovery.registry.instances().length === 1);
});
