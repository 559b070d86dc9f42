// An instance is called while its app answers its own sidecar: processes with a control plane in this one.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { test } from 'node:test';
import { PortBook } from '../../control-plane/cli/up/ports.ts';
import { eventually } from '../support/eventually.ts';
import { ask } from '../support/http-peers.ts';
import { makeSidecarMesh } from '../support/sidecar-mesh.ts';

function listen(port: number): Promise<Server> {
  const server = createServer((_incoming, response) => response.end('charged'));
  return new Promise((done) => server.listen(port, '127.0.0.1', () => done(server)));
}

async function stop(server: Server): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  server.closeAllConnections();
  await closed;
}

test('an app that starts after its sidecar is called as soon as it answers, and no longer once it is gone', async (t) => {
  const port = await new PortBook(Math.random).port('payments');
  const mesh = await makeSidecarMesh(t, port);
  await mesh.start();
  const payments = await mesh.sidecar('payments');
  const orders = await mesh.sidecar('orders');
  await Promise.all([payments.ready, orders.ready]);
  const call = async () => (await ask(await orders.port('outbound/payments'), '/charge')).headers['x-weft-error'] ?? '';
  const ready = async (query = '') => ask(await payments.port('status'), `/readyz${query}`);

  assert.equal(await call(), 'no-endpoint', 'nobody is sent where nobody answers');
  assert.equal((await ready()).status, 503);
  assert.deepEqual(JSON.parse((await ready()).body).missing, [`the app at 127.0.0.1:${port}: nobody listens`]);
  assert.equal((await ready('?of=proxy')).status, 200, 'who starts the app after its sidecar does not wait for ever');

  const app = await listen(port);
  await eventually(async () => (await call()) === '');
  assert.equal((await ready()).status, 200);
  assert.match((await ask(await payments.port('status'), '/metrics')).body, /^weft_app_up 1$/m);

  await stop(app);
  await eventually(async () => (await call()) === 'no-endpoint', 15_000);
  assert.match((await ask(await payments.port('status'), '/metrics')).body, /^weft_app_up 0$/m);
  assert.equal(payments.logged('the app does not answer: nobody listens').length, 1);

  const again = await listen(port);
  await eventually(async () => (await call()) === '');
  await stop(again);
});

test('nobody asks a job, and its sidecar is ready', async (t) => {
  const mesh = await makeSidecarMesh(t, 1);
  await mesh.start();
  const orders = await mesh.sidecar('orders');
  await orders.ready;
  assert.equal((await ask(await orders.port('status'), '/readyz')).status, 200);
  assert.doesNotMatch((await ask(await orders.port('status'), '/metrics')).body, /^weft_app_up \d/m);
});
