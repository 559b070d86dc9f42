import assert from 'node:assert/strict';
import { createServer, connect, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { before, test } from 'node:test';
import { encodeView } from '../../proto/codec/encode.ts';
import { systemClock } from '../../proxy/agent/agent.ts';
import { startAgent, startDiscovery } from '../support/discovery-harness.ts';
import { eventually } from '../support/eventually.ts';
import { startRecordingServer } from '../support/recording-peers.ts';
import { sampleEndpoint, sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

test('a control plane that comes back finds the proxy with its view and sends only the difference', async (t) => {
  const first = await startDiscovery(authority, t);
  first.setView('orders', sampleView('s1', { a: [sampleEndpoint('a-1')], b: [] }));
  const { applied, agent, log } = startAgent(first.port, await authority.svid('orders'), t);
  await eventually(() => agent.state.snapshot === 's1');
  await first.close();
  await eventually(() => !agent.state.connected);
  assert.equal(agent.state.snapshot, 's1');

  const second = await startDiscovery(authority, t, { port: first.port });
  second.setView('orders', sampleView('s1', { a: [sampleEndpoint('a-1')], b: [] }));
  await eventually(() => second.server.states().some(({ snapshot }) => snapshot === 's1'));
  assert.equal(applied.length, 1, 'nothing was new');
  second.setView('orders', sampleView('s2', { a: [sampleEndpoint('a-2')] }));
  await eventually(() => agent.state.snapshot === 's2');
  assert.deepEqual([...(applied[1]?.clusters.keys() ?? [])], ['a']);

  const said = log.lines.filter(({ message }) => /control plane/.test(message)).map(({ level }) => level);
  assert.deepEqual(said, ['info', 'warn', 'info'], 'connected, one line for the loss, one for the return');
});

test('a control plane that stops is lost to its proxies at once, not when they ping it', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const { agent, log } = startAgent(discovery.port, await authority.svid('orders'), t);
  await eventually(() => agent.state.snapshot === 's1');
  const began = performance.now();
  await discovery.close();
  await eventually(() => !agent.state.connected);
  assert.ok(performance.now() - began < 5_000, 'before the first ping');
  const line = await eventually(() => log.lines.find(({ level }) => level === 'warn'));
  assert.equal(line.fields['reason'], 'the control plane stops');
});

test('a proxy says what it holds when it comes back', async (t) => {
  const server = await startRecordingServer(authority);
  t.after(() => server.close());
  const { agent } = startAgent(server.port, await authority.svid('orders'), t);
  const hello = await server.request(0);
  assert.deepEqual(hello.node, { version: '0.1.0', inboundPort: 15_006, address: '' });
  assert.deepEqual(
    hello.subscriptions.map(({ subscribe, initialResourceVersions }) => [subscribe, initialResourceVersions]),
    Array.from({ length: 4 }, () => [['*'], {}]),
  );
  const encoded = encodeView(sampleView('s1', { a: [] }));
  server.send({ nonce: 'n1', snapshot: 's1', resources: encoded.map(({ wire }) => wire) });
  assert.equal((await server.request(1)).responseNonce, 'n1');
  agent.setIdentity(await authority.svid('orders'));
  const again = await server.request(2);
  assert.deepEqual(
    again.subscriptions.slice(0, 2).map(({ initialResourceVersions }) => initialResourceVersions),
    encoded.map(({ name, version }) => ({ [name]: version })),
  );
  assert.equal(again.responseNonce, '', 'a nonce does not outlive its stream');
});

test('a stream that is lost in the middle of an apply is followed by one that knows what came of it', async (t) => {
  const server = await startRecordingServer(authority);
  t.after(() => server.close());
  const gate = Promise.withResolvers<void>();
  let applying = false;
  const { agent } = startAgent(server.port, await authority.svid('orders'), t, {
    apply: async () => {
      applying = true;
      await gate.promise;
      return { ok: true, value: undefined };
    },
  });
  await server.request(0);
  const encoded = encodeView(sampleView('s1', { a: [] }));
  server.send({ nonce: 'n1', snapshot: 's1', resources: encoded.map(({ wire }) => wire) });
  await eventually(() => applying);
  agent.setIdentity(await authority.svid('orders'));
  await new Promise(setImmediate);
  assert.equal(server.received.length, 1, 'nothing is said before the apply has ended');
  gate.resolve();
  const again = await server.request(1);
  assert.equal(again.responseNonce, '');
  assert.deepEqual(Object.keys(again.subscriptions[0]?.initialResourceVersions ?? {}), ['a']);
});

test('a proxy that closes in the middle of an apply says goodbye and does not wait for long', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  let stuck = false;
  const { agent } = startAgent(discovery.port, await authority.svid('orders'), t, {
    apply: async ({ snapshot }) => {
      if (snapshot === 's1') return { ok: true, value: undefined };
      stuck = true;
      return new Promise(() => {});
    },
  });
  await eventually(() => discovery.registry.instances().length === 1);
  discovery.setView('orders', sampleView('s2', {}));
  await eventually(() => stuck);
  const began = performance.now();
  const closed = agent.close();
  await eventually(() => discovery.registry.instances().length === 0);
  await closed;
  assert.ok(performance.now() - began < 3_000);
});

