// HTTP/2 between two sidecars: one shared connection, what happens to the others when one exchange breaks off,
// sidecars of an older version, and the end of a sidecar under load.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { before, test } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { eventually } from '../support/eventually.ts';
import { type Answer, ask, connectRaw, startRawUpstream, startUpstream } from '../support/http-peers.ts';
import { outboundView, startCallee, startCaller } from '../support/mesh-pair.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';
import type { ProxyHarness } from '../support/proxy-harness.ts';

let authority: TestAuthority;

before(async () => {
  authority = await makeTestAuthority();
});

function accepted(proxy: ProxyHarness): number {
  return proxy.proxy.acceptors.find(({ name }) => name === 'inbound')?.counts.accepted ?? -1;
}

function active(proxy: ProxyHarness): number {
  return proxy.proxy.clusters.states.get('payments')?.pools.reduce((sum, pool) => sum + pool.active, 0) ?? -1;
}

function post(proxy: ProxyHarness, body: string | Buffer): Promise<Answer> {
  return ask(proxy.port('outbound/payments'), '/charge', { method: 'POST', body });
}

test('fifty calls at once share one connection between the sidecars, each with its own answer', async (t) => {
  const app = await startUpstream(t, (incoming, response) => incoming.pipe(response));
  const payments = await startCallee(t, authority, app.port);
  const orders = await startCaller(t, authority, outboundView([payments.port('inbound')]));
  const calls = Array.from({ length: 50 }, async (_, i) => {
    const body = Buffer.alloc(i * 4_000, String(i % 10)).toString();
    const answer = await post(orders, body);
    assert.equal(answer.status, 200);
    assert.ok(answer.body === body);
  });
  await Promise.all(calls);
  assert.equal(accepted(payments), 1);
  await eventually(() => active(orders) === 0);
});

test('an app that breaks off its answer cuts the one caller, and the others do not notice', async (t) => {
  const app = await startUpstream(t, (incoming, response) => {
    if (incoming.url !== '/charge/broken') return void setTimeout(() => response.end('whole'), 50);
    response.writeHead(200, { 'content-length': '100' });
    response.write('part');
    setTimeout(() => response.destroy(), 20);
  });
  const payments = await startCallee(t, authority, app.port);
  const orders = await startCaller(t, authority, outboundView([payments.port('inbound')]));
  const port = orders.port('outbound/payments');
  const sound = Array.from({ length: 5 }, () => ask(port, '/charge'));
  await assert.rejects(ask(port, '/charge/broken'), /aborted|hang up|reset/i);
  for (const answer of await Promise.all(sound)) assert.equal(answer.body, 'whole');
  assert.equal(accepted(payments), 1);
  await eventually(() => active(orders) === 0);
});

test('a caller that goes away frees its stream, and the app behind both sidecars hears of it', async (t) => {
  let gone = 0;
  const app = await startUpstream(t, (incoming, response) => {
    if (incoming.url === '/charge/quick') return void response.end('quick');
    response.on('close', () => void (gone += 1));
  });
  const payments = await startCallee(t, authority, app.port);
  const orders = await startCaller(t, authority, outboundView([payments.port('inbound')]));
  const client = await connectRaw(t, orders.port('outbound/payments'));
  client.socket.write('GET /charge HTTP/1.1\r\nHost: payments\r\n\r\n');
  await eventually(() => active(orders) === 1);
  client.socket.destroy();
  await eventually(() => gone === 1 && active(orders) === 0);
  assert.equal((await ask(orders.port('outbound/payments'), '/charge/quick')).body, 'quick');
  assert.equal(accepted(payments), 1);
});

test('a caller that reads slowly holds up neither the others nor the app for ever', async (t) => {
  const big = Buffer.alloc(8 * 1024 * 1024, 'b');
  const app = await startUpstream(t, (incoming, response) => {
    response.end(incoming.url === '/charge/big' ? big : 'small');
  });
  const payments = await startCallee(t, authority, app.port);
  const orders = await startCaller(t, authority, outboundView([payments.port('inbound')]));
  const slow = await connectRaw(t, orders.port('outbound/payments'));
  slow.socket.pause();
  slow.socket.write('GET /charge/big HTTP/1.1\r\nHost: payments\r\nConnection: close\r\n\r\n');
  await eventually(() => active(orders) === 1);
  for (let i = 0; i < 20; i++) assert.equal((await ask(orders.port('outbound/payments'), '/charge')).body, 'small');
  assert.equal(active(orders), 1);
  slow.socket.resume();
  await slow.closed;
  assert.ok(slow.text().endsWith('b'));
  assert.ok(slow.text().length > big.length);
});

