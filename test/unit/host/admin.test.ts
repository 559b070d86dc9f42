import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  adminSocketPath,
  type Handlers,
  json,
  startAdminServer,
  startStatusServer,
  text,
} from '../../../host/admin.ts';
import { metricsPage } from '../../../host/metrics.ts';

const HANDLERS: Handlers = {
  '/healthz': () => text('ok'),
  '/echo': (query) => json({ id: query.get('id') }),
  '/broken': () => {
    throw new Error('a secret');
  },
};

function get(
  where: { socketPath: string } | { host: string; port: number },
  path: string,
  method = 'GET',
): Promise<{ status: number; type: string; body: string }> {
  return new Promise((done, fail) => {
    const outgoing = request({ ...where, path, method, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response) body += String(chunk);
      done({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body });
    });
    outgoing.on('error', fail);
    outgoing.end();
  });
}

describe('the admin and status servers', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-admin-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('answer their paths on TCP, and nothing else', async () => {
    const server = await startStatusServer({ host: '127.0.0.1', port: 0 }, HANDLERS);
    const at = { host: '127.0.0.1', port: server.port };
    assert.deepEqual(await get(at, '/healthz'), { status: 200, type: 'text/plain; charset=utf-8', body: 'ok\n' });
    assert.deepEqual((await get(at, '/echo?id=7')).body, '{"id":"7"}\n');
    assert.equal((await get(at, '/healthz', 'HEAD')).body, '');
    assert.equal((await get(at, '/nothing')).status, 404);
    assert.equal((await get(at, '/toString')).status, 404);
    assert.equal((await get(at, '/healthz', 'POST')).status, 405);
    const broken = await get(at, '/broken');
    assert.equal(broken.status, 500);
    assert(!broken.body.includes('secret'));
    await server.close();
  });

  it('say that a port is in use', async () => {
    const first = await startStatusServer({ host: '127.0.0.1', port: 0 }, HANDLERS);
    const again = startStatusServer({ host: '127.0.0.1', port: first.port }, HANDLERS);
    await assert.rejects(again, { code: 'address-in-use' });
    await first.close();
  });

  it('share a port only with one who was told to share it', async () => {
    const anywhere = { host: '127.0.0.1', port: 0 };
    const first = await startStatusServer(anywhere, HANDLERS, 'first');
    const at = { host: '127.0.0.1', port: first.port };
    await assert.rejects(startStatusServer(at, HANDLERS), { code: 'address-in-use' });
    await assert.rejects(startStatusServer(at, HANDLERS, 'first'), { code: 'address-in-use' });
    const beside = await startStatusServer(at, HANDLERS, 'beside');
    await first.close();
    assert.equal((await get(at, '/healthz')).status, 200);
    await beside.close();
  });

  it('do what they are asked by POST, and nothing of that by GET; a freed socket lets the next one in', async () => {
    const path = join(folder, 'leaving.sock');
    const server = await startAdminServer(path, HANDLERS, { '/leave': () => (server.free(), text('leaving', 202)) });
    assert.equal((await get({ socketPath: path }, '/leave')).status, 404);
    assert.equal((await get({ socketPath: path }, '/healthz', 'POST')).status, 405);
    assert.equal((await get({ socketPath: path }, '/toString', 'POST')).status, 405);
    assert.deepEqual((await get({ socketPath: path }, '/leave', 'POST')).body, 'leaving\n');
    const next = await startAdminServer(path, HANDLERS);
    await server.close();
    assert.equal((await get({ socketPath: path }, '/healthz')).status, 200);
    await next.close();
  });

  it('open the Unix socket to its owner only', async () => {
    const path = join(folder, 'own', 'admin.sock');
    const server = await startAdminServer(path, HANDLERS);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal((await get({ socketPath: server.address }, '/healthz')).body, 'ok\n');
    await server.close();
  });

  it('replace the socket of a dead process, but never a living one or another file', async () => {
    const path = join(folder, 'admin.sock');
    const living = await startAdminServer(path, HANDLERS);
    await assert.rejects(startAdminServer(path, HANDLERS), { code: 'address-in-use' });
    assert.equal((await get({ socketPath: path }, '/healthz')).status, 200);
    await living.close();

    await leaveStaleSocket(path);
    const next = await startAdminServer(path, HANDLERS);
    assert.equal((await get({ socketPath: path }, '/healthz')).status, 200);
    await next.close();

    await writeFile(path, 'precious');
    await assert.rejects(startAdminServer(path, HANDLERS), { code: 'address-in-use' });
    assert(existsSync(path));
  });

  it('move too long a socket path to the temporary folder, the same for both sides', async () => {
    const path = join(folder, 'x'.repeat(120), 'admin.sock');
    const server = await startAdminServer(path, HANDLERS);
    assert(Buffer.byteLength(server.address) <= 103);
    assert.equal(server.address, adminSocketPath(path));
    assert.equal((await get({ socketPath: server.address }, '/healthz')).body, 'ok\n');
    await server.close();
  });

  it('serve a metrics page that reads its values when it is scraped', async () => {
    let requests = 1;
    const page = metricsPage((prom, registry) => {
      new prom.Gauge({
        name: 'weft_requests',
        help: 'Requests.',
        registers: [registry],
        collect() {
          this.set(requests);
        },
      });
    });
    assert.match((await page(new URLSearchParams())).body, /^weft_requests 1$/m);
    requests = 2;
    const { body, contentType } = await page(new URLSearchParams());
    assert.match(body, /^weft_requests 2$/m);
    assert.match(contentType, /text\/plain/);
    assert(!body.includes('process_cpu'));
  });
});

// A killed process leaves its socket file; a server that closes removes it, so it is renamed away meanwhile.
async function leaveStaleSocket(path: string): Promise<void> {
  const { rename } = await import('node:fs/promises');
  const server = createServer();
  await new Promise<void>((done) => {
    server.listen(path, done);
  });
  await rename(path, `${path}.kept`);
  await new Promise((done) => {
    server.close(done);
  });
  await rename(`${path}.kept`, path);
}
