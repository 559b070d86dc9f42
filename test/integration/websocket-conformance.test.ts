// WebSocket (RFC 6455) as `ws` speaks it, with peers of every temper, through an edge and through a pair of sidecars.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { before, describe, type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually } from '../support/eventually.ts';
import { connectRaw, startRawUpstream } from '../support/http-peers.ts';
import { outboundView, startCallee, startCaller } from '../support/mesh-pair.ts';
import { edgeView, startProxy } from '../support/proxy-harness.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

const MIB = 1_048_576;

/** Where a client reaches the app on a port. */
type Open = (t: TestContext, app: number) => Promise<number>;

interface App {
  readonly port: number;
  readonly server: WebSocketServer;
}

async function startApp(t: TestContext, onSocket: (socket: WebSocket) => void): Promise<App> {
  const http = createServer();
  const server = new WebSocketServer({
    server: http,
    maxPayload: 100 * MIB,
    perMessageDeflate: true,
    // Its own answers end a connection that is flooded; here every ping is to be seen.
    autoPong: false,
    handleProtocols: (offered) => (offered.has('chat') ? 'chat' : false),
  });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
    http.closeAllConnections();
    http.close();
  });
  return { port: (http.address() as AddressInfo).port, server };
}

const echo = (socket: WebSocket): void => {
  socket.on('ping', (data) => socket.pong(data));
  socket.on('message', (data, binary) => socket.send(data, { binary, compress: false }));
};

async function openSocket(t: TestContext, port: number, protocols: string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/charge`, protocols, { maxPayload: 100 * MIB, autoPong: false });
  t.after(() => socket.terminate());
  await new Promise<void>((done, fail) => {
    socket.on('open', done);
    socket.on('error', fail);
  });
  return socket;
}

function next(socket: WebSocket): Promise<Buffer> {
  return new Promise((done) => socket.once('message', (data) => done(data as Buffer)));
}

function closeOf(socket: WebSocket): Promise<readonly [code: number, reason: string]> {
  return new Promise((done) => socket.once('close', (code, reason) => done([code, reason.toString()])));
}

/** A frame of a client: masked with zeros, so that the payload stays as it is. */
function frame(payload: string): Buffer {
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);
}

const HANDSHAKE =
  'GET /charge HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

function agreed(request: string): string {
  const key = /sec-websocket-key: (.+)\r\n/i.exec(request)?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const fields = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n`;
  return `HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`;
}

