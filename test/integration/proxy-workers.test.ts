// A data path on several threads of this process.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { BroadcastChannel } from 'node:worker_threads';
import { silentLog } from '../../core/kit/log.ts';
import { ServerCertificates } from '../../proxy/mode/certificates.ts';
import { WorkerPath } from '../../proxy/mode/workers/worker-path.ts';
import { eventually } from '../support/eventually.ts';
import { ask, startUpstream } from '../support/http-peers.ts';
import { edgeView } from '../support/proxy-harness.ts';
import { makeSidecarMesh } from '../support/sidecar-mesh.ts';

const ENTRY = join(import.meta.dirname, '../support/mortal-worker.ts');

interface Workers {
  readonly path: WorkerPath;
  readonly errors: readonly string[];
  /** Thread ids. */
  readonly born: readonly number[];
  port(): number;
}

async function startWorkers(t: TestContext, count: number): Promise<Workers> {
  const errors: string[] = [];
  const born: number[] = [];
  const births = new BroadcastChannel('born-worker');
  births.onmessage = (message) => born.push((message as { data: number }).data);
  const path = new WorkerPath({
    count,
    entry: ENTRY,
    data: {
      role: { kind: 'edge' },
      identity: null,
      log: { name: 'edge', level: 'silent', to: 'stdout' },
      accessLog: false,
      drain: 1_000,
    },
    certificates: new ServerCertificates(() => Promise.reject(new Error('none'))),
    denials: { record: () => {} },
    log: { ...silentLog, error: (_fields, message) => errors.push(message ?? '') },
    held: [],
    random: () => 0,
  });
  t.after(async () => {
    births.close();
    await path.drain(0);
  });
  await path.start();
  return { path, errors, born, port: () => path.report.listeners[0]?.port ?? 0 };
}

test('connections are spread over the threads, and all of them count', async (t) => {
  const upstream = await startUpstream(t, (_request, response) => response.end('hello'));
  const { path, port } = await startWorkers(t, 4);
  assert.equal((await path.apply(edgeView([upstream.port]))).ok, true);
  const sockets = Array.from({ length: 400 }, (): Socket => connect(port(), '127.0.0.1'));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(async () => {
    await path.refresh();
    return path.report.series.reduce((sum, { byStatusClass }) => sum + (byStatusClass[2] ?? 0), 0) === 400;
  });
  const { threads, listeners, gauges, series } = path.report;
  assert.equal(threads.length, 4);
  for (const open of threads) assert.ok(open >= 60 && open <= 140, threads.join(' '));
  assert.equal(listeners[0]?.open, 400);
  assert.deepEqual(gauges.find(({ name }) => name === 'weft_downstream_connections')?.values, [
    { labels: { listener: 'edge/main/0' }, value: 400 },
  ]);
  assert.equal(series.length, 1);
  assert.equal(series[0]?.responseBytes, 2_000);
});

test('a new view is in force on every thread, with sockets that came and went', async (t) => {
  const [one, two] = [
    await startUpstream(t, (_request, response) => response.end('one')),
    await startUpstream(t, (_request, response) => response.end('two')),
  ];
  const { path, port } = await startWorkers(t, 3);
  await path.apply(edgeView([one.port]));
  const before = port();
  assert.equal((await path.apply(edgeView([two.port], { snapshot: 'bbbbbbbbbbbbbbbb' }))).ok, true);
  assert.equal(port(), before);
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask(port(), '/')));
  assert.deepEqual([...new Set(answers.map(({ body }) => body))], ['two']);
});

test('a view that a thread refuses is in force on none', async (t) => {
  const upstream = await startUpstream(t, (_request, response) => response.end('hello'));
  const { path, port } = await startWorkers(t, 2);
  await path.apply(edgeView([upstream.port]));
  // The upstream's own port: another program has it.
  const refused = await path.apply(edgeView([1], { snapshot: 'bbbbbbbbbbbbbbbb', port: upstream.port }));
  assert.equal(refused.ok ? '' : refused.error.code, 'address-in-use');
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port(), '/')));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(path.view?.snapshot, 'aaaaaaaaaaaaaaaa');
});

test('a thread that dies is started again; the others serve all the while', async (t) => {
  const upstream = await startUpstream(t, (_request, response) => response.end('hello'));
  const { path, port, born, errors } = await startWorkers(t, 2);
  await path.apply(edgeView([upstream.port]));
  await eventually(() => born.length === 2);
  await Promise.all(Array.from({ length: 20 }, () => ask(port(), '/')));
  await path.refresh();
  const kill = new BroadcastChannel('kill-worker');
  kill.postMessage(Math.min(...born));
  kill.close();
  await eventually(() => errors.length === 2);
  assert.deepEqual(errors, ['worker 1 failed: killed by the test', 'worker 1 ended, starting again in 100 ms']);
  assert.equal((await ask(port(), '/')).status, 200);
  await eventually(() => born.length === 3);
  // Again on the same port, with the same view, and both are given connections.
  await eventually(async () => {
    const sockets = Array.from({ length: 40 }, () => connect(port(), '127.0.0.1'));
    for (const socket of sockets) socket.on('error', () => {});
    await eventually(async () => {
      await path.refresh();
      return path.report.listeners[0]?.open === 40;
    });
    const { threads } = path.report;
    for (const socket of sockets) socket.destroy();
    return threads.length === 2 && threads.every((open) => open > 0);
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port(), '/')));
  assert.deepEqual([...new Set(answers.map(({ body }) => body))], ['hello']);
  await path.refresh();
  // What the dead one had counted counts on.
  assert.equal(
    path.report.series.reduce((sum, { byStatusClass }) => sum + (byStatusClass[2] ?? 0), 0),
    41,
  );
});

test('a sidecar with workers serves the mesh, and says what it denies in one place', async (t) => {
  const app = await startUpstream(t, (_request, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  await mesh.start();
  const payments = await mesh.sidecar('payments', undefined, { workers: '2' });
  const orders = await mesh.sidecar('orders', undefined, { workers: '2' });
  await Promise.all([payments.ready, orders.ready]);
  const out = await orders.port('outbound/payments');
  await eventually(async () => (await ask(out, '/')).status === 200);
  const answers = await Promise.all(Array.from({ length: 40 }, () => ask(out, '/')));
  assert.deepEqual([...new Set(answers.map(({ body }) => body))], ['charged']);
  const denied = await ask(await orders.port('outbound'), '/', { headers: { host: 'nobody' } });
  assert.equal(denied.status, 403);
  await eventually(() => orders.logged('denied').length === 1);
  orders.child.kill('SIGTERM');
  assert.equal(await orders.exited, 0);
  payments.child.kill('SIGTERM');
  assert.equal(await payments.exited, 0);
  assert.doesNotMatch(orders.output() + payments.output() + payments.errors(), /PRIVATE KEY/);
});
