import assert from 'node:assert/strict';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { test, type TestContext } from 'node:test';
import { milliseconds } from '../../../../core/model/brand.ts';
import { DEFAULT_HEALTH, type HealthCheck } from '../../../../core/model/health.ts';
import type { Protocol } from '../../../../core/model/mesh.ts';
import { probe } from '../../../../proxy/health/probe.ts';

async function listening(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function asked(port: number, check: Partial<HealthCheck> = {}, protocol: Protocol = 'http'): Promise<string> {
  return probe({ address: { host: '127.0.0.1', port }, protocol, check: { ...DEFAULT_HEALTH, ...check } });
}

const http = (t: TestContext, answer: RequestListener): Promise<number> => listening(t, createHttp(answer));

test('a TCP connection is enough where no path is given, and it is closed in order', async (t) => {
  let ended = (): void => {};
  const closed = new Promise<void>((done) => {
    ended = done;
  });
  const port = await listening(
    t,
    createServer((socket) => socket.on('end', ended).resume()),
  );
  assert.equal(await asked(port), '');
  await closed;
});

test('where nobody listens that is said', async (t) => {
  const server = createServer();
  const port = await listening(t, server);
  await new Promise((done) => server.close(done));
  assert.equal(await asked(port), 'nobody listens');
  assert.equal(await asked(port, { path: '/' }), 'nobody listens');
  assert.equal(await asked(port, { path: '/' }, 'http2'), 'nobody listens');
});

test('a path is asked for with GET, and 2xx and 3xx are an answer', async (t) => {
  const seen: string[] = [];
  const port = await http(t, ({ method, url, headers }, response) => {
    seen.push(`${method} ${url} ${headers['user-agent']}`);
    response.writeHead(Number(url?.slice(1)), { location: '/' }).end();
  });
  for (const status of [200, 204, 302, 399]) assert.equal(await asked(port, { path: `/${status}` }), '');
  for (const status of [404, 500, 503]) {
    assert.equal(await asked(port, { path: `/${status}` }), `/${status} answered with ${status}`);
  }
  assert.equal(seen[0], 'GET /200 weft-health');
});

test('an answer that does not come, or whose head does not end, is not waited for', async (t) => {
  const silent = await listening(
    t,
    createServer((socket) => socket.on('error', () => {}).resume()),
  );
  const check = { path: '/', timeout: milliseconds(40) };
  assert.equal(await asked(silent, check), 'no answer in 40 ms');
  assert.equal(await asked(silent, check, 'http2'), 'no answer in 40 ms');
  const dripping = await listening(
    t,
    createServer((socket) => {
      const drip = setInterval(() => socket.write('x'), 5);
      socket.on('error', () => {}).on('close', () => clearInterval(drip));
      socket.write('HTTP/1.1 200 OK\r\nx-drip: ');
    }),
  );
  assert.equal(await asked(dripping, check), 'no answer in 40 ms');
});

test('what is no HTTP, or too much of it, is a failure and not a fault', async (t) => {
  const answering = (text: string): Promise<number> =>
    listening(
      t,
      createServer((socket) => socket.on('error', () => {}).end(text)),
    );
  assert.notEqual(await asked(await answering('+PONG\r\n'), { path: '/' }), '');
  assert.notEqual(
    await asked(await answering(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(200_000)}\r\n\r\n`), { path: '/' }),
    '',
  );
  assert.notEqual(await asked(await answering(''), { path: '/' }), '');
  assert.notEqual(await asked(await answering('+PONG\r\n'), { path: '/' }, 'http2'), '');
});

test('a large body is not read', async (t) => {
  let written = 0;
  const port = await http(t, (_, response) => {
    response.on('error', () => {});
    const chunk = Buffer.alloc(65_536);
    const more = (): void => {
      while (!response.destroyed && response.write(chunk)) written += chunk.length;
      response.once('drain', more);
    };
    more();
  });
  assert.equal(await asked(port, { path: '/' }), '');
  assert.ok(written < 8 * 1024 * 1024);
});

test('an app that speaks HTTP/2 is asked in HTTP/2', async (t) => {
  const server = createHttp2((request, response) => {
    response.writeHead(request.url === '/healthz' ? 204 : 503).end();
  });
  const port = await listening(t, server as unknown as Server);
  assert.equal(await asked(port, { path: '/healthz' }, 'http2'), '');
  assert.equal(await asked(port, { path: '/other' }, 'http2'), '/other answered with 503');
});
