// Server and client codec back to back, between a node:http client and a node:http app.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, Agent, type IncomingMessage, request, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type Relay, startRelay } from './relay.ts';

let app: Server;
let relay: Relay;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

const answer: RequestListener = (req, res) => {
  const parts: Buffer[] = [];
  req.on('data', (part: Buffer) => parts.push(part));
  req.on('end', () => {
    const body = Buffer.concat(parts);
    if (req.url === '/chunked') {
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

before(async () => {
  app = createServer(answer).listen(0, '127.0.0.1');
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
