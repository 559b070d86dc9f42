// Listening sockets, view swaps and the drain.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { View } from '../../core/model/view.ts';
import { eventually } from '../support/eventually.ts';
import { ask, closedPort, connectRaw, startUpstream } from '../support/http-peers.ts';
import { edgeView, route, startProxy } from '../support/proxy-harness.ts';

function withPort(view: View, port: number, name = 'edge/main/0'): View {
  const listener = view.listeners.get('edge/main/0');
  assert.ok(listener?.kind === 'edge');
  return { ...view, listeners: new Map([[name, { ...listener, name, port }]]) };
}

test('a view swap keeps the exchange under way on the old view and its connection open', async (t) => {
  let release = (): void => {};
  const old = await startUpstream(t, (_incoming, response) => {
    response.write('begun ');
    release = () => response.end('on the old view');
  });
  const fresh = await startUpstream(t, (_incoming, response) => response.end('new'));
  const edge = await startProxy(t, { view: edgeView([old.port]) });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const slow = ask(edge.port(), '/', { agent });
  await eventually(() => old.connections() === 1);
  const port = edge.port();
  assert.equal((await edge.proxy.apply(edgeView([fresh.port], { snapshot: 'bbbbbbbbbbbbbbbb' }))).ok, true);
  assert.equal(edge.port(), port);
  assert.equal((await ask(edge.port(), '/')).body, 'new');
  release();
  assert.equal((await slow).body, 'begun on the old view');
  assert.equal((await ask(edge.port(), '/', { agent })).body, 'new');
  assert.equal(edge.proxy.acceptors[0]?.counts.accepted, 2);
  const lines = await edge.exchanges(3);
  const snapshots = lines.map((line) => line['snapshot']).toSorted();
  assert.deepEqual(snapshots, ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb', 'bbbbbbbbbbbbbbbb']);
});

test('an unchanged cluster keeps its connections over a view swap, a removed endpoint loses them', async (t) => {
  const one = await startUpstream(t, (_incoming, response) => response.end('one'));
  const two = await startUpstream(t, (_incoming, response) => response.end('two'));
  const edge = await startProxy(t, { view: edgeView([one.port, two.port]) });
  await ask(edge.port(), '/');
  await ask(edge.port(), '/');
  const routes = [route('/', { index: 3 })];
  await edge.proxy.apply(edgeView([one.port], { snapshot: 'bbbbbbbbbbbbbbbb', routes }));
  for (let i = 0; i < 3; i++) assert.equal((await ask(edge.port(), '/')).body, 'one');
  assert.equal(one.connections(), 1);
  await eventually(async () => {
    const open = await new Promise<number>((done) => two.server.getConnections((_error, count) => done(count)));
    return open === 0;
  });
});

test('a port in use refuses the whole view and names the address; the old view serves on', async (t) => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const upstream = await startUpstream(t, (_incoming, response) => response.end('old'));
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const refused = await edge.proxy.apply(withPort(edgeView([], { snapshot: 'bbbbbbbbbbbbbbbb' }), port));
  assert.ok(!refused.ok);
  assert.equal(refused.error.code, 'address-in-use');
  assert.match(refused.error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*another port`));
  assert.equal((await ask(edge.port(), '/')).body, 'old');
});

test('a listener that a view no longer has stops accepting and drains', async (t) => {
  const upstream = await startUpstream(t, (_incoming, response) => response.end('ok'));
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const before = edge.port();
  const client = await connectRaw(t, before);
  await edge.proxy.apply(withPort(edgeView([upstream.port], { snapshot: 'bbbbbbbbbbbbbbbb' }), 0, 'edge/main/1'));
  await client.closed;
  assert.equal((await ask(edge.port('edge/main/1'), '/')).body, 'ok');
  await assert.rejects(ask(before, '/'));
});

test('a drain finishes the exchange under way, closes idle connections and takes no new ones', async (t) => {
  let release = (): void => {};
  const upstream = await startUpstream(t, (_incoming, response) => {
    release = () => response.end('finished');
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const port = edge.port();
  const idle = await connectRaw(t, port);
  const slow = ask(port, '/', { agent: new Agent({ keepAlive: true }) });
  await eventually(() => upstream.connections() === 1);
  const drained = edge.proxy.drain(10_000);
  await idle.closed;
  await assert.rejects(
    new Promise((_done, fail) => {
      connect(port, '127.0.0.1').on('error', fail);
    }),
    { code: 'ECONNREFUSED' },
  );
  release();
  const answer = await slow;
  assert.equal(answer.body, 'finished');
  assert.equal(answer.headers['connection'], 'close');
  await drained;
});

test('a drain that takes too long cuts what is left', async (t) => {
  const upstream = await startUpstream(t, () => {});
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const stuck = ask(edge.port(), '/');
  const rejected = assert.rejects(stuck);
  await eventually(() => upstream.connections() === 1);
  await edge.proxy.drain(100);
  await rejected;
});

test('listeners that change places keep their sockets, and one that turns to another address takes its port over', async (t) => {
  const upstream = await startUpstream(t, (_incoming, response) => response.end('ok'));
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const port = edge.port();
  const fixed = withPort(edgeView([upstream.port], { snapshot: 'bbbbbbbbbbbbbbbb' }), await closedPort());
  assert.equal((await edge.proxy.apply(fixed)).ok, true);
  await assert.rejects(ask(port, '/'));
  const own = edge.port();
  const client = await connectRaw(t, own);
  const moved = withPort(edgeView([upstream.port], { snapshot: 'cccccccccccccccc' }), own, 'edge/main/7');
  assert.equal((await edge.proxy.apply(moved)).ok, true);
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => client.text().endsWith('ok'));
  assert.equal((await ask(own, '/')).body, 'ok');
  assert.deepEqual(
    (await edge.exchanges(2)).map((line) => line['listener']),
    ['edge/main/0', 'edge/main/7'],
  );
  const listener = moved.listeners.get('edge/main/7');
  assert.ok(listener?.kind === 'edge');
  const wide = { ...moved, listeners: new Map([[listener.name, { ...listener, address: '0.0.0.0' }]]) };
  assert.equal((await edge.proxy.apply(wide)).ok, true);
  assert.equal(edge.proxy.acceptors[0]?.bound.host, '0.0.0.0');
  assert.equal((await ask(own, '/')).body, 'ok');
});

test('a socket that was set aside for a view that is then refused listens again', async (t) => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  t.after(() => taken.close());
  const { port: foreign } = taken.address() as AddressInfo;
  const upstream = await startUpstream(t, (_incoming, response) => response.end('ok'));
  const own = await closedPort();
  const edge = await startProxy(t, { view: withPort(edgeView([upstream.port]), own) });
  const wide = withPort(edgeView([upstream.port], { snapshot: 'bbbbbbbbbbbbbbbb' }), own);
  const listener = wide.listeners.get('edge/main/0');
  assert.ok(listener?.kind === 'edge');
  const refused = await edge.proxy.apply({
    ...wide,
    listeners: new Map([
      ['edge/main/0', { ...listener, address: '0.0.0.0' }],
      ['edge/main/1', { ...listener, name: 'edge/main/1', port: foreign }],
    ]),
  });
  assert.equal(refused.ok, false);
  assert.equal((await ask(own, '/')).body, 'ok');
});
