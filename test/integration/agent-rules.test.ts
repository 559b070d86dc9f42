// The rules of the stream on the proxy's side, each against a control plane that is driven by hand and keeps every message.
import assert from 'node:assert/strict';
import { before, test, type TestContext } from 'node:test';
import { err, ok } from '../../core/kit/result.ts';
import { encodeView } from '../../proto/codec/encode.ts';
import type { DiscoveryRequest__Output } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import { type AgentOptions, type ApplyView, systemClock } from '../../proxy/agent/agent.ts';
import type { ProxyFacts } from '../../proxy/agent/proxy-facts.ts';
import { type RecordingAgent, startAgent } from '../support/discovery-harness.ts';
import { eventually } from '../support/eventually.ts';
import { closedPort, startRawUpstream } from '../support/http-peers.ts';
import { type RecordingServer, startRecordingServer } from '../support/recording-peers.ts';
import { SAMPLE_FACTS } from '../support/sample-facts.ts';
import { sampleEndpoint, sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

interface Pair extends RecordingAgent {
  readonly server: RecordingServer;
  /** Sends a view of these clusters as the response `nonce`. */
  offer(nonce: string, snapshot: string, clusters?: Parameters<typeof sampleView>[1]): void;
  /** Messages that answer this nonce. */
  answers(nonce: string): readonly DiscoveryRequest__Output[];
}

async function pair(t: TestContext, options: Partial<AgentOptions> = {}): Promise<Pair> {
  const server = await startRecordingServer(authority);
  t.after(() => server.close());
  const recording = startAgent(server.port, await authority.svid('orders'), t, options);
  await server.request(0);
  return {
    ...recording,
    server,
    offer: (nonce, snapshot, clusters = {}) =>
      server.send({ nonce, snapshot, resources: encodeView(sampleView(snapshot, clusters)).map(({ wire }) => wire) }),
    answers: (nonce) => server.received.filter(({ responseNonce }) => responseNonce === nonce),
  };
}

const facts = (of: () => ProxyFacts = () => SAMPLE_FACTS): Pick<AgentOptions, 'facts'> => ({
  facts: { refresh: async () => {}, read: of },
});
const statuses = ({ server }: Pair) => server.received.flatMap(({ status }) => status ?? []);

test('the first message says who it is, subscribes to everything of every type, and no later one says it again', async (t) => {
  const { server, offer, answers } = await pair(t);
  const hello = await server.request(0);
  assert.deepEqual(hello.node, { version: '0.1.0', inboundPort: 15_006, address: '' });
  assert.equal(new Set(hello.subscriptions.map(({ type }) => type)).size, 4);
  for (const { subscribe, unsubscribe } of hello.subscriptions) assert.deepEqual([subscribe, unsubscribe], [['*'], []]);
  offer('n1', 's1');
  const [ack] = await eventually(() => (answers('n1').length > 0 ? answers('n1') : null));
  assert.equal(ack?.node, null);
  assert.deepEqual(ack?.subscriptions, []);
});

test('the ACK goes out after the view was applied, not before', async (t) => {
  const gate = Promise.withResolvers<void>();
  let applying = false;
  const { server, offer, answers, agent } = await pair(t, {
    apply: async () => {
      applying = true;
      await gate.promise;
      return ok(undefined);
    },
  });
  offer('n1', 's1');
  await eventually(() => applying);
  await new Promise(setImmediate);
  assert.equal(server.received.length, 1);
  assert.equal(agent.state.snapshot, null);
  gate.resolve();
  await eventually(() => answers('n1').length === 1);
  assert.equal(answers('n1')[0]?.errorDetail, null);
  assert.equal(agent.state.snapshot, 's1');
});

test('a refusal says code, resource and rule, and the old view stays', async (t) => {
  const refusal = { code: 'warm-failed', resource: 'cluster/b', ruleId: 'services.b', message: 'nobody' } as const;
  const apply: ApplyView = async (view) => (view.clusters.has('b') ? err(refusal) : ok(undefined));
  const { offer, answers, agent, applied } = await pair(t, { apply });
  offer('n1', 's1', { a: [] });
  await eventually(() => agent.state.snapshot === 's1');
  offer('n2', 's2', { a: [], b: [] });
  await eventually(() => answers('n2').length === 1);
  assert.deepEqual(answers('n2')[0]?.errorDetail, { ...refusal });
  assert.equal(agent.state.snapshot, 's1');
  assert.deepEqual(
    applied.map(({ snapshot }) => snapshot),
    ['s1'],
  );
});

test('one response is taken at a time, whatever comes meanwhile, and each is answered once', async (t) => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let running = 0;
  let most = 0;
  let began = 0;
  const { server, offer } = await pair(t, {
    apply: async () => {
      most = Math.max(most, ++running);
      await gates[began++]?.promise;
      running -= 1;
      return ok(undefined);
    },
  });
  for (const number of [1, 2, 3]) offer(`n${number}`, `s${number}`, { [`c${number}`]: [] });
  for (const [index, gate] of gates.entries()) {
    await eventually(() => began === index + 1);
    gate.resolve();
    await server.request(index + 1);
  }
  assert.equal(most, 1);
  assert.deepEqual(
    server.received.slice(1).map(({ responseNonce }) => responseNonce),
    ['n1', 'n2', 'n3'],
  );
});

