import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { connectFrom, crash, docker, netnsIn, rulesIn, tryDocker } from './engine.ts';
import { Load } from './load.ts';
import { ShopProject } from './shop-project.ts';

const ORDER = { items: [{ sku: 'a', qty: 1 }] };
const V1 = ['orders@v1 (orders-v1-1)', 'orders@v1 (orders-v1-2)'];
const PATIENCE = 40_000;

describe('the shop under docker compose', { timeout: 1_200_000 }, () => {
  const shop = new ShopProject('weft-test-shop');
  before(() => shop.start(), { timeout: 600_000 });
  after(() => shop.remove());

  it('carries an order from the edge through orders v2 to payments, by plain names and over mutual TLS', async () => {
    const { status, body } = await shop.call('POST', '/api/v2/orders', ORDER);
    assert.equal(status, 201, JSON.stringify(body));
    assert.deepEqual(body['hops'], [
      'edge-main',
      'orders',
      'orders@v2 (orders-v2-1)',
      'orders-out',
      'payments',
      'payments (payments-1)',
    ]);
  });

  it('serves users, products and a page that joins what two services know', async () => {
    await assertWalkThrough(shop);
  });

  it('uses both instances of orders v1', async () => {
    assert.deepEqual([...(await shop.servers('/api/v1/orders', 40))].toSorted(), V1);
  });

  it('denies users a charge at payments; the log of the callee names the rule', async () => {
    const { status, body } = await shop.call('GET', '/api/users/42/charge');
    assert.equal(status, 403);
    const { decision } = body['said'] as { decision: string };
    const logs = await shop.compose('logs', '--no-log-prefix', 'payments-1-sidecar');
    const line = logs.split('\n').find((text) => text.includes(decision)) ?? '';
    assert.match(line, /services\.payments\.allow/);
    assert.match(line, /spiffe:\/\/shop\.test\/ns\/default\/sa\/users/);
  });

  it('reaches a callee by its name also where it listens on the port of the caller’s own app', async () => {
    const said = await shop.inside(
      'users-1',
      `fetch('http://orders:8080/orders').then(async (r) => console.log(r.status, await r.text()))`,
    );
    assert.match(said, /^200 .*"orders-out"|^200 .*"users-out","orders","orders@v[12] \(orders-v[12]-[12]\)"/);
  });

  it('lets nobody in the same network past the sidecar, by IPv4 and IPv6, because of the rule', async () => {
    const pod = await shop.container('orders-v1-1-pod');
    for (const family of [4, 6] as const) {
      assert.equal(await connectFrom(shop.network, 'orders-v1-1-pod', 8080, family), 'no answer');
    }
    const rules = await rulesIn(pod);
    assert.equal(rules.filter((rule) => rule.endsWith('--dport 8080 -j DROP')).length, 2);
    try {
      await netnsIn(pod, '--remove');
      assert.deepEqual(await rulesIn(pod), []);
      for (const family of [4, 6] as const) {
        assert.equal(await connectFrom(shop.network, 'orders-v1-1-pod', 8080, family), 'connected');
      }
    } finally {
      await netnsIn(pod, '--app-port', '8080');
    }
    assert.deepEqual(await rulesIn(pod), rules);
    await netnsIn(pod, '--app-port', '8080');
    assert.deepEqual(await rulesIn(pod), rules);
    assert.equal(await connectFrom(shop.network, 'orders-v1-1-pod', 8080, 4), 'no answer');
  });

  it('keeps redirects through repeated runs of weft netns', async () => {
    const pod = await shop.container('users-1-pod');
    const rules = await rulesIn(pod);
    const redirect = /-d (127\.15\.\d+\.\d+)\/32 .*--dport 8080 -j DNAT --to-destination 127\.0\.0\.1:15001/;
    const address = rules.map((rule) => redirect.exec(rule)?.[1]).find((found) => found !== undefined);
    assert.ok(address !== undefined, rules.join('\n'));
    await netnsIn(pod, '--app-port', '8080', '--redirect', `${address}:8080=127.0.0.1:15001`);
    assert.deepEqual(await rulesIn(pod), rules);
  });

  it('lets another container use no outbound port of a sidecar', async () => {
    for (const port of [15001, 8082]) {
      assert.equal(await connectFrom(shop.network, 'orders-v1-1-pod', port, 4), 'ECONNREFUSED', String(port));
    }
  });

  it('shows the apps neither state nor tokens, and runs proxies without rights', async () => {
    const mounts = await docker([
      'inspect',
      '-f',
      '{{range .Mounts}}{{.Destination}} {{.RW}},{{end}}',
      await shop.container('orders-v1-1'),
    ]);
    assert.deepEqual(mounts.split(',').filter(Boolean).toSorted(), ['/app false', '/run/weft false']);
    const environment = await shop.inside('orders-v1-1', 'console.log(Object.keys(process.env).join())');
    assert.doesNotMatch(environment, /WEFT/);
    for (const service of ['orders-v1-1-sidecar', 'edge-main', 'control-plane', 'orders-v1-1-pod']) {
      const read = `console.log(require('node:fs').readFileSync('/proc/1/status', 'utf8'))`;
      // The pod's first process is Docker's init; what sleeps beside it is what counts, and both are without rights.
      const status = await shop.inside(service, read);
      if (service !== 'orders-v1-1-pod') {
        assert.match(status, /^Uid:\t15001\t15001\t15001\t15001$/m, service);
        assert.match(status, /^CapEff:\t0{16}$/m, service);
      }
      assert.match(status, /^NoNewPrivs:\t1$/m, service);
    }
    const { stdout } = await shop.tryCompose('exec', '-T', 'orders-v1-1-sidecar', 'touch', '/weft/x');
    assert.equal(stdout, '');
    const listing = `const fs = require('node:fs'); for (const name of fs.readdirSync('.')) console.log(name, (fs.statSync(name).mode & 0o777).toString(8)); console.log('.', (fs.statSync('.').mode & 0o777).toString(8))`;
    const files = await shop.inside('orders-v1-1-sidecar', listing);
    assert.match(files, /^\. 700$/m);
    assert.match(files, /^key\.pem 600$/m);
    assert.match(files, /^token 600$/m);
  });

  it('lets the pod sleep without rights once the rules are set', async () => {
    const top = await docker(['top', await shop.container('orders-v1-1-pod'), '-eo', 'pid,user,args']);
    assert.match(top, /\b15001 +sleep infinity$/m);
  });

  it('refuses a token that another container used', async () => {
    const read = `process.stdout.write(require('node:fs').readFileSync('token', 'utf8'))`;
    const token = await shop.inside('payments-1-sidecar', read);
    const { code, stderr } = await tryDocker([
      ...['run', '--rm', '--network', shop.network, '--network-alias', 'payments', 'weft:dev'],
      ...['sidecar', '--name', 'payments-1', '--control-plane', 'control-plane:15012', '--token', token],
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /^weft: the join token was used before/m);
  });

  it('gives a container with a token of users no part of what is meant for payments', async () => {
    const cli = ['exec', '-T', 'control-plane', 'node', '/weft/bin/weft.js'];
    const token = await shop.compose(
      ...cli,
      ...['token', 'create', '--service', 'users', '--dir', '/var/lib/weft', '--ca-dir', '/var/lib/weft/ca'],
    );
    const thief = `const {createServer} = require('node:http'); for (const port of [8080, 8082]) createServer((q, s) => s.end('{"payment":"stolen","hops":["stolen"]}')).listen(port)`;
    const container = await docker([
      ...['run', '--detach', '--network', shop.network, '--network-alias', 'payments', 'weft:dev'],
      ...['run', '--name', 'payments-1', '--control-plane', 'control-plane:15012', '--token', token],
      // Else its own sidecar holds a place on the port that it wants to be payments at.
      ...['--names', 'off', '--', 'node', '-e', thief],
    ]);
    try {
      await eventually(async () => (await shop.servers('/api/users/42')).has('stolen'), PATIENCE);
      for (let i = 0; i < 20; i += 1) {
        const { status, body } = await shop.call('POST', '/api/v2/orders', ORDER);
        assert.equal(status, 201);
        assert.equal((body['hops'] as string[]).at(-1), 'payments (payments-1)');
      }
    } finally {
      await docker(['rm', '--force', '--volumes', container]);
    }
    await eventually(async () => !(await shop.servers('/api/users/42')).has('stolen'), PATIENCE);
  });

  for (const role of ['sidecar', 'app', 'pod'] as const) {
    it(`loses no idempotent request when the ${role} of an instance of orders crashes, and has it back`, async () => {
      const name = role === 'app' ? 'orders-v1-1' : `orders-v1-1-${role}`;
      const container = await shop.container(name);
      const load = new Load(shop, '/api/v1/orders');
      await eventually(() => load.done > 100, PATIENCE);
      const restarts = await restartsOf(container);
      await crash(container);
      await eventually(async () => (await restartsOf(container)) > restarts, PATIENCE);
      await eventually(async () => (await shop.servers('/api/v1/orders')).has(V1[0] ?? ''), PATIENCE);
      const before = load.done;
      await eventually(() => load.done > before + 100, PATIENCE);
      assert.deepEqual(await load.stop(), []);
      assert.deepEqual([...(await shop.servers('/api/v1/orders', 40))].toSorted(), V1);
      await assertGuarded(shop);
    });
  }

  it('works after restart', async () => {
    await shop.compose('restart', '--timeout', '5');
    await assertBack(shop);
  });

  it('works after up --force-recreate', async () => {
    await shop.compose('up', '--detach', '--wait', '--force-recreate', '--timeout', '5');
    await assertBack(shop);
  });

  it('works after down and up, with the certificates that it had', async () => {
    await shop.down();
    await shop.compose('up', '--detach', '--wait');
    await assertBack(shop);
    const init = await shop.compose('logs', '--no-log-prefix', 'init');
    assert.equal(init.split('\n').filter((line) => line.endsWith(': has its certificate')).length, 7, init);
  });

  it('serves while the control plane is gone for a minute, and is whole after the next up', async () => {
    const load = new Load(shop, '/home/42');
    await shop.compose('stop', '--timeout', '5', 'control-plane');
    await delay(60_000);
    assert.deepEqual(await load.stop(), []);
    await shop.compose('up', '--detach', '--wait');
    await assertBack(shop);
  });
});

async function assertWalkThrough(shop: ShopProject): Promise<void> {
  const user = await shop.call('GET', '/api/users/42');
  assert.deepEqual([user.status, (user.body['user'] as { name: string }).name], [200, 'Ada']);
  const found = await shop.call('GET', '/api/products?q=loom');
  assert.deepEqual(found.body['products'], [{ sku: 'c', name: 'Loom', price: 250 }]);
  const home = await shop.call('GET', '/home/42');
  assert.equal(home.status, 200);
  assert.ok((home.body['hops'] as string[]).includes('web-out'));
  assert.equal((await shop.call('POST', '/api/v2/orders', ORDER)).status, 201);
}

async function assertBack(shop: ShopProject): Promise<void> {
  await eventually(() => assertWalkThrough(shop).then(() => true), PATIENCE);
  await eventually(async () => (await shop.servers('/api/v1/orders')).size === 2, PATIENCE);
  await assertGuarded(shop);
}

/** The app listens, and is out of a stranger's reach. */
async function assertGuarded(shop: ShopProject): Promise<void> {
  const local = await shop.inside(
    'orders-v1-1',
    `fetch('http://127.0.0.1:8080/healthz').then((r) => console.log(r.status))`,
  );
  assert.equal(local, '200');
  for (const family of [4, 6] as const) {
    assert.equal(await connectFrom(shop.network, 'orders-v1-1-pod', 8080, family), 'no answer');
    if (family === 4) assert.equal(await connectFrom(shop.network, 'orders-v1-1-pod', 15006, family), 'connected');
  }
}

async function restartsOf(container: string): Promise<number> {
  return Number(await docker(['inspect', '-f', '{{.RestartCount}}', container]));
}
