// A proxy process that is replaced by another while clients come and go.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ask, closedPort, startUpstream } from '../support/http-peers.ts';
import { type ProxyProcess, startProxyProcess } from '../support/proxy-process.ts';
import { makeSidecarMesh } from '../support/sidecar-mesh.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Edges {
  readonly port: number;
  start(more?: readonly string[]): ProxyProcess;
}

async function edgesBefore(t: TestContext, upstream: number): Promise<Edges> {
  const folder = await temporaryFolder(t);
  const port = await closedPort();
  await writeFile(
    join(folder, 'weft.yaml'),
    `version: 1
services: { app: { endpoints: [127.0.0.1:${upstream}] } }
edges: { main: { listeners: [{ port: ${port}, address: 127.0.0.1 }], routes: [{ match: /**, to: app }] } }
`,
  );
  const args = ['edge', '--standalone', 'weft.yaml', '--status', '127.0.0.1:0', '--drain', '2s'];
  return { port, start: (more = []) => startProxyProcess(t, folder, [...args, ...more]) };
}

interface Traffic {
  readonly answered: number;
  readonly failures: readonly string[];
  stop(): Promise<void>;
}

/** So many clients, each with a request and a connection of its own after the other. */
function traffic(send: () => Promise<{ status: number }>, clients: number): Traffic {
  const failures: string[] = [];
  let answered = 0;
  let stopped = false;
  const client = async (): Promise<void> => {
    while (!stopped) {
      try {
        const { status } = await send();
        if (status === 200) answered += 1;
        else failures.push(String(status));
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    get answered() {
      return answered;
    },
    failures,
    stop: async () => {
      stopped = true;
      await all;
    },
  };
}

for (const workers of ['1', '2']) {
  test(`an edge is replaced without a refused or broken connection, --workers ${workers}`, async (t) => {
    const upstream = await startUpstream(t, (_request, response) => response.end('hello'));
    const edges = await edgesBefore(t, upstream.port);
    const first = edges.start(['--workers', workers]);
    await first.ready;
    const agent = new Agent({ keepAlive: false });
    const running = traffic(() => ask(edges.port, '/', { agent }), 4);
    await eventually(() => running.answered > 50);
    const second = edges.start(['--takeover', '--workers', workers]);
    await second.ready;
    assert.equal(await first.exited, 0);
    const then = running.answered;
    await eventually(() => running.answered > then + 50);
    await running.stop();
    assert.deepEqual(running.failures, []);
    assert.equal(first.logged('stopping')[0]?.['reason'], 'another process took over');
    assert.ok(first.logged('exchange').length > 0 && second.logged('exchange').length > 0);
  });
}

test('a sidecar is replaced under its callers, on the ports that the system chose', async (t) => {
  const app = await startUpstream(t, (_request, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  await mesh.start();
  const payments = await mesh.sidecar('payments');
  const orders = await mesh.sidecar('orders');
  await Promise.all([payments.ready, orders.ready]);
  const out = await orders.port('outbound/payments');
  await eventually(async () => (await ask(out, '/')).status === 200);
  const running = traffic(() => ask(out, '/', { method: 'POST', body: 'x' }), 4);
  await eventually(() => running.answered > 50);
  const before = await payments.port('inbound');
  const next = await mesh.sidecar('payments', undefined, { takeover: 'on' });
  await next.ready;
  assert.equal(await next.port('inbound'), before);
  assert.equal(await payments.exited, 0);
  const then = running.answered;
  await eventually(() => running.answered > then + 50);
  await running.stop();
  assert.deepEqual(running.failures, []);
});

for (const workers of ['1', '2']) {
  test(`a sidecar is replaced under its own app's calls, --workers ${workers}`, async (t) => {
    const app = await startUpstream(t, (_request, response) => response.end('charged'));
    const mesh = await makeSidecarMesh(t, app.port);
    await mesh.start();
    const payments = await mesh.sidecar('payments');
    const orders = await mesh.sidecar('orders', undefined, { workers });
    await Promise.all([payments.ready, orders.ready]);
    const out = await orders.port('outbound/payments');
    await eventually(async () => (await ask(out, '/')).status === 200);
    const agent = new Agent({ keepAlive: false });
    const running = traffic(() => ask(out, '/', { agent }), 4);
    await eventually(() => running.answered > 50);
    const next = await mesh.sidecar('orders', undefined, { workers, takeover: 'on' });
    await next.ready;
    assert.equal(await next.port('outbound/payments'), out);
    assert.equal(await orders.exited, 0);
    const then = running.answered;
    await eventually(() => running.answered > then + 50);
    await running.stop();
    assert.deepEqual(running.failures, []);
  });
}

test('without --takeover a second process of the same state folder is an error that names it', async (t) => {
  const edges = await edgesBefore(t, 1);
  const first = edges.start();
  await first.ready;
  const second = edges.start(['--state-dir', '.weft/proxies/edge']);
  assert.equal(await second.exited, 1);
  assert.match(second.errors(), /^weft: the port is in use: (?!the port)/);
  assert.equal(first.child.exitCode, null);
});

test("another program's port is no port to take over", async (t) => {
  const upstream = await startUpstream(t, (_request, response) => response.end('hello'));
  const edges = await edgesBefore(t, upstream.port);
  const stranger = edges.start(['--state-dir', 'other']);
  await stranger.ready;
  const edge = edges.start(['--takeover']);
  assert.equal(await edge.exited, 1);
  assert.match(edge.errors(), new RegExp(`the port is in use: 127.0.0.1:${edges.port} `));
  assert.equal((await ask(edges.port, '/')).status, 200);
});

test('--takeover with nobody to take over from starts as ever; a process that runs an app stays', async (t) => {
  const app = await startUpstream(t, (_request, response) => response.end('hello'));
  const mesh = await makeSidecarMesh(t, app.port);
  await mesh.start();
  const running = await mesh.sidecar('payments', [process.execPath, '-e', 'setInterval(() => {}, 1000)']);
  await running.ready;
  const next = await mesh.sidecar('payments', undefined, { takeover: 'on' });
  assert.equal(await next.exited, 1);
  assert.match(next.errors(), /it runs an app, which would end with it/);
  const orders = await mesh.sidecar('orders', undefined, { takeover: 'on' });
  await orders.ready;
  // Its app ends with it.
  running.child.kill('SIGTERM');
  await running.exited;
});