test('a delta changes what it names and nothing else, and a removal is explicit', async (t) => {
  const { server, offer, applied, agent } = await pair(t);
  offer('n1', 's1', { a: [sampleEndpoint('a-1')], b: [sampleEndpoint('b-1')] });
  await eventually(() => agent.state.snapshot === 's1');
  const endpoints = encodeView(sampleView('s2', { b: [sampleEndpoint('b-2')] })).find(
    ({ type }) => type === 'endpoints',
  );
  assert.ok(endpoints);
  server.send({ nonce: 'n2', snapshot: 's2', resources: [endpoints.wire] });
  await eventually(() => agent.state.snapshot === 's2');
  const ids = (index: number) =>
    [...(applied[index]?.endpoints ?? [])].map(([name, of]) => [name, of.endpoints[0]?.id]);
  assert.deepEqual(ids(1), [
    ['a', 'a-1'],
    ['b', 'b-2'],
  ]);
  const removed = (['CLUSTER', 'ENDPOINTS'] as const).map((type) => ({
    type: `RESOURCE_TYPE_${type}` as const,
    name: 'a',
  }));
  server.send({ nonce: 'n3', snapshot: 's3', removed });
  await eventually(() => agent.state.snapshot === 's3');
  assert.deepEqual(ids(2), [['b', 'b-2']]);
});

test('a name that is removed and was never there is acknowledged and changes nothing', async (t) => {
  const { server, offer, answers, agent, applied } = await pair(t);
  offer('n1', 's1', { a: [] });
  await eventually(() => agent.state.snapshot === 's1');
  server.send({ nonce: 'n2', snapshot: 's1', removed: [{ type: 'RESOURCE_TYPE_CLUSTER', name: 'never' }] });
  await eventually(() => answers('n2').length === 1);
  assert.equal(answers('n2')[0]?.errorDetail, null);
  assert.deepEqual([...(applied.at(-1)?.clusters.keys() ?? [])], ['a']);
});

test('after a reconnect it says the versions of what it holds, of the view in force and not of a refused one', async (t) => {
  const { server, offer, answers, agent } = await pair(t, {
    apply: async (view) =>
      view.clusters.has('bad') ? err({ code: 'internal', resource: '', ruleId: '', message: 'no' }) : ok(undefined),
    retry: { base: 1, cap: 1 },
  });
  offer('n1', 's1', { a: [] });
  await eventually(() => agent.state.snapshot === 's1');
  offer('n2', 's2', { a: [], bad: [] });
  await eventually(() => answers('n2').length === 1);
  const again = await eventually(() =>
    server.received.findLast(({ node }) => node !== null && server.received[0]?.node !== node),
  );
  assert.equal(again.responseNonce, '');
  assert.deepEqual(Object.keys(again.subscriptions[0]?.initialResourceVersions ?? {}), ['a']);
});

