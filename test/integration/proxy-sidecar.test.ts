// `weft sidecar` and `weft run -- CMD` as processes, with a control plane in this one.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { initAuthority } from '../../certs/authority/authority-folder.ts';
import { runTokenCreate } from '../../control-plane/cli/token.ts';
import { type ControlPlane, startControlPlane } from '../../control-plane/start.ts';
import { silentLog } from '../../core/kit/log.ts';
import { eventually } from '../support/eventually.ts';
import { ask, closedPort, startUpstream } from '../support/http-peers.ts';
import { type ProxyProcess, startProxyProcess } from '../support/proxy-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const yaml = (paymentsPort: number): string => `version: 1
mesh: { trustDomain: shop.test }
services:
  orders: { calls: [payments] }
  payments: { port: ${paymentsPort} }
`;

interface Mesh {
  readonly folder: string;
  start(): Promise<ControlPlane>;
  /** Starts a sidecar of a service; `command` makes it `weft run`. */
  sidecar(service: string, command?: readonly string[]): Promise<ProxyProcess>;
}

async function makeMesh(t: TestContext, paymentsPort: number): Promise<Mesh> {
  const folder = await temporaryFolder(t);
  const [discovery, joinPort] = [await closedPort(), await closedPort()];
  const caDir = join(folder, 'ca');
  const stateDir = join(folder, 'control-plane');
  const config = join(folder, 'weft.yaml');
  await initAuthority(caDir, { trustDomain: 'shop.test', clock: Date.now, random: randomBytes });
  await writeFile(config, yaml(paymentsPort));
  const at = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port });
  return {
    folder,
    start: async () => {
      const plane = await startControlPlane(
        { config: [config], caDir, stateDir, discovery: at(discovery), join: at(joinPort), status: at(0) },
        { log: silentLog },
      );
      t.after(() => plane.close());
      return plane;
    },
    sidecar: async (service, command) => {
      let token = '';
      const out = { write: (text: string) => (token += text) };
      await runTokenCreate({ dir: stateDir, caDir, service }, out);
      const flags = {
        name: service,
        'control-plane': `127.0.0.1:${discovery}`,
        join: `127.0.0.1:${joinPort}`,
        token: token.trim(),
        inbound: '127.0.0.1:0',
        'outbound-by-host': '127.0.0.1:0',
        status: '127.0.0.1:0',
        drain: '2s',
        ...(service === 'orders' ? { outbound: 'payments=127.0.0.1:0' } : {}),
      };
      const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
      const tail = command === undefined ? [] : ['--', ...command];
      return startProxyProcess(t, folder, [command === undefined ? 'sidecar' : 'run', ...args, ...tail]);
    },
  };
}

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
  const mesh = await makeMesh(t, app.port);
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
  const mesh = await makeMesh(t, app.port);
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
  const mesh = await makeMesh(t, 1);
  await mesh.start();
  const run = await mesh.sidecar('orders', ['/no/such/program']);
  assert.equal(await run.exited, 2);
  assert.match(run.errors(), /^weft: .*\/no\/such\/program cannot be started/m);
});

test('a sidecar tells what listens, is ready with its view, and leaves in order', async (t) => {
  const app = await startUpstream(t, (_incoming, response) => response.end('charged'));
  const mesh = await makeMesh(t, app.port);
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

test('a sidecar that is stopped while it waits to join ends with 0', async (t) => {
  const mesh = await makeMesh(t, 1);
  const payments = await mesh.sidecar('payments');
  await eventually(() => payments.logged('waiting for the control plane').length === 1);
  payments.child.kill('SIGTERM');
  assert.equal(await payments.exited, 0);
  assert.equal(payments.errors(), '');
});