function conformance(open: Open): void {
  test('a message in a thousand fragments, with pings between them, comes out whole', async (t) => {
    const app = await startApp(t, echo);
    const socket = await openSocket(t, await open(t, app.port));
    const answer = next(socket);
    let pongs = 0;
    socket.on('pong', () => void (pongs += 1));
    for (let i = 0; i < 1_000; i++) {
      socket.send(Buffer.alloc(97, i % 256), { fin: i === 999, compress: false, binary: true });
      if (i % 100 === 0) socket.ping();
    }
    const whole = await answer;
    assert.equal(whole.length, 97_000);
    for (let i = 0; i < 1_000; i++) assert.equal(whole[i * 97], i % 256);
    assert.equal(pongs, 10);
  });

  test('ten MiB pass both ways, plain and compressed', async (t) => {
    const app = await startApp(t, echo);
    const socket = await openSocket(t, await open(t, app.port));
    assert.match(socket.extensions, /permessage-deflate/);
    for (const compress of [false, true]) {
      const answer = next(socket);
      const sent = Buffer.alloc(10 * MIB, 'weft');
      socket.send(sent, { compress });
      assert.ok((await answer).equals(sent));
    }
  });

  test('a flood of pings from either side is answered, ping by ping', async (t) => {
    let pongs = 0;
    const app = await startApp(t, (socket) => {
      socket.on('ping', (data) => socket.pong(data));
      socket.on('pong', () => void (pongs += 1));
      socket.on('message', () => {
        for (let i = 0; i < 5_000; i++) socket.ping();
      });
    });
    const socket = await openSocket(t, await open(t, app.port));
    let answered = 0;
    socket.on('ping', (data) => socket.pong(data));
    socket.on('pong', () => void (answered += 1));
    for (let i = 0; i < 5_000; i++) socket.ping('x');
    socket.send('your turn');
    await eventually(() => answered === 5_000 && pongs === 5_000);
    assert.equal(socket.readyState, WebSocket.OPEN);
  });

  test('a client that does not read holds its app back, and gets everything in the end', async (t) => {
    let sender: WebSocket | null = null;
    const app = await startApp(t, (socket) => {
      sender = socket;
      for (let i = 0; i < 100; i++) socket.send(Buffer.alloc(MIB, i), { compress: false });
    });
    const port = await open(t, app.port);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/charge`, { maxPayload: 100 * MIB });
    t.after(() => socket.terminate());
    let got = 0;
    socket.on('message', (data) => {
      assert.equal((data as Buffer)[0], got);
      got += 1;
    });
    await new Promise((done) => socket.once('open', done));
    socket.pause();
    let waiting = 0;
    let seen = 0;
    // Until nothing moves any more: what is not with the app by then is on the way, in sockets and proxies.
    await eventually(() => {
      const now = sender?.bufferedAmount ?? 0;
      seen = now === waiting && now > 0 ? seen + 1 : 0;
      waiting = now;
      return seen > 10;
    });
    assert.ok(waiting > 60 * MIB, `the app holds only ${waiting} bytes of a hundred MiB`);
    socket.resume();
    await eventually(() => got === 100);
  });

  test('frames that come right behind the handshake reach the app', async (t) => {
    const heard: string[] = [];
    const app = await startApp(t, (socket) => socket.on('message', (data) => heard.push((data as Buffer).toString())));
    const client = await connectRaw(t, await open(t, app.port));
    client.socket.write(Buffer.concat([Buffer.from(HANDSHAKE), frame('one'), frame('two').subarray(0, 3)]));
    client.socket.write(frame('two').subarray(3));
    await eventually(() => heard.length === 2);
    assert.deepEqual(heard, ['one', 'two']);
  });

  test('what an app says right behind its 101 reaches the client', async (t) => {
    const port = await startRawUpstream(t, (socket) => {
      socket.once('data', (data) => socket.write(`${agreed(data.toString())}\x81\x05early`, 'latin1'));
    });
    const client = new WebSocket(`ws://127.0.0.1:${await open(t, port)}/charge`);
    t.after(() => client.terminate());
    assert.equal((await next(client)).toString(), 'early');
  });

  test('the code and the reason of a close pass both ways', async (t) => {
    const closes: (readonly [number, string])[] = [];
    const app = await startApp(t, (socket) => {
      socket.on('message', () => socket.close(4_001, 'enough'));
      socket.on('close', (code, reason) => closes.push([code, reason.toString()]));
    });
    const port = await open(t, app.port);
    const first = await openSocket(t, port);
    const told = closeOf(first);
    first.send('hello');
    assert.deepEqual(await told, [4_001, 'enough']);
    const second = await openSocket(t, port);
    second.close(4_002, 'so long');
    await eventually(() => closes.length === 2);
    assert.deepEqual(closes[1], [4_002, 'so long']);
  });

  test('an app that dies is an abnormal end for its client, and the other way round', async (t) => {
    const codes: number[] = [];
    const app = await startApp(t, (socket) => {
      socket.on('message', () => socket.terminate());
      socket.on('close', (code) => codes.push(code));
    });
    const port = await open(t, app.port);
    const first = await openSocket(t, port);
    first.on('error', () => {});
    const told = closeOf(first);
    first.send('die');
    assert.equal((await told)[0], 1_006);
    const second = await openSocket(t, port);
    second.terminate();
    await eventually(() => codes.length === 2);
    assert.equal(codes[1], 1_006);
  });

  test('a side that has ended still hears what the other one has to say', async (t) => {
    const ends: string[] = [];
    const port = await startHalfClosing(t, (socket, last) => {
      ends.push(last);
      socket.end('and goodbye');
    });
    const client = await connectRaw(t, await open(t, port));
    client.socket.write(HANDSHAKE);
    await eventually(() => client.text().includes('\r\n\r\n'));
    client.socket.end('last words');
    await client.closed;
    assert.match(client.text(), /and goodbye$/);
    assert.deepEqual(ends, ['last words']);
  });

  test('a subprotocol is agreed on end to end', async (t) => {
    const app = await startApp(t, echo);
    const port = await open(t, app.port);
    assert.equal((await openSocket(t, port, ['soap', 'chat'])).protocol, 'chat');
  });

  test('an app that refuses is heard as an ordinary answer', async (t) => {
    const port = await startRawUpstream(t, (socket) => {
      socket.on('data', () => socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nnobody'));
    });
    const client = new WebSocket(`ws://127.0.0.1:${await open(t, port)}/charge`);
    client.on('error', () => {});
    const status = await new Promise((done) =>
      client.on('unexpected-response', (_request, answer) => done(answer.statusCode)),
    );
    assert.equal(status, 401);
  });
}

/** An app that switches and, when its client has ended, is given the socket and what the client said. */
async function startHalfClosing(t: TestContext, onEnd: (socket: Socket, said: string) => void): Promise<number> {
  const server = createServer({ requireHostHeader: false });
  server.on('upgrade', (incoming, socket: Socket, early) => {
    let said = early.toString();
    socket.allowHalfOpen = true;
    socket.on('data', (data) => void (said += data.toString()));
    socket.on('end', () => onEnd(socket, said));
    socket.on('error', () => {});
    socket.write(agreed(`sec-websocket-key: ${incoming.headers['sec-websocket-key'] ?? ''}\r\n`));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('WebSocket through an edge', () => {
  conformance(async (t, app) => (await startProxy(t, { view: edgeView([app], { timeout: 5_000 }) })).port());
});

describe('WebSocket through two sidecars', () => {
  let authority: TestAuthority;
  before(async () => {
    authority = await makeTestAuthority();
  });
  conformance(async (t, app) => {
    const payments = await startCallee(t, authority, app);
    const orders = await startCaller(t, authority, outboundView([payments.port('inbound')]));
    return orders.port('outbound/payments');
  });
});
