// `weft edge --standalone FILE` as a process: start, reload, metrics, stop, and errors in one line.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, get as getPlain } from 'node:http';
import { get } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { adminSocketPath } from '../../host/admin.ts';
import { eventually } from '../support/eventually.ts';
import { ask, startUpstream } from '../support/http-peers.ts';
import { type ProxyProcess, startProxyProcess } from '../support/proxy-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ARGS = ['edge', '--standalone', 'weft.yaml', '--status', '127.0.0.1:0'];

const yaml = (upstream: number, options: { port?: number; route?: string; tls?: string } = {}): string => `version: 1
mesh: { trustDomain: shop.test }
services:
  app: { endpoints: [127.0.0.1:${upstream}] }
edges:
  main:
    listeners: [{ port: ${options.port ?? 0}, address: 127.0.0.1${options.tls ?? ''} }]
    routes:
      - { match: ${options.route ?? '/api/**'}, to: app }
`;

async function logged(proxy: ProxyProcess, message: string, count = 1): Promise<void> {
  await eventually(() => proxy.logged(message).length >= count);
}

test('it serves, follows edits without losing connections, and ignores broken ones', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'weft.yaml');
  const upstream = await startUpstream(t, (incoming, response) => response.end(`app ${incoming.url}`));
  await writeFile(file, yaml(upstream.port));
  const proxy = startProxyProcess(t, folder, ARGS);
  await proxy.ready;
  const port = await proxy.port('edge/main/0');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const status = async (path: string): Promise<number> => (await ask(port, path, { agent })).status;
  assert.equal(await status('/api/1'), 200);
  assert.equal(await status('/v2/1'), 404);
  const edited = performance.now();
  await writeFile(file, yaml(upstream.port, { route: '/v2/**' }));
  await eventually(async () => (await status('/v2/1')) === 200);
  // Sooner than the poll that stands in where a file system sends no notices.
  assert.ok(performance.now() - edited < 1_900);
  assert.equal(await status('/api/1'), 404);
  await writeFile(file, `${yaml(upstream.port, { route: '/v3/**' })}  - nonsense`);
  await logged(proxy, 'the edited configuration is not valid; the old one runs on');
  assert.equal(await status('/v2/1'), 200);
  await writeFile(file, `# only a comment\n${yaml(upstream.port, { route: '/v2/**' })}`);
  await writeFile(file, yaml(upstream.port, { route: '/v4/**' }));
  await eventually(async () => (await status('/v4/1')) === 200);
  // One connection of the client all the time: every exchange came from the same port.
  const remotes = new Set(proxy.logged('exchange').map((line) => line['remote']));
  assert.equal(remotes.size, 1);
});

test('health, readiness, metrics and the admin socket tell what it does; SIGTERM ends it in order', async (t) => {
  const folder = await temporaryFolder(t);
  const upstream = await startUpstream(t, (_incoming, response) => response.end('ok'));
  await writeFile(join(folder, 'weft.yaml'), yaml(upstream.port));
  const proxy = startProxyProcess(t, folder, ARGS);
  await proxy.ready;
  const port = await proxy.port('edge/main/0');
  const statusPort = await proxy.port('status');
  await ask(port, '/api/1');
  await ask(port, '/none');
  for (const path of ['/healthz', '/readyz']) assert.equal((await ask(statusPort, path)).status, 200);
  const metrics = (await ask(statusPort, '/metrics')).body;
  const labels = 'listener="edge/main/0",route="edges.main.routes[0]",cluster="app"';
  assert.ok(metrics.includes(`weft_requests_total{${labels},status="2xx"} 1`), metrics);
  assert.ok(metrics.includes(`weft_request_duration_seconds_count{${labels}} 1`), metrics);
  assert.match(metrics, /weft_request_errors_total\{.*code="no-route",flag="NR"\} 1/);
  const admin = async (path: string): Promise<unknown> => JSON.parse(await overSocket(folder, path)) as unknown;
  assert.deepEqual(await admin('/ready'), { ready: true });
  const clusters = (await admin('/clusters')) as Record<string, { idle: number }[]>;
  assert.equal(clusters['app']?.[0]?.idle, 1);
  const config = (await admin('/config')) as { view: { clusters: Record<string, { kind: string }> } };
  assert.equal(config.view.clusters['app']?.kind, 'static');
  assert.deepEqual(await admin('/decisions'), []);
  proxy.child.kill('SIGTERM');
  assert.equal(await proxy.exited, 0);
  assert.equal(proxy.errors(), '');
});