test('a view without a nonce ends the stream, words that are not known here do not', async (t) => {
  const { server, offer, agent, log } = await pair(t, facts());
  offer('n1', 's1');
  await eventually(() => agent.state.snapshot === 's1');
  server.send({ nonce: '' });
  offer('n2', 's2');
  await eventually(() => agent.state.snapshot === 's2');
  server.send({ nonce: '', snapshot: 's3' });
  await eventually(() => log.lines.some(({ message }) => message.includes('a response without a nonce')));
  assert.equal(agent.state.snapshot, 's2');
});

test('it says how it is beside the first ACK of a stream, and beside the first message of one that comes back', async (t) => {
  const both = await pair(t, facts());
  const { server, offer, answers, agent } = both;
  assert.equal((await server.request(0)).status, null, 'nothing runs yet');
  offer('n1', 's1');
  await eventually(() => answers('n1').length === 1);
  const status = answers('n1')[0]?.status;
  assert.equal(status?.snapshot, 's1');
  assert.equal(status?.viewOrigin, 'VIEW_ORIGIN_STREAM');
  assert.equal(status?.appHealth, 'APP_HEALTH_UP');
  assert.equal(status?.certificateSerial, SAMPLE_FACTS.certificate.serial);
  assert.equal(status?.certificateNotAfter, SAMPLE_FACTS.certificate.notAfter / 1_000);
  assert.ok(Math.abs((status?.clockMs ?? 0) - Date.now()) < 60_000);
  offer('n2', 's2');
  await eventually(() => answers('n2').length === 1);
  assert.equal(answers('n2')[0]?.status, null, 'nothing of it is new');
  agent.setIdentity(await authority.svid('orders'));
  const again = await eventually(() => server.received.filter(({ node }) => node !== null)[1]);
  assert.equal(again.status?.snapshot, 's2');
});

test('an app that goes down is said at once, and so is its return', async (t) => {
  let now = SAMPLE_FACTS;
  const both = await pair(
    t,
    facts(() => now),
  );
  both.offer('n1', 's1');
  await eventually(() => statuses(both).length === 1);
  now = { ...SAMPLE_FACTS, app: { health: 'down', reason: 'connection refused' } };
  both.agent.factsChanged();
  await eventually(() => statuses(both).length === 2);
  now = SAMPLE_FACTS;
  both.agent.factsChanged();
  await eventually(() => statuses(both).length === 3);
  assert.deepEqual(
    statuses(both).map(({ appHealth, appHealthReason }) => [appHealth, appHealthReason]),
    [
      ['APP_HEALTH_UP', ''],
      ['APP_HEALTH_DOWN', 'connection refused'],
      ['APP_HEALTH_UP', ''],
    ],
  );
});

test('a proxy without facts says nothing of itself, as older ones do', async (t) => {
  const both = await pair(t);
  both.offer('n1', 's1');
  await eventually(() => both.answers('n1').length === 1);
  both.agent.factsChanged();
  assert.deepEqual(statuses(both), []);
  assert.equal(await both.agent.drain(60_000), 'away', 'nor does it wait for what nobody will say');
});

test('who drains says so and waits until callers are said to know, while views keep coming', async (t) => {
  const both = await pair(t, facts());
  const { server, offer, answers, agent } = both;
  offer('n1', 's1');
  await eventually(() => answers('n1').length === 1);
  const drained = agent.drain(60_000);
  await eventually(() => statuses(both).at(-1)?.draining === true);
  offer('n2', 's2');
  await eventually(() => answers('n2').length === 1);
  server.send({ nonce: '', drained: true });
  assert.equal(await drained, 'told');
});

test('a control plane that is away, goes away or says nothing is not waited for beyond the limit', async (t) => {
  const both = await pair(t, { ...facts(), backoff: { base: 60_000, cap: 60_000 } });
  both.offer('n1', 's1');
  await eventually(() => both.answers('n1').length === 1);
  assert.equal(await both.agent.drain(20), 'late');
  const waiting = both.agent.drain(60_000);
  both.server.close();
  assert.equal(await waiting, 'away', 'it went');
  assert.equal(await both.agent.drain(60_000), 'away', 'it is gone');
});

