// A proxy that starts while the control plane is away, slow or at odds with it: the view that it ran before.
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test, type TestContext } from 'node:test';
import type { View } from '../../core/model/view.ts';
import { encodeView } from '../../proto/codec/encode.ts';
import { loadServices } from '../../proto/codec/services.ts';
import type { Refusal } from '../../proxy/agent/agent.ts';
import { ViewFile } from '../../proxy/agent/view-file.ts';
import { startAgent, startDiscovery, type RecordingAgent } from '../support/discovery-harness.ts';
import { eventually } from '../support/eventually.ts';
import { closedPort } from '../support/http-peers.ts';
import { recordingLog } from '../support/recording-log.ts';
import { startRecordingServer } from '../support/recording-peers.ts';
import { runControlPlaneHere } from '../support/running-control-plane.ts';
import { sampleEndpoint, sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority, type TestIdentity } from '../support/test-authority.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

const FIRST = sampleView('s1', { a: [sampleEndpoint('a-1')], b: [] });
const SECOND = sampleView('s2', { a: [sampleEndpoint('a-2')] });

function storeIn(stateDir: string, identity: TestIdentity): ViewFile {
  const codec = loadServices().discovery.Stream;
  return new ViewFile({ stateDir, owner: identity, program: '0.1.0', codec, log: recordingLog() });
}

interface Kept {
  readonly identity: TestIdentity;
  readonly folder: string;
  /** A new process, as far as the agent can tell. */
  restart(port: number, apply?: (view: View, origin: string) => Refusal | null): RecordingAgent;
}

/** A proxy that ran FIRST and ended. */
async function ranBefore(t: TestContext): Promise<Kept> {
  const identity = await authority.svid('orders');
  const folder = await temporaryFolder(t);
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', FIRST);
  const { agent } = startAgent(discovery.port, identity, t, { store: storeIn(folder, identity) });
  await eventually(() => agent.state.snapshot === 's1');
  assert.deepEqual([agent.state.origin, agent.state.age], ['control-plane', 0]);
  await agent.close();
  await discovery.close();
  return {
    identity,
    folder,
    restart: (port, apply = () => null) =>
      startAgent(port, identity, t, {
        store: storeIn(folder, identity),
        apply: async (view, origin) => {
          const refusal = apply(view, origin);
          return refusal === null ? { ok: true, value: undefined } : { ok: false, error: refusal };
        },
      }),
  };
}

function saidOf({ log }: RecordingAgent): string[] {
  return log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
}

test('while nobody is there it serves what it ran before within a second, says so, and says how old it is', async (t) => {
  const kept = await ranBefore(t);
  const began = performance.now();
  const again = kept.restart(await closedPort());
  await eventually(() => again.applied.length === 1);
  assert.ok(performance.now() - began < 1_000);
  assert.deepEqual(again.applied[0], FIRST);
  await eventually(() => saidOf(again).length === 2);
  assert.match(saidOf(again)[0] ?? '', /^serving the view that was kept on disk/);
  assert.match(saidOf(again)[1] ?? '', /the last view keeps being served/);
  const { snapshot, origin, age, connected } = again.agent.state;
  assert.deepEqual([snapshot, origin, connected], ['s1', 'disk', false]);
  assert.ok(age !== null && age > 0 && age < 60_000, String(age));
});

test('a control plane that comes back is told what runs and sends only the difference', async (t) => {
  const kept = await ranBefore(t);
  const port = await closedPort();
  const again = kept.restart(port);
  await eventually(() => again.agent.state.origin === 'disk');
  const discovery = await startDiscovery(authority, t, { port });
  discovery.setView('orders', FIRST);
  await eventually(() => again.agent.state.origin === 'control-plane');
  assert.equal(again.applied.length, 1, 'nothing was new');
  assert.equal(again.agent.state.age, 0);
  discovery.setView('orders', SECOND);
  await eventually(() => again.agent.state.snapshot === 's2');
  // The difference to what was kept, not a view beside it.
  assert.deepEqual([...(again.applied[1]?.clusters.keys() ?? [])], ['a']);
});

test('a control plane that answers is preferred: what was kept is never served', async (t) => {
  const kept = await ranBefore(t);
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', SECOND);
  const origins: string[] = [];
  const again = kept.restart(discovery.port, (_view, origin) => {
    origins.push(origin);
    return null;
  });
  await eventually(() => again.agent.state.snapshot === 's2');
  assert.deepEqual(origins, ['control-plane']);
  assert.deepEqual(saidOf(again), []);
});

