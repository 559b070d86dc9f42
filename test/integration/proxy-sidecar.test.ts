// `weft sidecar` and `weft run -- CMD` as processes, with a control plane in this one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ask, startUpstream } from '../support/http-peers.ts';
import { makeSidecarMesh } from '../support/sidecar-mesh.ts';

const CALLER = `
  process.on('SIGTERM', () => { console.log('app got SIGTERM'); process.exit(7); });
  fetch(process.env.PAYMENTS_URL + '/charge').then(async (answer) => {
    console.log('app said', answer.status, await answer.text(), Object.keys(process.env).some((k) => k.startsWith('WEFT_')));
    if (process.argv[1] === 'once') process.exit(5);
    setInterval(() => {}, 1000);
  });
`;

test('weft run starts the app when it can call, and ends with its exit code', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  const payments = await mesh.sidecar('payments');
  // The control plane is not there yet: both wait and say so.
  await eventually(() => payments.logged('waiting for the control plane').length === 1);
  await mesh.start();
  await payments.ready;
  const job = await mesh.sidecar('orders', [process.execPath, '-e', CALLER, 'once']);
  assert.equal(await job.exited, 5);
  // The app's lines only: the proxy's own are on stderr.
  assert.equal(job.output(), 'app said 200 charged false\n');
  assert.match(job.errors(), /"message":"app ended"/);
});

test('weft run hands SIGTERM on and passes the exit code', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  await mesh.start();
  const payments = await mesh.sidecar('payments');
  await payments.ready;
  const run = await mesh.sidecar('orders', [process.execPath, '-e', CALLER]);
  await eventually(() => run.output().includes('app said 200'));
  run.child.kill('SIGTERM');
  assert.equal(await run.exited, 7);
  assert.match(run.output(), /app got SIGTERM/);
});

test('a command that cannot be started is said in one line', async (t) => {
  const mesh = await makeSidecarMesh(t, 1);
  await mesh.start();
  const run = await mesh.sidecar('orders', ['/no/such/program']);
  assert.equal(await run.exited, 2);
  assert.match(run.errors(), /^weft: .*\/no\/such\/program cannot be started/m);
});

test('a sidecar tells what listens, is ready with its view, and leaves in order', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  await mesh.start();
  const payments = await mesh.sidecar('payments');
  const orders = await mesh.sidecar('orders');
  await Promise.all([payments.ready, orders.ready]);
  const call = async (): Promise<number> => (await ask(await orders.port('outbound/payments'), '/charge')).status;
  await eventually(async () => (await call()) === 200);
  const byHost = { headers: { host: `payments:${app.port}` } };
  assert.equal((await ask(await orders.port('outbound'), '/charge', byHost)).body, 'charged');
  assert.equal((await ask(await orders.port('status'), '/readyz')).status, 200);
  payments.child.kill('SIGTERM');
  assert.equal(await payments.exited, 0);
  await eventually(
    async () => (await ask(await orders.port('outbound/payments'), '/')).headers['x-weft-error'] === 'no-endpoint',
  );
});

test('a sidecar that is given several addresses joins and streams where somebody answers', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('charged'));
  const mesh = await makeSidecarMesh(t, app.port);
  const plane = await mesh.start();
  const at = (name: string): string => {
    const port = plane.ports.find((bound) => bound.name === name)?.port;
    return `127.0.0.1:1,127.0.0.1:${String(port)}`;
  };
  const more = { 'control-plane': at('discovery'), join: at('join') };
  const payments = await mesh.sidecar('payments', undefined, more);
  await payments.ready;
  const [line] = payments.logged('connected to the control plane');
  assert.equal(line?.['address'], at('discovery').split(',')[1]);
  const wrong = await mesh.sidecar('payments', undefined, { 'control-plane': '127.0.0.1:1,nowhere' });
  assert.equal(await wrong.exited, 2);
  assert.match(
    wrong.errors(),
    /^weft: .*--control-plane needs host:port\[,host:port…\].*'127\.0\.0\.1:1,nowhere'.*\n$/,
  );
});

test('a sidecar that is stopped while it waits to join ends with 0', async (t) => {
  const mesh = await makeSidecarMesh(t, 1);
  const payments = await mesh.sidecar('payments');
  await eventually(() => payments.logged('waiting for the control plane').length === 1);
  payments.child.kill('SIGTERM');
  assert.equal(await payments.exited, 0);
  assert.equal(payments.errors(), '');
});
