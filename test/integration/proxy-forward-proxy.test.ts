// The port by Host as a forward proxy (HTTP_PROXY): absolute-form and CONNECT, on real sockets, with what clients may try.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Callee, callerView, startCallerOf } from '../support/caller-view.ts';
import { eventually } from '../support/eventually.ts';
import { ask, connectRaw, startUpstream, type Upstream } from '../support/http-peers.ts';
import type { ProxyHarness } from '../support/proxy-harness.ts';

interface Scene {
  readonly proxy: ProxyHarness;
  readonly port: number;
  readonly app: Upstream;
}

/** `orders` is called on port 8080, and is told from what its host says. */
async function scene(t: TestContext): Promise<Scene> {
  const app = await startUpstream(t, (incoming, response) => response.end(`${incoming.headers.host} ${incoming.url}`));
  const orders: Callee = { name: 'orders', loopback: '127.15.210.1', port: 8080, at: app.port };
  const proxy = await startCallerOf(t);
  assert.equal((await proxy.proxy.apply(callerView(null, [orders]))).ok, true);
  return { proxy, port: proxy.port('outbound'), app };
}

/** The socket behind a 200; rejects with the answer where it is another. */
function tunnel(t: TestContext, port: number, to: string): Promise<Socket> {
  return new Promise((done, fail) => {
    const asked = request({ port, host: '127.0.0.1', method: 'CONNECT', path: to, headers: { host: to } });
    asked.once('connect', (answer, socket) => {
      t.after(() => socket.destroy());
      if (answer.statusCode === 200) done(socket);
      else fail(Object.assign(new Error(`status ${answer.statusCode}`), { status: answer.statusCode }));
    });
    asked.once('error', fail);
    asked.end();
  });
}

test('a request in absolute-form goes to the callee that it names, whatever Host says', async (t) => {
  const { port } = await scene(t);
  for (const uri of [
    'http://orders/a?b',
    'http://orders:8080/a?b',
    'http://orders.default.svc/a?b',
    'HTTP://ORDERS./a?b',
  ]) {
    const answer = await ask(port, uri, { headers: { host: 'users' } });
    assert.equal(answer.status, 200, uri);
    assert.match(answer.body, / \/a\?b$/);
  }
});

test('requests go through a tunnel one after the other, each routed and recorded by itself', async (t) => {
  const { proxy, port } = await scene(t);
  const socket = await tunnel(t, port, 'orders:8080');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write('GET /1 HTTP/1.1\r\nHost: anything\r\n\r\nGET /2 HTTP/1.1\r\nHost: anything\r\n\r\n');
  await eventually(() => text.includes('anything /1') && text.includes('anything /2'));
  const lines = await proxy.exchanges(3);
  assert.deepEqual(
    lines.map(({ method, status, listener }) => [method, status, listener]),
    [
      ['CONNECT', 200, 'outbound'],
      ['GET', 200, 'outbound/orders'],
      ['GET', 200, 'outbound/orders'],
    ],
  );
});

