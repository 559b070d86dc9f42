// Two proxies with real certificates: identity in both directions, authorization, and what sidecars say to
// each other.
import assert from 'node:assert/strict';
import { before, type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { clusterName, type SnapshotHash } from '../../core/model/brand.ts';
import type { View } from '../../core/model/view.ts';
import { InboundMode } from '../../proxy/mode/inbound.ts';
import { OutboundMode } from '../../proxy/mode/outbound.ts';
import { eventually } from '../support/eventually.ts';
import { ask, closedPort, startRawUpstream, startUpstream } from '../support/http-peers.ts';
import { identityOf as id, inboundView, outboundView, startCallee, startCaller } from '../support/mesh-pair.ts';
import { type ProxyHarness, startProxy } from '../support/proxy-harness.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
let authority: TestAuthority;
let stranger: TestAuthority;

before(async () => {
  authority = await makeTestAuthority();
  stranger = await makeTestAuthority();
});

function callee(t: TestContext, appPort: number, account = 'payments', from = authority): Promise<ProxyHarness> {
  return startCallee(t, from, appPort, account);
}

function caller(t: TestContext, view: View, account = 'orders'): Promise<ProxyHarness> {
  return startCaller(t, authority, view, account);
}

test('a call goes through both sidecars, by port and by every name of the callee', async (t) => {
  const app = await startUpstream(t, (incoming, response) => response.end(JSON.stringify(incoming.headers)));
  const payments = await callee(t, app.port);
  const orders = await caller(t, outboundView([payments.port('inbound')]));
  const direct = await ask(orders.port('outbound/payments'), '/charge/1');
  assert.equal(direct.status, 200);
  assert.equal((JSON.parse(direct.body) as Record<string, string>)['via'], '1.1 orders-out, 2 payments');
  for (const host of ['payments', 'payments:8082', 'PAYMENTS.default', 'payments.default.svc.cluster.local:8082']) {
    assert.equal((await ask(orders.port('outbound'), '/charge', { headers: { host } })).status, 200, host);
  }
  const [line] = await payments.exchanges(1);
  assert.equal(line?.['peer'], id('orders'));
  assert.equal(line?.['identity'], id('payments'));
  const [sent] = await orders.exchanges(1);
  assert.equal(sent?.['traceId'], line?.['traceId']);
  assert.equal(sent?.['requestId'], line?.['requestId']);
});

test('a WebSocket and ten MiB pass through both sidecars', async (t) => {
  const app = await startUpstream(t, (incoming, response) => incoming.pipe(response));
  const server = new WebSocketServer({ server: app.server });
  server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const payments = await callee(t, app.port);
  const orders = await caller(t, outboundView([payments.port('inbound')]));
  const port = orders.port('outbound/payments');
  const body = 'z'.repeat(10 * 1024 * 1024);
  const answer = await ask(port, '/charge', { method: 'POST', body });
  assert.equal(answer.body === body, true);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/charge`);
  t.after(() => socket.terminate());
  await new Promise((done, fail) => {
    socket.on('open', done);
    socket.on('error', fail);
  });
  for (const size of [10, 200_000, 5_000_000]) {
    const echoed = new Promise<Buffer>((done) => socket.once('message', (data) => done(data as Buffer)));
    socket.send(Buffer.alloc(size, 'w'));
    assert.equal((await echoed).length, size);
  }
  const closed = new Promise((done) => socket.on('close', done));
  socket.close();
  await closed;
  const lines = await payments.exchanges(2);
  assert.deepEqual(
    lines.map((line) => line['status']),
    [200, 101],
  );
  await eventually(() => orders.proxy.clusters.states.get('payments')?.pools[0]?.active === 0);
});

test('the callee denies by rule: 403 with an opaque id, the rule in the log and in the ring', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('never'));
  const payments = await callee(t, app.port);
  const users = await caller(t, outboundView([payments.port('inbound')]), 'users');
  const answer = await ask(users.port('outbound/payments'), '/charge');
  assert.equal(answer.status, 403);
  const body = JSON.parse(answer.body) as { decision: string };
  assert.doesNotMatch(answer.body, /services|users|spiffe/);
  const line = payments.lines.find(({ message }) => message === 'denied');
  assert.equal(line?.level, 'warn');
  assert.equal(line?.fields['decision'], body.decision);
  assert.equal(line?.fields['peer'], id('users'));
  assert.match(String(line?.fields['rule']), /^services\.payments/);
  assert.match(String(line?.fields['hint']), /users/);
  assert.equal(payments.ring.find(body.decision)?.path, '/charge');
  assert.equal(app.connections(), 0);
  const orders = await caller(t, outboundView([payments.port('inbound')]));
  assert.equal((await ask(orders.port('outbound/payments'), '/charge/../other')).status, 403);
});

test('what a workload does not call is denied at its own side', async (t) => {
  const orders = await caller(t, outboundView([await closedPort()]));
  const answer = await ask(orders.port('outbound'), '/', { headers: { host: 'users' } });
  assert.equal(answer.status, 403);
  const line = orders.lines.find(({ message }) => message === 'denied');
  assert.equal(line?.fields['rule'], 'services.orders.calls');
});

test('a valid certificate of another service at the address of a callee is refused, and sees no request', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('never'));
  const impostor = await callee(t, app.port, 'users');
  const orders = await caller(t, outboundView([impostor.port('inbound')]));
  const answer = await ask(orders.port('outbound/payments'), '/charge', { method: 'POST', body: 'secret' });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['x-weft-error'], 'wrong-identity');
  assert.equal(app.connections(), 0);
  assert.ok(orders.proxy.wrongIdentities > 0);
  const line = orders.lines.find(({ level }) => level === 'error');
  assert.equal(line?.fields['expected'], id('payments'));
  assert.match(String(line?.fields['reason']), /sa\/users/);
});

test('the same name from another authority is refused on both sides', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('never'));
  const impostor = await callee(t, app.port, 'payments', stranger);
  const orders = await caller(t, outboundView([impostor.port('inbound')]));
  const answer = await ask(orders.port('outbound/payments'), '/charge');
  assert.equal(answer.headers['x-weft-error'], 'wrong-identity');
  const payments = await callee(t, app.port);
  const thief = await stranger.svid('orders');
  await handshake(payments.port('inbound'), thief);
  await eventually(() => payments.lines.some(({ message }) => message === 'a peer was refused'));
  assert.equal(app.connections(), 0);
});

test('a client without a certificate, or with TLS 1.2, does not get in; no session outlives a renewal', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('ok'));
  const payments = await callee(t, app.port);
  const port = payments.port('inbound');
  await handshake(port, null);
  const orders = await authority.svid('orders');
  await handshake(port, orders, { maxVersion: 'TLSv1.2' });
  assert.ok(payments.proxy.refusedPeers >= 2);
  const first = await handshake(port, orders, {}, 'GET /charge HTTP/1.1\r\nHost: payments\r\n\r\n');
  assert.match(first.text, /^HTTP\/1\.1 200/);
  assert.ok(first.session);
  payments.tls?.update(await authority.svid('payments'));
  const again = await handshake(port, orders, { session: first.session }, 'GET /charge HTTP/1.1\r\nHost: p\r\n\r\n');
  assert.equal(again.reused, false);
});

interface Handshake {
  readonly text: string;
  readonly session: Buffer | null;
  readonly reused: boolean;
}

/** Connects as a client would, sends, and returns what came until an answer was there or the end. */
function handshake(
  port: number,
  identity: { keyPem: string; chainPem: string } | null,
  options: object = {},
  send = '',
): Promise<Handshake> {
  return new Promise((done) => {
    const own = identity === null ? {} : { key: identity.keyPem, cert: identity.chainPem };
    let text = '';
    let session: Buffer | null = null;
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...own, ...options });
    const finish = (): void => {
      done({ text, session, reused: socket.isSessionReused() });
      socket.destroy();
    };
    socket.on('session', (data: Buffer) => {
      session = data;
    });
    socket.on('secureConnect', () => socket.write(send));
    socket.on('data', (data) => {
      text += data.toString();
      finish();
    });
    socket.on('error', finish);
    socket.on('close', finish);
  });
}

test('an app that is down makes its sidecar say so, and the caller goes to another instance', async (t) => {
  const app = await startUpstream(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('ok'));
  });
  const broken = await callee(t, await closedPort());
  const sound = await callee(t, app.port);
  const orders = await caller(t, outboundView([broken.port('inbound'), sound.port('inbound')]));
  for (let i = 0; i < 4; i++) {
    const answer = await ask(orders.port('outbound/payments'), '/charge', { method: 'POST', body: 'once' });
    assert.equal(answer.status, 200);
  }
  const lines = await orders.exchanges(4);
  assert.deepEqual(lines.map((line) => line['attempts']).toSorted(), [1, 1, 2, 2]);
});

test('an app that is lost before it answers is tried elsewhere for GET, not for POST', async (t) => {
  const losing = await startRawUpstream(t, (socket) => socket.on('data', () => socket.destroy()));
  const app = await startUpstream(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('ok'));
  });
  const broken = await callee(t, losing);
  const sound = await callee(t, app.port);
  const orders = await caller(t, outboundView([broken.port('inbound'), sound.port('inbound')]));
  const call = async (method: string): Promise<number[]> => {
    const first = await ask(orders.port('outbound/payments'), '/charge', { method });
    const second = await ask(orders.port('outbound/payments'), '/charge', { method });
    return [first.status, second.status].toSorted();
  };
  assert.deepEqual(await call('GET'), [200, 200]);
  assert.deepEqual(await call('POST'), [200, 503]);
});

test('what sidecars say to each other reaches no app, and an app cannot say it', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => {
    response.writeHead(503, { 'x-weft-unprocessed': '1', 'x-weft-other': 'a', 'x-app': 'b' }).end('own answer');
  });
  const payments = await callee(t, app.port);
  const orders = await caller(t, outboundView([payments.port('inbound')]));
  const answer = await ask(orders.port('outbound/payments'), '/charge');
  assert.equal(answer.status, 503);
  assert.equal(answer.body, 'own answer');
  assert.equal(answer.headers['x-app'], 'b');
  assert.deepEqual(
    Object.keys(answer.headers).filter((name) => name.startsWith('x-weft-')),
    [],
  );
});

test('a view whose new cluster proves another identity is refused, and the old one serves on', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('ok'));
  const payments = await callee(t, app.port);
  const impostor = await callee(t, app.port, 'users');
  const orders = await caller(t, { ...outboundView([payments.port('inbound')]) });
  const good = outboundView([payments.port('inbound')]);
  const name = clusterName('billing');
  const cluster = good.clusters.get('payments');
  assert.ok(cluster);
  const endpoint = { id: 'billing-1', host: '127.0.0.1', port: impostor.port('inbound'), weight: 1 };
  const refused = await orders.proxy.apply({
    ...good,
    snapshot: 'bbbbbbbbbbbbbbbb' as SnapshotHash,
    clusters: new Map([...good.clusters, [name, { ...cluster, name, service: 'billing', identity: id('billing') }]]),
    endpoints: new Map([...good.endpoints, [name, { cluster: name, endpoints: [endpoint] }]]),
  });
  assert.equal(refused.ok, false);
  assert.ok(!refused.ok);
  assert.equal(refused.error.code, 'warm-failed');
  assert.equal(refused.error.resource, 'cluster/billing');
  assert.equal(orders.proxy.view?.snapshot, 'aaaaaaaaaaaaaaaa');
  assert.equal((await ask(orders.port('outbound/payments'), '/charge')).status, 200);
});

test('a dead endpoint of a known cluster does not hold up a view, a first view takes a dead cluster', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('ok'));
  const payments = await callee(t, app.port);
  const orders = await caller(t, outboundView([await closedPort()]));
  assert.equal((await ask(orders.port('outbound/payments'), '/charge')).status, 503);
  const next = await orders.proxy.apply(
    outboundView([payments.port('inbound'), await closedPort()], 'bbbbbbbbbbbbbbbb'),
  );
  assert.equal(next.ok, true);
  // Warm: the connection stands before the first request.
  const [pool] = orders.proxy.clusters.states.get('payments')?.pools ?? [];
  assert.equal(pool?.idle, 1);
  assert.equal((await ask(orders.port('outbound/payments'), '/charge')).status, 200);
});

test('a renewed certificate is used for new connections while old ones live on', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('ok'));
  const identity = await authority.svid('payments');
  const mode = new InboundMode({ address: LOOPBACK, app: { host: '127.0.0.1', port: app.port } });
  const payments = await startProxy(t, { modes: [mode], identity, view: inboundView() });
  const orders = await caller(t, outboundView([payments.port('inbound')]));
  assert.equal((await ask(orders.port('outbound/payments'), '/charge')).status, 200);
  const before_ = payments.proxy.acceptors[0]?.counts.accepted;
  payments.tls?.update(await authority.svid('payments'));
  assert.equal((await ask(orders.port('outbound/payments'), '/charge')).status, 200);
  assert.equal(payments.proxy.acceptors[0]?.counts.accepted, before_);
  const probe = await handshake(
    payments.port('inbound'),
    await authority.svid('orders'),
    {},
    'GET /charge HTTP/1.1\r\nHost: p\r\n\r\n',
  );
  assert.match(probe.text, /^HTTP\/1\.1 200/);
});

test('outbound ports bind loopback only', () => {
  const make = (host: string) => (): OutboundMode =>
    new OutboundMode({
      service: 'orders',
      namespace: 'default',
      byHost: { host, port: 0 },
      ports: new Map(),
      names: null,
    });
  assert.throws(make('0.0.0.0'), { code: 'config-invalid' });
  assert.throws(make('192.168.1.2'), { code: 'config-invalid' });
  assert.doesNotThrow(make('127.15.0.1'));
});

test('before its first view a sidecar answers 503 on both sides', async (t) => {
  const mode = new OutboundMode({
    service: 'orders',
    namespace: 'default',
    byHost: LOOPBACK,
    ports: new Map(),
    names: null,
  });
  const orders = await startProxy(t, { modes: [mode], identity: await authority.svid('orders') });
  const answer = await ask(orders.port('outbound'), '/', { headers: { host: 'payments' } });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['x-weft-error'], 'no-endpoint');
});
