// Server and client codec back to back, between a node:http client and a node:http app.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { eventually } from '../../../support/eventually.ts';
import { type Relay, startRelay } from './relay.ts';

let app: Server;
let relay: Relay;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const answer: RequestListener = (req, res) => {
  const parts: Buffer[] = [];
  req.on('data', (part: Buffer) => parts.push(part));
  req.on('end', () => {
    const body = Buffer.concat(parts);
    if (req.url === '/endless') {
      pour(res);
    } else if (req.url === '/cut') {
      res.writeHead(200, { 'Content-Length': 100 });
      res.write('only this');
      setImmediate(() => res.socket?.destroy());
    } else if (req.url === '/chunked') {
      res.writeHead(200, { Trailer: 'X-Sum' });
      res.write(body);
      res.addTrailers({ 'X-Sum': String(body.length) });
      res.end();
    } else {
      res.writeHead(200, { 'X-Mixed-Case': 'kept', 'Content-Length': body.length });
      res.end(body);
    }
  });
};

/** Bytes that the app could get rid of. */
let poured = 0;

/** Writes 64 MiB as fast as they are taken. */
function pour(res: ServerResponse): void {
  const piece = Buffer.alloc(65_536, 'weft');
  poured = 0;
  const more = (): void => {
    while (poured < 67_108_864) {
      poured += piece.length;
      if (!res.write(piece)) return void res.once('drain', more);
    }
    res.end();
  };
  more();
}

before(async () => {
  app = createServer(answer).listen(0, '127.0.0.1');
  app.on('upgrade', (req, socket, head) => {
    socket.write(`HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: ${req.headers.upgrade}\r\n\r\nhello:`);
    socket.write(head);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await once(app, 'listening');
  relay = await startRelay((app.address() as AddressInfo).port);
});

after(async () => {
  agent.destroy();
  await relay.close();
  app.closeAllConnections();
  app.close();
});

async function call(
  method: string,
  path: string,
  body: Buffer | null,
  chunked = false,
): Promise<[IncomingMessage, Buffer]> {
  const headers: Record<string, string | number> = chunked || body === null ? {} : { 'Content-Length': body.length };
  const req = request({ port: relay.port, host: '127.0.0.1', method, path, agent, headers });
  if (body !== null) req.write(body);
  req.end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of res) parts.push(part as Buffer);
  return [res, Buffer.concat(parts)];
}

test('a GET is answered and header names keep their case', async () => {
  const [res, body] = await call('GET', '/', null);
  assert.equal(res.statusCode, 200);
  assert.ok(res.rawHeaders.includes('X-Mixed-Case'));
  assert.equal(body.length, 0);
});

for (const size of [1, 1_000, 70_000, 3_000_000]) {
  const sent = Buffer.alloc(size, 'weft');
  test(`a body of ${size} bytes comes back whole, with a length and in chunks`, async () => {
    for (const path of ['/', '/chunked']) {
      for (const chunked of [false, true]) {
        const [res, body] = await call('POST', path, sent, chunked);
        assert.equal(res.statusCode, 200);
        assert.ok(body.equals(sent));
        if (path === '/chunked') assert.equal(res.trailers['x-sum'], String(size));
      }
    }
  });
}

test('one upstream connection carries requests one after the other', async () => {
  const before = relay.opened;
  for (let i = 0; i < 5; i++) await call('GET', '/', null);
  assert.equal(relay.opened, before);
  assert.equal(before, 1);
});

test('HEAD is answered with the length and without the body', async () => {
  const [res, body] = await call('HEAD', '/', Buffer.from('12345'));
  assert.equal(res.headers['content-length'], '5');
  assert.equal(body.length, 0);
});

function raw(): Socket & { received: string } {
  const socket = Object.assign(connect(relay.port, '127.0.0.1'), { received: '' });
  socket.on('data', (chunk) => {
    socket.received += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  return socket;
}

test('requests that are pipelined over one connection are answered in order', async () => {
  const socket = raw();
  const bodies = Array.from({ length: 50 }, (_, i) => `body-${i};`);
  for (const body of bodies) {
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }
  await eventually(() => socket.received.endsWith('body-49;'));
  assert.deepEqual(socket.received.match(/body-\d+;/g), bodies);
  socket.destroy();
});

test('a request in single bytes is a request', async () => {
  const socket = raw();
  socket.setNoDelay(true);
  for (const byte of 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n') {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(await eventually(() => socket.received.endsWith('hello')));
  socket.destroy();
});

test('an answer that its upstream breaks off is seen to be broken off', async () => {
  const req = request({ port: relay.port, host: '127.0.0.1', path: '/cut' });
  req.end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  res.resume();
  const [error] = (await once(res, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNRESET');
});

test('a client that does not read makes the upstream wait, and then gets everything', async () => {
  const req = request({ port: relay.port, host: '127.0.0.1', path: '/endless' });
  req.end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  let last = -1;
  // The app is at rest once nothing more was taken between two looks.
  await eventually(() => {
    const resting = poured === last && poured > 0;
    last = poured;
    return resting;
  });
  // Kernel buffers of two connections on loopback take some MiB; the proxy itself must not.
  assert.ok(poured < 33_554_432, `${poured} bytes were taken`);
  let total = 0;
  for await (const part of res) total += (part as Buffer).length;
  assert.equal(total, 67_108_864);
});

test('an upgraded connection carries bytes both ways, early ones too', async () => {
  const socket = raw();
  socket.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly,');
  await eventually(() => socket.received.endsWith('hello:early,'));
  assert.match(socket.received, /^HTTP\/1\.1 101 Switching\r\n(?:.+\r\n)*Upgrade: echo\r\n/);
  socket.write('late');
  assert.ok(await eventually(() => socket.received.endsWith('early,late')));
  socket.destroy();
});

test('a refused request gets its answer before the connection closes, even in the middle of much input', async () => {
  const socket = raw();
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${'x'.repeat(500_000)}`);
  await once(socket, 'close');
  assert.match(socket.received, /^HTTP\/1\.1 400 [\s\S]*bad-request: more than one Host$/);
});