function overSocket(folder: string, path: string): Promise<string> {
  const socketPath = adminSocketPath(join(folder, '.weft/proxies/edge/admin.sock'));
  return new Promise((done, fail) => {
    getPlain({ socketPath, path, agent: false }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      answer.on('end', () => done(body));
    }).on('error', fail);
  });
}

test('`tls: internal` needs nothing but the file: an authority is made and the loopback names are in', async (t) => {
  const folder = await temporaryFolder(t);
  const upstream = await startUpstream(t, (incoming, response) => response.end(incoming.headers['x-forwarded-proto']));
  await writeFile(join(folder, 'weft.yaml'), yaml(upstream.port, { tls: ', hosts: [api.shop.test], tls: internal' }));
  const proxy = startProxyProcess(t, folder, ARGS);
  await proxy.ready;
  const port = await proxy.port('edge/main/0');
  const ca = await readFile(join(folder, '.weft/ca/root.pem'), 'utf8');
  const secure = (host: string, servername: string): Promise<string> =>
    new Promise((done, fail) => {
      const options = {
        host,
        port,
        path: '/api/1',
        servername,
        ca,
        agent: false,
        headers: { host: servername || host },
      };
      get(options, (answer) => {
        let body = '';
        answer.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        answer.on('end', () => done(body));
      }).on('error', fail);
    });
  assert.equal(await secure('127.0.0.1', ''), 'https');
  assert.equal(await secure('localhost', 'localhost'), 'https');
  assert.equal(await secure('127.0.0.1', 'api.shop.test'), 'https');
  await assert.rejects(secure('127.0.0.1', 'other.test'));
});

/** Starts it where it cannot run: one line on stderr, exit 1, no trace. */
async function refused(
  folder: string,
  args: readonly string[],
  t: Parameters<typeof startProxyProcess>[0],
): Promise<string> {
  const proxy = startProxyProcess(t, folder, args);
  assert.equal(await proxy.exited, 1);
  assert.match(proxy.errors(), /^weft: [^\n]+\n$/);
  return proxy.errors();
}

test('several listeners with `tls: internal` find one authority, made once', async (t) => {
  const folder = await temporaryFolder(t);
  const upstream = await startUpstream(t, (_incoming, response) => response.end('app'));
  const listeners = ['a.test', 'b.test', 'c.test'].map(
    (host) => `{ port: 0, address: 127.0.0.1, tls: internal, hosts: [${host}] }`,
  );
  const file = yaml(upstream.port).replace(/listeners: .*/, `listeners: [${listeners.join(', ')}]`);
  await writeFile(join(folder, 'weft.yaml'), file);
  const proxy = startProxyProcess(t, folder, ARGS);
  await proxy.ready;
  const ca = await readFile(join(folder, '.weft', 'ca', 'root.pem'), 'utf8');
  for (const index of [0, 1, 2]) {
    const port = await proxy.port(`edge/main/${index}`);
    const status = await new Promise((done, fail) => {
      get({ port, host: 'localhost', path: '/api/1', ca, agent: false }, (answer) => {
        answer.resume();
        done(answer.statusCode);
      }).on('error', fail);
    });
    assert.equal(status, 200);
  }
});

test('what cannot run is said in one line with a hint', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'weft.yaml');
  assert.match(await refused(folder, ARGS, t), /weft\.yaml.*--standalone/);
  await writeFile(file, yaml(1).replace('endpoints: [127.0.0.1:1]', 'port: 8080'));
  assert.match(await refused(folder, ARGS, t), /services\.app has no `endpoints`.*endpoints: \[127\.0\.0\.1:PORT\]/);
  await writeFile(file, yaml(1).replace('to: app', 'to: ap'));
  assert.match(await refused(folder, ARGS, t), /weft\.yaml:9:\d+: .*app/);
  await writeFile(file, yaml(1));
  assert.match(await refused(folder, [...ARGS, '--edge', 'side'], t), /no edge side.*main/);
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  await writeFile(file, yaml(1, { port }));
  assert.match(await refused(folder, ARGS, t), new RegExp(`port is in use: .*127\\.0\\.0\\.1:${port}.*another port`));
});

test('without its parent it ends', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'weft.yaml'), yaml(1));
  const proxy = startProxyProcess(t, folder, ARGS);
  await proxy.ready;
  proxy.child.disconnect();
  assert.equal(await proxy.exited, 0);
});