test('a sidecar that stops under load loses no call', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => void setTimeout(() => response.end('ok'), 5));
  const leaving = await startCallee(t, authority, app.port);
  const staying = await startCallee(t, authority, app.port);
  const view = outboundView([leaving.port('inbound'), staying.port('inbound')]);
  const orders = await startCaller(t, authority, view);
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  let stop = false;
  const statuses: number[] = [];
  const callers = Array.from({ length: 8 }, async () => {
    while (!stop) {
      const answer = await ask(orders.port('outbound/payments'), '/charge', { method: 'POST', body: 'x', agent });
      statuses.push(answer.status);
    }
  });
  await eventually(() => statuses.length > 50);
  await leaving.proxy.drain(2_000);
  const before = statuses.length;
  await eventually(() => statuses.length > before + 50);
  stop = true;
  await Promise.all(callers);
  assert.deepEqual([...new Set(statuses)], [200]);
});

test('a sidecar that is killed under load loses nothing that may be tried again', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => void setTimeout(() => response.end('ok'), 5));
  const leaving = await startCallee(t, authority, app.port);
  const staying = await startCallee(t, authority, app.port);
  const view = outboundView([leaving.port('inbound'), staying.port('inbound')]);
  const orders = await startCaller(t, authority, view);
  let stop = false;
  const statuses: number[] = [];
  const callers = Array.from({ length: 8 }, async () => {
    while (!stop) statuses.push((await ask(orders.port('outbound/payments'), '/charge')).status);
  });
  await eventually(() => statuses.length > 50);
  leaving.proxy.close();
  const before = statuses.length;
  await eventually(() => statuses.length > before + 50);
  stop = true;
  await Promise.all(callers);
  assert.deepEqual([...new Set(statuses)], [200]);
  await eventually(() => active(orders) === 0);
});

test('a sidecar of an older version, which knows only HTTP/1.1, is spoken to as before', async (t) => {
  const identity = await authority.svid('payments');
  const protocols = new Set<string | false | null>();
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    {
      key: identity.keyPem,
      cert: identity.chainPem,
      ca: identity.bundlePem,
      requestCert: true,
      ALPNProtocols: ['http/1.1'],
    },
    (socket) => {
      sockets.add(socket);
      protocols.add(socket.alpnProtocol);
      socket.on('error', () => {});
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nold'));
    },
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const orders = await startCaller(t, authority, outboundView([(server.address() as AddressInfo).port]));
  const answers = Array.from({ length: 10 }, () => ask(orders.port('outbound/payments'), '/charge'));
  for (const answer of await Promise.all(answers)) assert.equal(answer.body, 'old');
  assert.deepEqual([...protocols], ['http/1.1']);
});

test('informational answers and trailers pass between sidecars', async (t) => {
  const appPort = await startRawUpstream(t, (socket) => {
    socket.on('data', () => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n');
      socket.write('2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n');
    });
  });
  const payments = await startCallee(t, authority, appPort);
  const orders = await startCaller(t, authority, outboundView([payments.port('inbound')]));
  const client = await connectRaw(t, orders.port('outbound/payments'));
  client.socket.write('GET /charge HTTP/1.1\r\nHost: payments\r\n\r\n');
  await eventually(() => client.text().endsWith('0\r\nx-sum: 7\r\n\r\n'));
  assert.match(client.text(), /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  assert.match(client.text(), /\r\n2\r\nok\r\n0\r\n/);
});

test('what a client waits for with 100-continue is the word of the app behind both sidecars', async (t) => {
  const app = await startUpstream(t, (incoming, response) => incoming.pipe(response));
  const payments = await startCallee(t, authority, app.port);
  const orders = await startCaller(t, authority, outboundView([payments.port('inbound')]));
  const client = await connectRaw(t, orders.port('outbound/payments'));
  client.socket.write('POST /charge HTTP/1.1\r\nHost: payments\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
  await eventually(() => client.text().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  client.socket.write('body');
  await eventually(() => client.text().includes('body'));
  assert.match(client.text(), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
});
