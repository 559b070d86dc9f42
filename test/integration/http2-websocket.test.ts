// WebSockets where either side speaks HTTP/2 (extended CONNECT, RFC 8441), through an edge and between sidecars.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually } from '../support/eventually.ts';
import { askHttp2, connectHttp2, startHttp2Upstream } from '../support/http2-peers.ts';
import { echoOn, nextMessage, openTunnel, openWebSocket } from '../support/http2-web-socket.ts';
import { startRawUpstream, startUpstream } from '../support/http-peers.ts';
import { outboundView, startCallee, startCaller } from '../support/mesh-pair.ts';
import { edgeView, startProxy, type ProxyHarness } from '../support/proxy-harness.ts';
import { makeTestAuthority } from '../support/test-authority.ts';

const SIZES = [1, 125, 70_000, 3_000_000];

/** An app that speaks HTTP/1.1 and sends back what comes. */
async function echoApp(t: TestContext): Promise<number> {
  const http = createServer((_incoming, response) => response.end('plain'));
  const server = new WebSocketServer({ server: http });
  server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
    http.closeAllConnections();
    http.close();
  });
  return (http.address() as AddressInfo).port;
}

async function assertEchoes(socket: WebSocket): Promise<void> {
  for (const size of SIZES) {
    const answer = nextMessage(socket);
    socket.send(Buffer.alloc(size, 'w'));
    assert.equal((await answer).length, size);
  }
}

async function closeInOrder(socket: WebSocket): Promise<void> {
  const closed = new Promise<number>((done) => socket.once('close', (code) => done(code)));
  socket.close(1000);
  assert.equal(await closed, 1000);
}

/** An app on raw HTTP/1.1 that agrees to every WebSocket and hands its socket over. */
async function rawApp(t: TestContext, agreed: (socket: Socket, key: string) => void): Promise<number> {
  return startRawUpstream(t, (socket) => {
    let text = '';
    const read = (data: Buffer): void => {
      text += data.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      socket.off('data', read);
      agreed(socket, /sec-websocket-key: (\S+)/i.exec(text)?.[1] ?? '');
    };
    socket.on('data', read);
  });
}

function accept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

function switching(proof: string): string {
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${proof}\r\n\r\n`;
}

/** An edge before an app whose socket the test holds. */
async function tunnelToRawApp(t: TestContext): Promise<{
  edge: ProxyHarness;
  stream: ClientHttp2Stream;
  app: Socket;
}> {
  let app: Socket | null = null;
  const port = await rawApp(t, (socket, key) => {
    app = socket;
    socket.allowHalfOpen = true;
    socket.write(switching(accept(key)));
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const { stream } = await openTunnel(await connectHttp2(t, edge.port()), '/raw');
  return { edge, stream, app: app as unknown as Socket };
}

test('a client of HTTP/2 and an app of HTTP/1.1: messages of all sizes, an end in order, one line in the log', async (t) => {
  const edge = await startProxy(t, { view: edgeView([await echoApp(t)], { timeout: 150 }) });
  const session = await connectHttp2(t, edge.port());
  await eventually(() => session.remoteSettings.enableConnectProtocol === true);
  const { socket, fields } = await openWebSocket(session);
  assert.equal(fields['sec-websocket-accept'], undefined);
  assert.equal(fields['upgrade'], undefined);
  await assertEchoes(socket);
  await closeInOrder(socket);
  const [line] = await edge.exchanges(1);
  assert.equal(line?.['status'], 101);
  assert.equal(line?.['flag'], '-');
  assert.ok(Number(line?.['requestBytes']) > 3_070_000);
  // The connection goes on.
  await closeInOrder((await openWebSocket(session)).socket);
});

test('a client of HTTP/1.1 and an app of HTTP/2', async (t) => {
  const app = await startHttp2Upstream(t, (stream) => void echoOn(stream), { enableConnectProtocol: true });
  const edge = await startProxy(t, { view: edgeView([app.port], { protocol: 'http2' }) });
  for (let i = 0; i < 3; i++) {
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port()}/socket`);
    t.after(() => socket.terminate());
    await new Promise((done, fail) => {
      socket.on('open', done);
      socket.on('error', fail);
    });
    await assertEchoes(socket);
    await closeInOrder(socket);
  }
  assert.equal(app.sessions(), 1);
});

test('HTTP/2 on both sides', async (t) => {
  const seen: unknown[] = [];
  const app = await startHttp2Upstream(
    t,
    (stream, fields) => {
      seen.push(fields[':method'], fields[':protocol'], fields[':path'], fields['sec-websocket-key']);
      echoOn(stream);
    },
    { enableConnectProtocol: true },
  );
  const edge = await startProxy(t, { view: edgeView([app.port], { protocol: 'http2' }) });
  const { socket } = await openWebSocket(await connectHttp2(t, edge.port()), '/both');
  await assertEchoes(socket);
  await closeInOrder(socket);
  assert.deepEqual(seen, ['CONNECT', 'websocket', '/both', undefined]);
});