test('one that takes the connection and says nothing is not waited for, and is welcome when it speaks', async (t) => {
  const kept = await ranBefore(t);
  const server = await startRecordingServer(authority);
  t.after(() => server.close());
  const began = performance.now();
  const again = kept.restart(server.port);
  await eventually(() => again.agent.state.origin === 'disk');
  assert.ok(performance.now() - began < 1_500);
  // This stream began when nothing ran: it claims nothing, so it is sent a whole view, which replaces the kept one.
  assert.deepEqual((await server.request(0)).subscriptions[0]?.initialResourceVersions, {});
  server.send({ nonce: 'n1', snapshot: 's2', resources: encodeView(SECOND).map(({ wire }) => wire) });
  assert.equal((await server.request(1)).responseNonce, 'n1');
  assert.deepEqual(again.applied.at(-1), SECOND);
  assert.equal(again.agent.state.origin, 'control-plane');
});

test('a view that comes while the kept one is being applied goes after it', async (t) => {
  const kept = await ranBefore(t);
  const server = await startRecordingServer(authority);
  t.after(() => server.close());
  const gate = Promise.withResolvers<void>();
  const origins: string[] = [];
  const { agent } = startAgent(server.port, kept.identity, t, {
    store: storeIn(kept.folder, kept.identity),
    apply: async (_view, origin) => {
      origins.push(origin);
      if (origin === 'disk') await gate.promise;
      return { ok: true, value: undefined };
    },
  });
  await eventually(() => origins.length === 1);
  server.send({ nonce: 'n1', snapshot: 's2', resources: encodeView(SECOND).map(({ wire }) => wire) });
  // The headers come with it.
  await eventually(() => agent.state.connected);
  await new Promise(setImmediate);
  assert.deepEqual(origins, ['disk']);
  gate.resolve();
  await eventually(() => agent.state.snapshot === 's2');
  assert.deepEqual(origins, ['disk', 'control-plane']);
});

test('a proxy that ends has kept its view, as of that moment', async (t) => {
  const identity = await authority.svid('orders');
  const folder = await temporaryFolder(t);
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', FIRST);
  const { agent } = startAgent(discovery.port, identity, t, { store: storeIn(folder, identity) });
  await eventually(() => agent.state.snapshot === 's1');
  const before = Date.now();
  await agent.close();
  const kept = await storeIn(folder, identity).load();
  assert.ok((kept?.confirmedAt ?? 0) >= before);
});

test('a first view that is refused leaves the kept one to be served', async (t) => {
  const kept = await ranBefore(t);
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', SECOND);
  const refusal = { code: 'address-in-use', resource: '', ruleId: '', message: 'the port is in use' } as const;
  const again = kept.restart(discovery.port, (_view, origin) => (origin === 'disk' ? null : refusal));
  await eventually(() => again.agent.state.origin === 'disk');
  assert.deepEqual(again.applied, [FIRST]);
  assert.ok(saidOf(again).some((line) => /a view was refused, the old one stays/.test(line)));
});

test('a kept view that cannot be served is one line, and the control plane is waited for', async (t) => {
  const kept = await ranBefore(t);
  const port = await closedPort();
  const refusal = { code: 'address-in-use', resource: '', ruleId: '', message: 'the port is in use' } as const;
  const again = kept.restart(port, (_view, origin) => (origin === 'disk' ? refusal : null));
  await eventually(() => saidOf(again).length === 2);
  assert.match(saidOf(again)[0] ?? '', /^the kept view cannot be served: the port is in use/);
  assert.match(saidOf(again)[1] ?? '', /there is no view yet/);
  const discovery = await startDiscovery(authority, t, { port });
  discovery.setView('orders', SECOND);
  await eventually(() => again.agent.state.snapshot === 's2');
});

test('what the control plane stood behind until it was lost counts from that moment', async (t) => {
  const identity = await authority.svid('orders');
  const folder = await temporaryFolder(t);
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', FIRST);
  const { agent } = startAgent(discovery.port, identity, t, { store: storeIn(folder, identity) });
  await eventually(() => agent.state.snapshot === 's1');
  const acknowledged = await eventually(async () => (await storeIn(folder, identity).load())?.confirmedAt);
  await eventually(() => Date.now() > acknowledged + 50);
  await discovery.close();
  await eventually(() => !agent.state.connected);
  const lost = await eventually(async () => {
    const at = (await storeIn(folder, identity).load())?.confirmedAt ?? 0;
    return at > acknowledged ? at : null;
  });
  assert.ok(lost - acknowledged >= 50);
  await eventually(() => (agent.state.age ?? 0) > 0);
});

test('whoever joins anew keeps nothing of what ran in its folder before', async (t) => {
  const here = await runControlPlaneHere(
    t,
    'version: 1\nmesh: { trustDomain: shop.test }\nservices: { orders: { port: 1 } }\n',
  );
  const folder = join(here.folder, 'proxy-1');
  await mkdir(folder);
  for (const name of ['view.json', 'server-certificates.json']) await writeFile(join(folder, name), 'old');
  await here.sidecar({ account: 'orders' });
  const left = await readdir(folder);
  assert.ok(left.includes('svid.pem'));
  assert.ok(!left.includes('view.json') && !left.includes('server-certificates.json'), left.join());
});