test('what a client sends right behind its CONNECT is not lost', async (t) => {
  const { port } = await scene(t);
  const client = await connectRaw(t, port);
  client.socket.write(
    'CONNECT orders:8080 HTTP/1.1\r\nHost: orders:8080\r\n\r\nGET /early HTTP/1.1\r\nHost: orders\r\n\r\n',
  );
  await eventually(() => client.text().includes('orders /early'));
  assert.match(client.text(), /^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
});

test('HTTP/2 goes through a tunnel by prior knowledge', async (t) => {
  const { port } = await scene(t);
  const socket = await tunnel(t, port, 'orders:8080');
  const session = connectHttp2('http://orders:8080', { createConnection: () => socket });
  t.after(() => session.destroy());
  const body = await new Promise<string>((done, fail) => {
    let text = '';
    const stream = session.request({ ':path': '/two' });
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    stream.once('end', () => done(text)).once('error', fail);
  });
  assert.equal(body, 'orders:8080 /two');
});

test('a tunnel that is open goes on with what the next view says', async (t) => {
  const { proxy, port } = await scene(t);
  const socket = await tunnel(t, port, 'orders:8080');
  const other = await startUpstream(t, (_incoming, response) => response.end('moved'));
  const moved: Callee = { name: 'orders', loopback: '127.15.210.1', port: 8080, at: other.port };
  await proxy.proxy.apply(callerView(null, [moved], 'bbbbbbbbbbbbbbbb'));
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write('GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
  await eventually(() => text.endsWith('moved'));
  await proxy.proxy.apply(callerView(null, [], 'cccccccccccccccc'));
  socket.write('GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
  await eventually(() => text.includes('HTTP/1.1 503'));
  await assert.rejects(tunnel(t, port, 'orders:8080'), { status: 403 });
});

test('a drain ends an idle tunnel', async (t) => {
  const { proxy, port } = await scene(t);
  const socket = await tunnel(t, port, 'orders:8080');
  const closed = new Promise((done) => socket.once('close', done));
  socket.resume();
  await proxy.proxy.drain(60_000);
  await closed;
});

/** What must never lead anywhere, however it is written. */
const NOWHERE = [
  ...[
    'example.com:443',
    'orders:443',
    'orders:15006',
    'users:8080',
    'localhost:8080',
    'localhost.:8080',
    '127.0.0.1:8080',
  ],
  ...[
    '127.1:8080',
    '2130706433:8080',
    '0x7f000001:8080',
    '0177.0.0.1:8080',
    '0.0.0.0:8080',
    '0:8080',
    '[::1]:8080',
    '[::]:8080',
  ],
  ...['[::ffff:127.0.0.1]:8080', '[::ffff:7f00:1]:8080', '[fe80::1]:8080', '169.254.169.254:80', '127.15.210.2:8080'],
];

test('nothing but a callee is reached, by request or tunnel: 403 with what to do', async (t) => {
  const { proxy, port, app } = await scene(t);
  // Also a port at which somebody listens, and Weft's own.
  for (const to of [
    ...NOWHERE,
    `127.0.0.1:${app.port}`,
    `localhost:${app.port}`,
    `127.0.0.1:${port}`,
    `[::1]:${port}`,
  ]) {
    await assert.rejects(tunnel(t, port, to), { status: 403 }, to);
    const answer = await ask(port, `http://${to}/`, { headers: { host: 'orders' } });
    assert.equal(answer.status, 403, to);
    assert.match(answer.body, /"code":"egress-denied","message":"[^"]*NO_PROXY"/);
  }
  assert.equal(app.connections(), 0);
  assert.match(String(proxy.lines.find(({ message }) => message === 'denied')?.fields['hint']), /example\.com/);
});

test('a malformed CONNECT is refused, and nothing behind it is taken for a request', async (t) => {
  const { port, app } = await scene(t);
  const heads = [
    ...[
      'orders',
      'orders:',
      ':8080',
      'http://orders:8080/',
      '/orders:8080',
      '*',
      'orders:99999',
      'orders:8080/',
      'a@orders:8080',
    ],
    ...[
      'user:pass@orders:8080',
      '[::1%25lo]:8080',
      '[::1]8080',
      '::1:8080',
      'orders:80:80',
      'orders%2e:8080',
      '[orders]:8080',
    ],
  ].map((to) => `CONNECT ${to} HTTP/1.1\r\nHost: orders:8080\r\n\r\n`);
  const framed = ['Content-Length: 5', 'Transfer-Encoding: chunked'].map(
    (field) => `CONNECT orders:8080 HTTP/1.1\r\nHost: orders:8080\r\n${field}\r\n\r\n`,
  );
  for (const head of [...heads, ...framed, 'CONNECT orders:8080 HTTP/1.1\r\n\r\n']) {
    const client = await connectRaw(t, port);
    client.socket.write(`${head}GET /smuggled HTTP/1.1\r\nHost: orders\r\n\r\n`);
    await client.closed;
    assert.match(client.text(), /^HTTP\/1\.1 400 /, head);
    assert.equal(client.text().split('HTTP/1.1 ').length, 2, head);
  }
  assert.equal(app.connections(), 0);
});

test('a tunnel within a tunnel is not spoken', async (t) => {
  const { port } = await scene(t);
  const client = await connectRaw(t, port);
  const connect = 'CONNECT orders:8080 HTTP/1.1\r\nHost: orders:8080\r\n\r\n';
  client.socket.write(connect + connect);
  await client.closed;
  assert.match(client.text(), /^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 501 /);
});
