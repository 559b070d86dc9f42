// How a sidecar leaves: processes with a control plane in this one.
import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { test, type TestContext } from 'node:test';
import { PortBook } from '../../control-plane/cli/up/ports.ts';
import { eventually } from '../support/eventually.ts';
import { ask } from '../support/http-peers.ts';
import type { ProxyProcess } from '../support/proxy-process.ts';
import { makeSidecarMesh, type SidecarMesh } from '../support/sidecar-mesh.ts';

const KEEPING = 'the app may call others until it ends';

interface Mesh {
  readonly mesh: SidecarMesh;
  readonly payments: Server;
}

/** `orders` calls `payments`, whose app calls `ledger`. */
async function makeMesh(t: TestContext, charge: RequestListener): Promise<Mesh> {
  const book = new PortBook(Math.random);
  const [payments, ledger] = [await book.port('payments'), await book.port('ledger')];
  const mesh = await makeSidecarMesh(
    t,
    payments,
    `version: 1
mesh: { trustDomain: shop.test }
services:
  orders: { calls: [payments] }
  payments: { port: ${payments}, calls: [ledger] }
  ledger: { port: ${ledger} }
`,
  );
  await listen(t, ledger, (_incoming, response) => response.end('booked'));
  return { mesh, payments: await listen(t, payments, charge) };
}

async function listen(t: TestContext, port: number, listener: RequestListener): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  t.after(() => stop(server));
  return server;
}

function stop(server: Server): void {
  server.closeAllConnections();
  server.close();
}

const sidecarOf = (mesh: SidecarMesh, name: string, more: Readonly<Record<string, string>> = {}) =>
  mesh.sidecar('payments', undefined, { name, outbound: 'ledger=127.0.0.1:0', ...more });

const book = async (payments: ProxyProcess): Promise<string> =>
  (await ask(await payments.port('outbound/ledger'), '/')).body;

test('instances are rolled under their callers and not one POST fails', { timeout: 60_000 }, async (t) => {
  const { mesh } = await makeMesh(t, (incoming, response) =>
    incoming.resume().on('end', () => response.end('charged')),
  );
  await mesh.start();
  // One of them with threads, which all have to end in order.
  const [first, threads, stays] = [
    await sidecarOf(mesh, 'first', { drain: '500ms' }),
    await sidecarOf(mesh, 'threads', { drain: '500ms', workers: '2' }),
    await sidecarOf(mesh, 'stays', { drain: '500ms' }),
  ];
  const orders = await mesh.sidecar('orders');
  await Promise.all([first.ready, threads.ready, stays.ready, orders.ready]);
  const port = await orders.port('outbound/payments');
  const post = async () => ask(port, '/charge', { method: 'POST', body: 'a little' });
  await eventually(async () => (await post()).status === 200);

  const failures: string[] = [];
  let [stopped, answered] = [false, 0];
  const caller = async (): Promise<void> => {
    while (!stopped) {
      const { status, headers } = await post();
      answered += 1;
      if (status !== 200) failures.push([status, headers['x-weft-error']].join(' '));
    }
  };
  const callers = [caller(), caller(), caller(), caller()];
  for (const instance of [first, threads]) {
    const before = answered;
    await eventually(() => answered > before + 100);
    instance.child.kill('SIGTERM');
    assert.equal(await instance.exited, 0);
    assert.equal(instance.logged('taking no more calls')[0]?.['callers'], 'told');
  }
  const before = answered;
  await eventually(() => answered > before + 10);
  stopped = true;
  await Promise.all(callers);
  assert.deepEqual(failures, []);
});

test('who stops is not ready, ends what is in flight, and lets the app call out until it ends', {
  timeout: 60_000,
}, async (t) => {
  const held = Promise.withResolvers<() => void>();
  const { mesh, payments: app } = await makeMesh(t, (_incoming, response) => {
    held.resolve(() => response.end('charged'));
  });
  await mesh.start();
  const payments = await sidecarOf(mesh, 'payments', { drain: '30s' });
  const [orders, ledger] = [await mesh.sidecar('orders'), await mesh.sidecar('ledger')];
  await Promise.all([payments.ready, orders.ready, ledger.ready]);
  await eventually(async () => (await book(payments)) === 'booked');
  const port = await orders.port('outbound/payments');
  const call = await eventually(async () => {
    const answer = ask(port, '/charge');
    const first = await Promise.race([held.promise, answer]);
    return typeof first === 'function' ? { answer, finish: first } : null;
  });

  payments.child.kill('SIGTERM');
  await eventually(() => payments.logged('taking no more calls').length === 1);
  assert.deepEqual(JSON.parse((await ask(await payments.port('status'), '/readyz')).body).missing, ['it is stopping']);
  assert.equal((await ask(port, '/charge')).headers['x-weft-error'], 'no-endpoint', 'nobody is sent there');
  assert.equal(payments.logged(KEEPING).length, 0, 'a call is in flight');
  assert.equal(await book(payments), 'booked');
  call.finish();
  assert.equal((await call.answer).body, 'charged');

  await eventually(() => payments.logged(KEEPING).length === 1);
  assert.equal(await book(payments), 'booked', 'the app has not ended');
  const began = performance.now();
  stop(app);
  assert.equal(await payments.exited, 0);
  assert.ok(performance.now() - began < 10_000, 'its end was seen');
});

test('a control plane that is away holds nobody up, and a second signal ends the wait for the app', {
  timeout: 60_000,
}, async (t) => {
  const { mesh } = await makeMesh(t, (_incoming, response) => response.end('charged'));
  const plane = await mesh.start();
  const payments = await sidecarOf(mesh, 'payments', { drain: '30s' });
  await payments.ready;
  await plane.close();
  await eventually(() => /no control plane/.test(payments.output()));
  const began = performance.now();
  payments.child.kill('SIGTERM');
  await eventually(() => payments.logged(KEEPING).length === 1);
  assert.equal(payments.logged('taking no more calls')[0]?.['callers'], 'away');
  payments.child.kill('SIGTERM');
  assert.equal(await payments.exited, 0);
  assert.ok(performance.now() - began < 10_000);
});

test('weft run: callers are told before the app hears of the signal, which may call until it ends', {
  timeout: 60_000,
}, async (t) => {
  const APP = `
    const { createServer } = require('node:http');
    const server = createServer((_, response) => response.end('charged')).listen(process.argv[1], '127.0.0.1');
    process.on('SIGTERM', async () => {
      server.close();
      server.closeAllConnections();
      console.log('app said', await (await fetch(process.env.LEDGER_URL)).text());
      process.exit(0);
    });
  `;
  const port = await new PortBook(Math.random).port('app');
  const { mesh } = await makeMesh(t, (_incoming, response) => response.end());
  await mesh.start();
  const command = [process.execPath, '-e', APP, String(port)];
  const more = { outbound: 'ledger=127.0.0.1:0', app: `127.0.0.1:${port}` };
  const [payments, orders, ledger] = [
    await mesh.sidecar('payments', command, more),
    await mesh.sidecar('orders'),
    await mesh.sidecar('ledger'),
  ];
  await Promise.all([payments.ready, orders.ready, ledger.ready]);
  await eventually(async () => (await ask(await orders.port('outbound/payments'), '/')).body === 'charged');
  await eventually(async () => (await book(payments)) === 'booked');
  payments.child.kill('SIGTERM');
  assert.equal(await payments.exited, 0);
  assert.equal(payments.output(), 'app said booked\n');
  assert.match(payments.errors(), /"callers":"told","message":"taking no more calls"/);
});