test('a control plane that is not there yet is waited for and said once', async (t) => {
  const probe = createServer().listen(0, '127.0.0.1');
  await eventually(() => probe.listening);
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const { agent, log } = startAgent(port, await authority.svid('orders'), t);
  const warnings = () => log.lines.filter(({ level }) => level === 'warn');
  const [line] = await eventually(() => (warnings().length > 0 ? warnings() : null));
  assert.match(line?.message ?? '', /no control plane: .*; there is no view yet, trying again/);
  const discovery = await startDiscovery(authority, t, { port });
  discovery.setView('orders', sampleView('s1', {}));
  await eventually(() => agent.state.snapshot === 's1');
  assert.equal(warnings().length, 1);
});

test('a renewed certificate opens the stream anew without a loss, and the instance keeps its place', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const { agent, applied, log } = startAgent(discovery.port, await authority.svid('orders'), t);
  await eventually(() => discovery.registry.instances().length === 1);
  let changes = 0;
  discovery.registry.onChange(() => changes++);
  agent.setIdentity(await authority.svid('orders'));
  discovery.setView('orders', sampleView('s2', {}));
  await eventually(() => discovery.server.states().some(({ snapshot }) => snapshot === 's2'));
  assert.deepEqual(
    applied.map(({ snapshot }) => snapshot),
    ['s1', 's2'],
  );
  assert.equal(changes, 0);
  assert.ok(!log.lines.some(({ level }) => level === 'warn'));
});

test('a proxy whose instance has opened another stream leaves it that one', async (t) => {
  const plane = await startDiscovery(authority, t);
  plane.setView('orders', sampleView('s1', { a: [sampleEndpoint('a-1')] }));
  const identity = await authority.svid('orders');
  const waits: number[] = [];
  const clock = {
    ...systemClock,
    after: (ms: number, callback: () => void) => {
      waits.push(ms);
      return systemClock.after(ms, callback);
    },
  };
  const old = startAgent(plane.port, identity, t, { clock });
  await eventually(() => old.agent.state.snapshot === 's1');
  const next = startAgent(plane.port, identity, t);
  await eventually(() => next.agent.state.connected && !old.agent.state.connected);
  await eventually(() => waits.includes(10_000));
  const said = old.log.lines.at(-1);
  assert.equal(said?.level, 'info');
  assert.match(said?.message ?? '', /another process of this instance/);
});

test('a proxy that closes is out of the registry at once, one that breaks after the grace time', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const polite = startAgent(discovery.port, await authority.svid('orders', { instance: 'orders-1' }), t);
  const relay = await startRelay(t, discovery.port);
  startAgent(relay.port, await authority.svid('orders', { instance: 'orders-2' }), t);
  const names = () => discovery.registry.instances().map(({ instance }) => instance);
  await eventually(() => names().length === 2);
  await polite.agent.close();
  await eventually(() => names().join() === 'orders-2');
  relay.cut();
  await eventually(() => discovery.server.states().length === 0);
  assert.deepEqual(names(), ['orders-2'], 'within the grace time');
  await eventually(() => names().length === 0);
});

test('a control plane that falls silent is noticed by keepalive', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const relay = await startRelay(t, discovery.port);
  const { agent } = startAgent(relay.port, await authority.svid('orders'), t, {
    keepalive: { time: 100, timeout: 300 },
  });
  await eventually(() => agent.state.snapshot === 's1');
  relay.freeze();
  await eventually(() => !agent.state.connected);
  assert.equal(agent.state.snapshot, 's1');
  relay.thaw();
  await eventually(() => agent.state.connected);
});

test('a proxy that falls silent is noticed by keepalive and leaves the registry', async (t) => {
  const discovery = await startDiscovery(authority, t, { keepalive: { time: 100, timeout: 100 } });
  discovery.setView('orders', sampleView('s1', {}));
  const relay = await startRelay(t, discovery.port);
  startAgent(relay.port, await authority.svid('orders'), t);
  await eventually(() => discovery.registry.instances().length === 1);
  relay.freeze();
  await eventually(() => discovery.registry.instances().length === 0);
});

test('a restarted control plane leaves running proxies with their view until the others are back', async (t) => {
  const first = await startDiscovery(authority, t);
  first.setView('orders', sampleView('s1', { payments: [sampleEndpoint('payments-1')] }));
  const { agent, applied } = startAgent(first.port, await authority.svid('orders'), t);
  await eventually(() => agent.state.snapshot === 's1');
  await first.close();

  let settled = false;
  const second = await startDiscovery(authority, t, { port: first.port, settled: () => settled });
  // Nobody else has come back yet: to this control plane payments has no instance.
  second.setView('orders', sampleView('s1', { payments: [] }));
  await eventually(() => second.registry.instances().some(({ account }) => account === 'orders'));
  await eventually(() => agent.state.connected);
  assert.equal(applied.length, 1);
  // A proxy without a view is served all the same.
  second.setView('users', sampleView('s1', {}));
  const fresh = startAgent(first.port, await authority.svid('users'), t);
  await eventually(() => fresh.agent.state.snapshot === 's1');
  settled = true;
  second.setView('orders', sampleView('s1', { payments: [sampleEndpoint('payments-2')] }));
  await eventually(() => applied.length === 2);
  assert.deepEqual(applied[1]?.endpoints.get('payments')?.endpoints, [sampleEndpoint('payments-2')]);
});

/** A TCP relay that a test can cut or freeze. */
async function startRelay(t: { after(fn: () => void): void }, target: number) {
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((inner) => {
    const outer = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => frozen || to.write(chunk));
      from.on('error', () => {});
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await eventually(() => server.listening);
  const destroyAll = () => sockets.forEach((socket) => socket.destroy());
  const cut = () => {
    server.close();
    destroyAll();
  };
  t.after(cut);
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
    },
  };
}
