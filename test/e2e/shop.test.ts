import assert from 'node:assert/strict';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { isAlive, RunningMesh, shopFolder, weft } from './running-mesh.ts';

const ORDER = { items: [{ sku: 'a', qty: 1 }] };

describe('the shop under weft up', { timeout: 120_000 }, () => {
  let mesh: RunningMesh;
  before(async () => {
    mesh = await new RunningMesh(await shopFolder()).ready();
  });
  after(() => mesh.stop());

  it('carries an order from the edge through orders v2 to payments and names every hop', async () => {
    const answer = await mesh.call('POST', '/api/v2/orders', {}, ORDER);
    assert.equal(answer.status, 201);
    assert.deepEqual(answer.body['hops'], [
      'edge-main',
      'orders',
      'orders@v2 (orders-v2-1)',
      'orders-out',
      'payments',
      'payments (payments-1)',
    ]);
  });

  it('serves a user, a product search and a page that joins users and orders', async () => {
    const user = await mesh.call('GET', '/api/users/42');
    assert.deepEqual([user.status, (user.body['user'] as { name: string }).name], [200, 'Ada']);
    const found = await mesh.call('GET', '/api/products?q=loom');
    assert.deepEqual(found.body['products'], [{ sku: 'c', name: 'Loom', price: 250 }]);
    const home = await mesh.call('GET', '/home/42');
    assert.equal(home.status, 200);
    assert((home.body['hops'] as string[]).includes('web-out'));
  });

  it('splits orders 95 to 5 between versions, and sends a tester to v2', async () => {
    let v2 = 0;
    for (let i = 0; i < 300; i += 1) v2 += (await versionOf(mesh)) === 'v2' ? 1 : 0;
    assert(v2 >= 1 && v2 <= 45, `${v2} of 300 went to v2`);
    for (let i = 0; i < 5; i += 1) assert.equal(await versionOf(mesh, { 'x-beta': '1' }), 'v2');
  });

  it('uses every instance of a version', async () => {
    const seen = new Set<string>();
    await eventually(async () => {
      const { body } = await mesh.call('GET', '/api/v1/orders');
      seen.add((body['hops'] as string[]).at(-1) ?? '');
      return seen.size === 2;
    });
    assert.deepEqual([...seen].toSorted(), ['orders@v1 (orders-v1-1)', 'orders@v1 (orders-v1-2)']);
  });

  it('denies users a charge at payments, tells the caller nothing and the log the rule', async () => {
    const answer = await mesh.call('GET', '/api/users/42/charge');
    assert.equal(answer.status, 403);
    const said = answer.body['said'] as { decision: string };
    assert.match(said.decision, /^[\w-]{12,}$/);
    assert(!JSON.stringify(said).includes('allow'));
    const line = await eventually(() => mesh.output.split('\n').find((text) => text.includes(said.decision)));
    assert.match(line, /payments-1 sidecar/);
    assert.match(line, /rule=services\.payments\.allow/);
    assert.match(line, /peer=spiffe:\/\/shop\.test\/ns\/default\/sa\/users/);
  });

  it('answers on the plaintext listener too, and on loopback only', async () => {
    const url = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(mesh.output)?.[1];
    assert(url !== undefined);
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    request(new URL('/api/users/1', url), { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
    assert.equal(await promise, 200);
  });

  it('proves itself as api.shop.test, as localhost and as 127.0.0.1', async () => {
    for (const servername of ['api.shop.test', 'localhost']) {
      assert.equal((await mesh.call('GET', '/', { servername, agent: false })).status, 200, servername);
    }
    const { port } = new URL(mesh.edge);
    assert.equal((await mesh.call('GET', '/', { host: '127.0.0.1', port, agent: false })).status, 200);
  });

  it('keeps every idempotent request while a sidecar and an app of orders are killed, and both come back', async () => {
    const sidecar = await mesh.pid('orders-v1-1', 'sidecar');
    const app = await mesh.pid('orders-v1-2', 'app');
    const load = new Load(mesh, '/api/v1/orders');
    await eventually(() => load.done > 50);
    process.kill(sidecar, 'SIGKILL');
    await eventually(async () => (await mesh.pid('orders-v1-1', 'sidecar')) !== sidecar, 15_000);
    await eventually(async () => (await servers(mesh)).has('orders@v1 (orders-v1-1)'), 15_000);
    process.kill(app, 'SIGKILL');
    await eventually(async () => (await mesh.pid('orders-v1-2', 'app')) !== app, 15_000);
    await eventually(async () => (await servers(mesh)).has('orders@v1 (orders-v1-2)'), 15_000);
    assert.deepEqual(await load.stop(), []);
    assert.match(mesh.output, /orders-v1-1 sidecar was killed by SIGKILL; it starts again in 1 s/);
    assert.match(mesh.output, /orders-v1-2 was killed by SIGKILL; it starts again in 1 s/);
  });

  it('goes on without its control plane, and takes the next one', async () => {
    const pid = await mesh.pid('control-plane', 'control-plane');
    // Passes web, users and orders, so that each of them is missed where it is.
    const load = new Load(mesh, '/home/42');
    process.kill(pid, 'SIGKILL');
    await eventually(async () => (await mesh.pid('control-plane', 'control-plane')) !== pid, 15_000);
    await eventually(() => mesh.output.split('control-plane is up').length === 3, 15_000);
    // Until every proxy is back and its endpoints were pushed again.
    await mesh.edit('x-beta: "1"', 'x-beta: "2"');
    await eventually(async () => (await versionOf(mesh, { 'x-beta': '2' })) === 'v2', 15_000);
    await mesh.edit('x-beta: "2"', 'x-beta: "1"');
    assert.deepEqual(await load.stop(), []);
  });

  it('starts its edge again', async () => {
    const pid = await mesh.pid('edge-main', 'edge');
    const ups = mesh.output.split('edge-main is up').length;
    process.kill(pid, 'SIGKILL');
    await eventually(() => mesh.output.split('edge-main is up').length > ups, 15_000);
    await eventually(async () => (await mesh.pid('edge-main', 'edge')) !== pid);
    await eventually(async () => !['', mesh.edge].includes((await mesh.upJson()).edge));
    await mesh.ready();
    assert(mesh.output.includes(`listening on ${mesh.edge}`));
    // The control plane has just been restarted too: sidecars that are not back yet are missing in the first view.
    await eventually(async () => (await mesh.call('GET', '/home/42', { agent: false })).status === 200, 15_000);
  });

  it('does not mind an invalid edit, and reports it', async () => {
    await mesh.edit('calls: [orders, users]', 'calls: [orders, user]');
    const line = await eventually(() => mesh.output.split('\n').find((text) => text.includes('users"?')));
    assert.match(line, /weft\.yaml/);
    await assertOk(mesh, '/home/42');
    await mesh.edit('calls: [orders, user]', 'calls: [orders, users]');
    await assertOk(mesh, '/home/42');
  });

  it('takes a valid edit within a second', async () => {
    const route = '      - { match: /api/products/**';
    assert.equal((await mesh.call('GET', '/new/users/42')).status, 404);
    const since = performance.now();
    await mesh.edit(
      route,
      `      - { match: /new/users/**, to: users, rewrite: { prefix: /new/users, to: /users } }\n${route}`,
    );
    await eventually(async () => (await mesh.call('GET', '/new/users/42')).status === 200);
    const took = performance.now() - since;
    assert(took < 1_000, `${Math.round(took)} ms`);
  });

  it('starts what an edit adds, and stops what it takes away', async () => {
    await mesh.edit('v2: { instances: 1 }', 'v2: { instances: 2 }');
    await eventually(async () => mesh.pid('orders-v2-2', 'app'), 15_000);
    await eventually(async () => (await servers(mesh, '/api/v2/orders')).size === 2, 15_000);
    const pid = await mesh.pid('orders-v2-2', 'app');
    await mesh.edit('v2: { instances: 2 }', 'v2: { instances: 1 }');
    await eventually(async () => !(await mesh.upJson()).processes.some(({ name }) => name === 'orders-v2-2'), 15_000);
    await eventually(() => !isAlive(pid));
    assert.equal((await mesh.call('GET', '/api/v2/orders')).status, 200);
  });

  it('is alone in its folder', async () => {
    const second = await weft(['up'], { cwd: mesh.folder });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^weft: .*another weft up runs in .*\(.+\)\n$/);
    assert.equal((await mesh.call('GET', '/')).status, 200);
  });

  it('leaves nothing behind on SIGTERM', async () => {
    const { processes } = await mesh.upJson();
    assert(processes.length >= 14);
    mesh.child.kill('SIGTERM');
    await eventually(() => mesh.child.exitCode !== null, 15_000);
    assert.equal(mesh.child.exitCode, 0);
    for (const { name, pid } of processes) assert(!isAlive(pid), name);
    await assert.rejects(mesh.upJson(), { code: 'ENOENT' });
  });
});

async function assertOk(mesh: RunningMesh, path: string): Promise<void> {
  const { status, body } = await mesh.call('GET', path);
  assert.equal(status, 200, JSON.stringify(body));
}

async function versionOf(mesh: RunningMesh, headers: Record<string, string> = {}): Promise<string | undefined> {
  const { status, body } = await mesh.call('GET', '/api/orders', { headers });
  assert.equal(status, 200);
  return /orders@(v\d)/.exec((body['hops'] as string[]).at(-1) ?? '')?.[1];
}

/** Who answered the next few requests. */
async function servers(mesh: RunningMesh, path = '/api/v1/orders'): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let i = 0; i < 6; i += 1) seen.add(((await mesh.call('GET', path)).body['hops'] as string[]).at(-1) ?? '');
  return seen;
}

/** Gentle, steady GETs; remembers everything but a 200. */
class Load {
  done = 0;
  readonly #failures: string[] = [];
  readonly #loops: Promise<void>[];
  #stopped = false;

  constructor(mesh: RunningMesh, path: string) {
    this.#loops = Array.from({ length: 4 }, () => this.#loop(mesh, path));
  }

  async stop(): Promise<readonly string[]> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    return this.#failures;
  }

  async #loop(mesh: RunningMesh, path: string): Promise<void> {
    while (!this.#stopped) {
      try {
        const { status, body } = await mesh.call('GET', path);
        if (status !== 200) this.#failures.push(`${status} ${JSON.stringify(body)}`);
      } catch (error) {
        this.#failures.push(String(error));
      }
      this.done += 1;
      // The machine is shared with the processes under test.
      await delay(5);
    }
  }
}
