// Sidecars as processes that serve plain names and come back while the control plane is gone.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { loopbackAddresses } from '../../core/compile/loopback.ts';
import { eventually } from '../support/eventually.ts';
import { ask, startUpstream } from '../support/http-peers.ts';
import { makeSidecarMesh } from '../support/sidecar-mesh.ts';

const PAYMENTS = loopbackAddresses(['orders', 'payments']).get('payments') ?? '';

test('a sidecar with names serves its callee where the hosts line says, and starts again without a control plane', {
  timeout: 60_000,
}, async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  const plane = await mesh.start();
  const payments = await mesh.sidecar('payments');
  const orders = await mesh.sidecar('orders', undefined, { names: 'on' });
  await Promise.all([payments.ready, orders.ready]);
  const call = (): ReturnType<typeof ask> => ask(app.port, '/charge', { host: PAYMENTS });
  await eventually(async () => (await call()).body === 'charged');
  const status = await orders.port('status');
  assert.deepEqual(JSON.parse((await ask(status, '/readyz')).body).configuration.origin, 'control-plane');
  assert.match(
    (await ask(status, '/metrics')).body,
    /^weft_config_age_seconds\{[^}]*origin="control-plane"[^}]*\} 0$/m,
  );

  await eventually(() => keepsInstanceOfPayments(mesh.folder, 'orders'));
  await plane.close();
  orders.child.kill('SIGKILL');
  await orders.exited;
  await assert.rejects(call(), { code: 'ECONNREFUSED' });
  const again = await mesh.sidecar('orders', undefined, { names: 'on' });
  await again.ready;
  assert.equal((await call()).body, 'charged');
  assert.equal(again.logged('serving the view that was kept on disk until the control plane is there').length, 1);
  const page = await ask(await again.port('status'), '/readyz');
  const { ready, configuration } = JSON.parse(page.body);
  assert.deepEqual([page.status, ready, configuration.origin], [200, true, 'disk']);
  assert.match(
    (await ask(await again.port('status'), '/metrics')).body,
    /^weft_config_age_seconds\{[^}]*origin="disk"/m,
  );

  await mesh.start();
  const origin = async (): Promise<string> =>
    JSON.parse((await ask(await again.port('status'), '/readyz')).body).configuration.origin;
  await eventually(async () => (await origin()) === 'control-plane');
  // On a busy machine payments comes back later than the short time that this control plane waits for it.
  await eventually(async () => (await call()).body === 'charged');
});

test('a sidecar whose kept view is torn waits for the control plane and says so', { timeout: 60_000 }, async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  const plane = await mesh.start();
  const first = await mesh.sidecar('payments');
  await first.ready;
  const file = join(mesh.folder, '.weft', 'proxies', 'payments', 'view.json');
  const whole = await eventually(() => readFile(file, 'utf8'));
  await plane.close();
  first.child.kill('SIGKILL');
  await first.exited;
  await writeFile(file, whole.slice(0, whole.length / 2));
  const again = await mesh.sidecar('payments');
  await eventually(() => /the kept view is ignored: .*view\.json/.test(again.output()));
  const page = await ask(await again.port('status'), '/readyz');
  assert.deepEqual([page.status, JSON.parse(page.body)], [503, { ready: false, missing: ['configuration'] }]);
  await mesh.start();
  await again.ready;
});

test('a name whose place another program has: one line, not ready with the reason, and everything else serves', {
  timeout: 60_000,
}, async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  await mesh.start();
  const squatter = createServer().listen(app.port, PAYMENTS);
  await once(squatter, 'listening');
  t.after(() => squatter.close());
  const payments = await mesh.sidecar('payments');
  const orders = await mesh.sidecar('orders', undefined, { names: 'on' });
  await Promise.all([payments.ready, orders.ready]);
  const where = `${PAYMENTS}:${app.port}`;
  const missing = [`names/payments: the port is in use: ${where} (stop what listens there or choose another port)`];
  const probe = async (): Promise<unknown> =>
    JSON.parse((await ask(await orders.port('status'), '/readyz')).body).missing;
  assert.deepEqual(await probe(), missing);
  assert.equal(orders.logged(`names/payments is not bound, trying again: ${missing[0]?.slice(16)}`).length, 1);
  const byHost = async (): Promise<string> =>
    (await ask(await orders.port('outbound'), '/charge', { headers: { host: 'payments' } })).body;
  await eventually(async () => (await byHost()) === 'charged');
  squatter.close();
  await eventually(async () => (await probe()) === undefined);
  assert.equal((await ask(app.port, '/charge', { host: PAYMENTS })).body, 'charged');
});

test('an edge opens its TLS door again without a control plane', { timeout: 60_000 }, async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  const plane = await mesh.start();
  const payments = await mesh.sidecar('payments');
  const edge = await mesh.edge();
  await Promise.all([payments.ready, edge.ready]);
  const ca = await readFile(join(mesh.folder, 'ca', 'root.pem'));
  await eventually(async () => (await askTls(await edge.port('edge/main/0'), ca)) === 'charged');
  await eventually(() => keepsInstanceOfPayments(mesh.folder, 'edge-main'));
  await plane.close();
  edge.child.kill('SIGKILL');
  await edge.exited;
  const again = await mesh.edge();
  await again.ready;
  assert.equal(await askTls(await again.port('edge/main/0'), ca), 'charged');
});

/** The file is written after the view serves: who kills a proxy at once may leave the view before it there. */
async function keepsInstanceOfPayments(folder: string, name: string): Promise<boolean> {
  const file = await readFile(join(folder, '.weft', 'proxies', name, 'view.json'), 'utf8');
  const { view } = JSON.parse(JSON.parse(file).body) as { view: string };
  return /payments-[0-9a-f]{4}/.test(Buffer.from(view, 'base64').toString('latin1'));
}

function askTls(port: number, ca: Buffer): Promise<string> {
  return new Promise((done, fail) => {
    const options = {
      host: '127.0.0.1',
      port,
      ca,
      servername: 'shop.test',
      headers: { host: 'shop.test' },
      agent: false,
    };
    get(options, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.on('end', () => done(body));
    }).on('error', fail);
  });
}
