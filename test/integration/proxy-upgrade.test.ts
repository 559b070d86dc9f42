// Upgraded connections: WebSocket through an edge and through a pair of sidecars' worth of codecs.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { eventually } from '../support/eventually.ts';
import { ask, connectRaw, startRawUpstream, startUpstream } from '../support/http-peers.ts';
import { edgeView, startProxy } from '../support/proxy-harness.ts';

async function echoServer(t: TestContext): Promise<number> {
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

async function open(t: TestContext, port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
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

test('a WebSocket is spliced both ways, outlives the route timeout and is recorded at its end', async (t) => {
  const upstream = await echoServer(t);
  const edge = await startProxy(t, { view: edgeView([upstream], { timeout: 150 }) });
  const socket = await open(t, edge.port());
  for (const size of [1, 125, 70_000, 3_000_000]) {
    const answer = next(socket);
    socket.send(Buffer.alloc(size, 'w'));
    assert.equal((await answer).length, size);
  }
  const began = performance.now();
  await eventually(() => performance.now() - began > 400);
  const still = next(socket);
  socket.send('still here');
  assert.equal((await still).toString(), 'still here');
  socket.close();
  const [line] = await edge.exchanges(1);
  assert.equal(line?.['status'], 101);
  assert.equal(line?.['flag'], '-');
  assert.ok(Number(line?.['requestBytes']) > 3_070_000);
  assert.ok(Number(line?.['responseBytes']) > 3_070_000);
});

test('a view swap leaves an upgraded connection alone', async (t) => {
  const upstream = await echoServer(t);
  const edge = await startProxy(t, { view: edgeView([upstream]) });
  const socket = await open(t, edge.port());
  const other = await startUpstream(t, (_incoming, response) => response.end('other'));
  await edge.proxy.apply(edgeView([other.port], { snapshot: 'bbbbbbbbbbbbbbbb' }));
  assert.equal((await ask(edge.port(), '/')).body, 'other');
  const answer = next(socket);
  socket.send('hello');
  assert.equal((await answer).toString(), 'hello');
});

test('an upstream that does not upgrade answers as usual', async (t) => {
  const upstream = await startUpstream(t, (_incoming, response) => response.end('no socket here'));
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const answer = await ask(edge.port(), '/', { headers: { connection: 'upgrade', upgrade: 'websocket' } });
  assert.equal(answer.status, 200);
  assert.equal(answer.body, 'no socket here');
});

test('bytes that came with the 101 are not lost, and one side that ends ends the other', async (t) => {
  let ended = false;
  const port = await startRawUpstream(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: own\r\n\r\nearly');
      socket.on('data', (data) => socket.write(data));
    });
    socket.on('end', () => {
      ended = true;
    });
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const client = await connectRaw(t, edge.port());
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: own\r\n\r\n');
  await eventually(() => client.text().endsWith('early'));
  client.socket.write('late');
  await eventually(() => client.text().endsWith('earlylate'));
  client.socket.end();
  await eventually(() => ended);
  await client.closed;
  await edge.exchanges(1);
});

test('a tunnel is cut at the end of the drain', async (t) => {
  const upstream = await echoServer(t);
  const edge = await startProxy(t, { view: edgeView([upstream]) });
  const socket = await open(t, edge.port());
  const closed = new Promise((done) => socket.on('close', done));
  socket.on('error', () => {});
  await edge.proxy.drain(150);
  await closed;
});