test('one that drains says so with the first message of its next stream', async (t) => {
  const both = await pair(t, facts());
  both.offer('n1', 's1');
  await eventually(() => both.answers('n1').length === 1);
  await both.agent.drain(0);
  both.agent.setIdentity(await authority.svid('orders'));
  const again = await eventually(() => both.server.received.filter(({ node }) => node !== null)[1]);
  assert.equal(again.status?.draining, true);
});

test('what was decided is told who asks, on the stream, with the word of the question', async (t) => {
  const decisions = {
    list: (limit: number) => [{ id: 'd2' }, { id: 'd1' }].slice(0, limit),
    find: (id: string) => ({ id }),
  };
  const both = await pair(t, { ...facts(), decisions });
  both.offer('n1', 's1');
  await eventually(() => both.answers('n1').length === 1);
  both.server.send({ nonce: '', ask: { ask: 'q1', requestId: '', limit: 1 } });
  both.server.send({ nonce: '', ask: { ask: 'q2', requestId: 'd7', limit: 0 } });
  const answers = await eventually(() => {
    const found = both.server.received.flatMap(({ answer }) => answer ?? []);
    return found.length === 2 ? found : null;
  });
  assert.deepEqual(answers, [
    { ask: 'q1', decisions: ['{"id":"d2"}'] },
    { ask: 'q2', decisions: ['{"id":"d7"}'] },
  ]);
});

const at = ({ port }: { readonly port: number }) => ({ host: '127.0.0.1', port });

test('of several control planes each is tried before anybody waits', async (t) => {
  const server = await startRecordingServer(authority);
  t.after(() => server.close());
  const { agent } = startAgent(0, await authority.svid('orders'), t, {
    addresses: [at({ port: 1 }), at({ port: 2 }), at(server)],
    backoff: { base: 600_000, cap: 600_000 },
    clock: { ...systemClock, random: () => 0.5 },
  });
  await server.request(0);
  assert.deepEqual(agent.address, at(server));
});

/** What the agent waits between tries, at the upper end of each. */
async function waits(t: TestContext, port: number): Promise<readonly number[]> {
  const waited: number[] = [];
  const clock = {
    ...systemClock,
    random: () => 0.99,
    after: (ms: number, callback: () => void) => {
      // The other timers are of another length.
      if (ms < 1_000) waited.push(ms);
      return systemClock.after(ms, callback);
    },
  };
  startAgent(port, await authority.svid('orders'), t, { backoff: { base: 10, cap: 600 }, clock });
  await eventually(() => waited.length > 7);
  return waited;
}

test('where nobody listens it asks often, so that it is back at once; where somebody hangs up, less and less', async (t) => {
  const often = await waits(t, await closedPort());
  assert.ok(
    often.every((ms) => ms <= 10),
    String(often),
  );
  const rarely = await waits(t, await startRawUpstream(t, (socket) => socket.destroy()));
  assert.ok(Math.max(...rarely) > 100, String(rarely));
});

test('when the control plane that it spoke to is lost, the next one is told what it holds', async (t) => {
  const [first, second] = [await startRecordingServer(authority), await startRecordingServer(authority)];
  t.after(() => second.close());
  const { agent, log } = startAgent(0, await authority.svid('orders'), t, { addresses: [at(first), at(second)] });
  await first.request(0);
  first.send({
    nonce: 'n1',
    snapshot: 's1',
    resources: encodeView(sampleView('s1', { a: [] })).map(({ wire }) => wire),
  });
  await eventually(() => agent.state.snapshot === 's1');
  first.close();
  const hello = await second.request(0);
  assert.deepEqual(Object.keys(hello.subscriptions[0]?.initialResourceVersions ?? {}), ['a']);
  assert.deepEqual(agent.address, at(second));
  const loss = log.lines.find(({ level }) => level === 'warn');
  assert.equal(loss?.fields['address'], `127.0.0.1:${first.port}`);
});