test('between sidecars every WebSocket has a connection of its own, and requests go on sharing theirs', async (t) => {
  const authority = await makeTestAuthority();
  const payments = await startCallee(t, authority, await echoApp(t));
  const orders = await startCaller(t, authority, outboundView([payments.port('inbound')]));
  const session = await connectHttp2(t, orders.port('outbound/payments'));
  const accepted = (): number => payments.proxy.acceptors.find(({ name }) => name === 'inbound')?.counts.accepted ?? 0;
  const first = await openWebSocket(session, '/charge/one');
  const second = await openWebSocket(session, '/charge/two');
  assert.equal((await askHttp2(session, '/charge')).body.toString(), 'plain');
  await Promise.all([assertEchoes(first.socket), assertEchoes(second.socket)]);
  assert.equal(accepted(), 3);
  await closeInOrder(first.socket);
  second.socket.terminate();
  await eventually(() => orders.proxy.clusters.states.get('payments')?.pools[0]?.active === 0);
});

test('an app that has only ended its side still hears, and the other way round', async (t) => {
  const { stream, app } = await tunnelToRawApp(t);
  const heard: string[] = [];
  app.on('data', (data) => heard.push(data.toString()));
  app.end('last words');
  let text = '';
  stream.on('data', (data: Buffer) => void (text += data.toString()));
  await new Promise((done) => stream.once('end', done));
  assert.equal(text, 'last words');
  stream.write('are you there?');
  await eventually(() => heard.join('') === 'are you there?');
  const ended = new Promise((done) => app.once('end', done));
  stream.end();
  await ended;
});

test('an app whose connection breaks is a reset stream, and a client that breaks off breaks its connection', async (t) => {
  const broken = await tunnelToRawApp(t);
  const closed = new Promise((done) => broken.stream.once('close', done));
  broken.app.resetAndDestroy();
  await closed;
  assert.equal(broken.stream.rstCode, 8);

  const cut = await tunnelToRawApp(t);
  const gone = new Promise<NodeJS.ErrnoException>((done) => cut.app.once('error', done));
  cut.stream.session?.destroy();
  assert.equal((await gone).code, 'ECONNRESET');
  await cut.edge.exchanges(1);
});

test('an app that does not read holds the client back, and loses nothing', async (t) => {
  const { stream, app } = await tunnelToRawApp(t);
  app.pause();
  let got = 0;
  app.on('data', (data) => void (got += data.length));
  app.pause();
  const chunk = Buffer.alloc(65_536);
  let sent = 0;
  const more = (): void => {
    while (sent < 800 && stream.write(chunk)) sent += 1;
  };
  stream.on('drain', () => {
    sent += 1;
    more();
  });
  more();
  let before = -1;
  await eventually(() => {
    const still = sent === before;
    before = sent;
    return still;
  });
  assert.ok(sent < 400, `${sent} chunks of 64 KiB were taken`);
  app.resume();
  await eventually(() => got >= 800 * 65_536);
});

test('an app that does not switch answers as usual, or with 502 where that would look like a tunnel', async (t) => {
  let status = 404;
  const { port } = await startUpstream(t, (_incoming, response) => {
    response.statusCode = status;
    response.end('no socket here');
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const session = await connectHttp2(t, edge.port());
  await assert.rejects(openTunnel(session, '/'), /404/);
  status = 200;
  await assert.rejects(openTunnel(session, '/'), /502/);
  const [, line] = await edge.exchanges(2);
  assert.equal(line?.['code'], 'upstream-protocol');
});

test('an app that agrees without the proof is no WebSocket', async (t) => {
  const port = await rawApp(t, (socket) => socket.write(switching('bm8gcHJvb2Y=')));
  const edge = await startProxy(t, { view: edgeView([port]) });
  const session = await connectHttp2(t, edge.port());
  await assert.rejects(openTunnel(session, '/'), /closed with 8|CANCEL/);
});

test('an app of HTTP/2 without extended CONNECT is a clear failure', async (t) => {
  const app = await startHttp2Upstream(t, (stream) => stream.respond({ ':status': 200 }, { endStream: true }));
  const edge = await startProxy(t, { view: edgeView([app.port], { protocol: 'http2' }) });
  await assert.rejects(openTunnel(await connectHttp2(t, edge.port()), '/'), /502/);
  const [line] = await edge.exchanges(1);
  assert.match(String(line?.['detail']), /RFC 8441/);
});

test('a tunnel is cut at the end of the drain', async (t) => {
  const edge = await startProxy(t, { view: edgeView([await echoApp(t)]) });
  const { stream, socket } = await openWebSocket(await connectHttp2(t, edge.port()));
  socket.on('error', () => {});
  const closed = new Promise((done) => stream.once('close', done));
  await edge.proxy.drain(150);
  await closed;
});
