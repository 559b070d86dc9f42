import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareInstances, type MeshPlan, planMesh } from '../../../../../control-plane/cli/up/plan.ts';
import { parseConfig } from '../../../../../core/config/parse.ts';

function planOf(text: string): MeshPlan {
  const parsed = parseConfig([{ name: 'weft.yaml', text }]);
  assert(parsed.ok, JSON.stringify(parsed));
  return planMesh(parsed.value.mesh);
}

const SHOP = `
version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, run: node web.js, calls: [orders, old] }
  nightly: { run: node nightly.js, calls: [orders] }
  old: { endpoints: [127.0.0.1:9000, 127.0.0.1:9001] }
  orders:
    port: 8080
    run: node orders.js
    versions: { v1: { instances: 2 }, v2: { instances: 1 } }
edges:
  main:
    listeners: [{ port: 8443 }]
    routes:
      - { match: /orders/**, to: { orders@v1: 95, orders@v2: 5 } }
      - { match: /**, to: web }
`;

describe('the plan of weft up', () => {
  it('has an instance per version and number, jobs too, none for what is outside the mesh', () => {
    const { instances } = planOf(SHOP);
    assert.deepEqual([...instances.keys()].toSorted(), [
      'nightly-1',
      'orders-v1-1',
      'orders-v1-2',
      'orders-v2-1',
      'web-1',
    ]);
    assert.deepEqual(instances.get('web-1'), {
      name: 'web-1',
      service: 'web',
      version: null,
      port: 3000,
      run: 'node web.js',
      workers: 1,
      ports: [],
      callees: ['orders', 'old'],
      bytes: [],
    });
    assert.equal(instances.get('nightly-1')?.port, null);
    assert.equal(instances.get('orders-v1-2')?.version, 'v1');
    assert.equal(instances.get('orders-v1-2')?.run, 'node orders.js');
  });

  it('has further ports of an app and of its callees, and knows which carry bytes', () => {
    const { instances, expected, edges } = planOf(`
version: 1
services:
  web: { port: 3000, calls: [orders, kv] }
  kv: { port: 6379, protocol: tcp, run: redis-server }
  orders: { run: node orders.js, ports: { http: 8080, grpc: 9090 }, versions: { v1: {} } }
edges: { main: { listeners: [{ port: 6380, protocol: tcp, to: kv }], routes: [] } }
`);
    const web = instances.get('web-1');
    assert.deepEqual([web?.callees, web?.bytes], [['orders', 'orders:grpc', 'kv'], ['kv']]);
    assert.deepEqual(instances.get('orders-v1-1')?.ports, [{ name: 'grpc', port: 9090 }]);
    assert.deepEqual([expected.get('orders:grpc'), expected.get('orders@v1:grpc'), expected.get('kv')], [1, 1, 1]);
    assert.deepEqual(edges.get('main')?.clusters, ['kv']);
  });

  it('counts the endpoints that each cluster will have', () => {
    const { expected, edges } = planOf(SHOP);
    assert.equal(expected.get('orders'), 3);
    assert.equal(expected.get('orders@v1'), 2);
    assert.equal(expected.get('old'), 2);
    assert.deepEqual(edges.get('main')?.clusters, ['orders@v1', 'orders@v2', 'web']);
  });

  it('expects no endpoint of an app that it does not start', () => {
    const { expected, instances } = planOf('version: 1\nservices: { orders: { port: 8080, versions: { v1: {} } } }\n');
    assert.deepEqual([expected.get('orders'), expected.get('orders@v1')], [0, 0]);
    assert.equal(instances.get('orders-v1-1')?.run, null);
  });

  it('gives every instance a name of its own that is a valid instance name', () => {
    const { instances } = planOf(`
version: 1
mesh: { trustDomain: shop.test }
services:
  a: { port: 1, versions: { b: {} } }
  a-b: { port: 2 }
  ${'x'.repeat(63)}: { port: 3, versions: { ${'y'.repeat(63)}: { instances: 2 } } }
`);
    assert.equal(instances.size, 4);
    for (const name of instances.keys()) assert.match(name, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
  });

  it('knows what an edit starts, stops and starts anew, and leaves the rest alone', () => {
    const before = planOf(SHOP).instances;
    const after = planOf(
      SHOP.replace('v1: { instances: 2 }', 'v1: { instances: 1 }')
        .replace('v2: { instances: 1 }', 'v2: { instances: 2 }')
        .replace('node web.js', 'node web2.js'),
    ).instances;
    assert.deepEqual(compareInstances(before, after), {
      removed: ['orders-v1-2'],
      added: ['orders-v2-2'],
      changed: ['web-1'],
    });
    assert.deepEqual(compareInstances(after, after), { removed: [], added: [], changed: [] });
  });
});
