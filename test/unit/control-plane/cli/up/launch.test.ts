import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Launcher, type LaunchOptions } from '../../../../../control-plane/cli/up/launch.ts';
import type { InstancePlan } from '../../../../../control-plane/cli/up/plan.ts';
import { PortBook } from '../../../../../control-plane/cli/up/ports.ts';
import { seededRandom } from '../../../../../core/kit/random.ts';
import { CONTROL_PLANE_SETTINGS } from '../../../../../host/control-plane-settings.ts';
import { CONTROL_PLANE_NODE_FLAGS, PROXY_NODE_FLAGS } from '../../../../../host/node-flags.ts';
import { EDGE_SETTINGS, SIDECAR_SETTINGS } from '../../../../../host/proxy-settings.ts';
import { readSettings } from '../../../../../host/settings.ts';

const ORDERS: InstancePlan = {
  name: 'orders-v1-1',
  service: 'orders',
  version: 'v1',
  port: 8080,
  run: 'node orders.js',
  workers: 2,
  ports: [{ name: 'grpc-web', port: 9090 }],
  callees: ['payments', 'payments:grpc', 'user-db'],
  bytes: ['user-db'],
};

function launcher(more: Partial<LaunchOptions> = {}): Launcher {
  return new Launcher({
    file: '/shop/weft.yaml',
    stateDir: '/srv/shop/.weft',
    env: { PATH: '/bin', WEFT_TOKEN: 'somebody else’s', WEFT_INBOUND: 'x' },
    logLevel: null,
    proxyEntry: '/weft/proxy.js',
    controlPlaneEntry: '/weft/control-plane.js',
    ports: new PortBook(seededRandom(1)),
    ...more,
  });
}

describe('the processes of weft up', () => {
  it('have command lines that the programs understand, and meet on the same ports', async () => {
    const launch = launcher();
    const plane = await launch.controlPlane();
    const { settings } = await readSettings(
      CONTROL_PLANE_SETTINGS,
      plane.args.slice(CONTROL_PLANE_NODE_FLAGS.length + 1),
      {},
    );
    const sidecar = await launch.sidecar(ORDERS, 'secret');
    assert.deepEqual(sidecar.args.slice(0, PROXY_NODE_FLAGS.length + 2), [
      ...PROXY_NODE_FLAGS,
      '/weft/proxy.js',
      'sidecar',
    ]);
    const own = await readSettings(SIDECAR_SETTINGS, sidecar.args.slice(PROXY_NODE_FLAGS.length + 2), sidecar.env);
    assert.deepEqual(own.settings.controlPlane, [settings.discovery]);
    assert.deepEqual(own.settings.join, [settings.join]);
    assert.equal(own.settings.stateDir, '/srv/shop/.weft/proxies/orders-v1-1');
    assert.equal(own.settings.token, 'secret');
    assert.equal(own.settings.logLevel, 'warn');
    assert.equal(own.settings.workers, 2);
    const edge = await launch.edge('main', 1, 'secret');
    const front = await readSettings(EDGE_SETTINGS, edge.args.slice(PROXY_NODE_FLAGS.length + 2), edge.env);
    assert.equal(front.settings.name, 'edge-main');
    assert.equal(front.settings.accessLog, true);
    assert.equal(front.settings.logLevel, 'info');
  });

  it('give the app its port, its name and a URL per callee on its sidecar’s ports, and nothing of Weft', async () => {
    const launch = launcher();
    const app = await launch.app(ORDERS);
    const sidecar = await launch.sidecar(ORDERS, 'secret');
    const { settings } = await readSettings(SIDECAR_SETTINGS, sidecar.args.slice(PROXY_NODE_FLAGS.length + 2), {});
    const address = (callee: string): string => `127.0.0.1:${settings.outbound.get(callee)?.port}`;
    assert.deepEqual(app.env, {
      PATH: '/bin',
      HOST: '127.0.0.1',
      PORT: String(settings.app?.port),
      PORT_GRPC_WEB: String(settings.appPorts.get('grpc-web')?.port),
      SERVICE: 'orders',
      VERSION: 'v1',
      INSTANCE: 'orders-v1-1',
      PAYMENTS_URL: `http://${address('payments')}`,
      PAYMENTS_ADDRESS: address('payments'),
      PAYMENTS_GRPC_URL: `http://${address('payments:grpc')}`,
      PAYMENTS_GRPC_ADDRESS: address('payments:grpc'),
      USER_DB_URL: `tcp://${address('user-db')}`,
      USER_DB_ADDRESS: address('user-db'),
      USER_DB_HOST: '127.0.0.1',
      USER_DB_PORT: String(settings.outbound.get('user-db')?.port),
    });
    assert.equal(app.cwd, '/shop');
    assert.deepEqual(app.args, ['-c', 'exec node orders.js']);
  });

  it('never show a token on a command line', async () => {
    const launch = launcher();
    for (const spec of [await launch.sidecar(ORDERS, 'secret'), await launch.edge('main', 1, 'secret')]) {
      assert(!spec.args.join(' ').includes('secret'));
      assert.equal(spec.env['WEFT_TOKEN'], 'secret');
    }
  });

  it('give what opens an encrypted authority to the control plane alone', async () => {
    const launch = launcher({ env: { PATH: '/bin', WEFT_CA_PASSPHRASE: 'x', WEFT_CA_PASSPHRASE_FILE: '/run/pass' } });
    const names = ({ env }: { readonly env: NodeJS.ProcessEnv }): readonly string[] =>
      Object.keys(env).filter((name) => name.startsWith('WEFT_CA'));
    assert.deepEqual(names(await launch.controlPlane()), ['WEFT_CA_PASSPHRASE', 'WEFT_CA_PASSPHRASE_FILE']);
    const others = [await launch.sidecar(ORDERS, 'a'), await launch.edge('main', 1, 'b'), await launch.app(ORDERS)];
    for (const spec of others) assert.deepEqual(names(spec), []);
  });

  it('keep their ports when they are started again', async () => {
    const launch = launcher();
    assert.deepEqual((await launch.sidecar(ORDERS, 'a')).args, (await launch.sidecar(ORDERS, 'b')).args);
    assert.deepEqual(await launch.app(ORDERS), await launch.app(ORDERS));
  });

  it('expect an app that somebody else starts on the configured port, and a job on none', async () => {
    const launch = launcher({ logLevel: 'debug' });
    const foreign = await launch.sidecar({ ...ORDERS, run: null }, 't');
    assert.equal(foreign.args[foreign.args.indexOf('--app') + 1], '127.0.0.1:8080');
    assert.equal(foreign.args[foreign.args.indexOf('--log-level') + 1], 'debug');
    const job = { ...ORDERS, port: null };
    assert(!(await launch.sidecar(job, 't')).args.includes('--app'));
    const app = await launch.app(job);
    assert(app.job && app.env['PORT'] === undefined);
  });
});
