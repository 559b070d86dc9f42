// Limits on waiting as a client meets them, on real sockets; those with a clock of their own are units.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ask, connectRaw, startRawUpstream } from '../support/http-peers.ts';
import { outboundView, startCaller } from '../support/mesh-pair.ts';
import { edgeView, route, startProxy } from '../support/proxy-harness.ts';
import { makeTestAuthority } from '../support/test-authority.ts';

test('a sidecar that accepts and never shakes hands is a connect-timeout', async (t) => {
  const silent = await startRawUpstream(t, () => {});
  const authority = await makeTestAuthority();
  const caller = await startCaller(t, authority, outboundView([silent]));
  const answer = await ask(caller.port('outbound/payments'), '/');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['x-weft-error'], 'connect-timeout');
  const [exchange] = await caller.exchanges(1);
  assert.deepEqual([exchange?.['code'], exchange?.['flag']], ['connect-timeout', 'UF']);
  assert.match(String(exchange?.['detail']), /no handshake within 2000 ms/);
});

test('an upgraded connection outlives the limit of a request, and is cut after its own silence', async (t) => {
  const port = await startRawUpstream(t, (socket) => {
    socket.once('data', () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.on('data', (chunk) => socket.write(chunk));
    });
  });
  const routes = [route('/', { timeout: 300, idleTimeout: 600 })];
  const edge = await startProxy(t, { view: edgeView([port], { routes }) });
  const client = await connectRaw(t, edge.port());
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await eventually(() => client.text().includes('\r\n\r\n'));
  const begun = performance.now();
  for (let said = 0; performance.now() - begun < 1_500; said++) {
    client.socket.write(`${said};`);
    await eventually(() => client.text().endsWith(`${said};`));
    await new Promise((done) => setTimeout(done, 100));
  }
  await client.closed;
  const [exchange] = await edge.exchanges(1);
  assert.deepEqual([exchange?.['status'], exchange?.['code'], exchange?.['flag']], [101, 'stream-idle', 'SI']);
});

test('an answer that falls silent is cut, so that the client can see it', async (t) => {
  const port = await startRawUpstream(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome'));
  });
  const edge = await startProxy(t, { view: edgeView([port], { routes: [route('/', { idleTimeout: 300 })] }) });
  await assert.rejects(ask(edge.port(), '/'));
  const [exchange] = await edge.exchanges(1);
  assert.deepEqual([exchange?.['status'], exchange?.['code']], [200, 'stream-idle']);
});

test('a slow instance is given up for another one', async (t) => {
  const [slow, quick] = [
    await startRawUpstream(t, () => {}),
    await startRawUpstream(t, (socket) => {
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nquick'));
    }),
  ];
  const routes = [route('/', { timeout: 5_000, perTryTimeout: 300 })];
  const edge = await startProxy(t, { view: edgeView([slow, quick], { routes }) });
  const answers = [await ask(edge.port(), '/'), await ask(edge.port(), '/')];
  assert.deepEqual(
    answers.map(({ body }) => body),
    ['quick', 'quick'],
  );
  const exchanges = await edge.exchanges(2);
  assert.ok(exchanges.some(({ attempts }) => attempts === 2));
});
