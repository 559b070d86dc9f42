import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { loopbackAddresses } from '../../../../core/compile/loopback.ts';
import { compileSnapshot, type Snapshot } from '../../../../core/compile/snapshot.ts';
import { viewFor } from '../../../../core/compile/view.ts';
import { createConfigParser } from '../../../../core/config/parse.ts';
import { clusterName, ruleId } from '../../../../core/model/brand.ts';
import type { Mesh, WorkloadService } from '../../../../core/model/mesh.ts';
import type { Endpoint, Listener, View } from '../../../../core/model/view.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const parse = createConfigParser();

function meshOf(text: string): Mesh {
  const parsed = parse([{ name: 'weft.yaml', text }]);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value.mesh;
}

function snapshotOf(text: string): Snapshot {
  const compiled = compileSnapshot(meshOf(text), sha256);
  assert.ok(compiled.ok, JSON.stringify(compiled));
  return compiled.value;
}

function viewOf(snapshot: Snapshot, account: string, instances: readonly Endpoint[] = []): View {
  const view = viewFor(snapshot, account, () => instances);
  assert.ok(view, account);
  return view;
}

function inboundOf(snapshot: Snapshot, account: string): Listener & { kind: 'inbound' } {
  const listener = viewOf(snapshot, account).listeners.get('inbound');
  assert.ok(listener?.kind === 'inbound');
  return listener;
}

const SHOP = `version: 1
mesh: { trustDomain: shop.test }
services:
  web: { port: 3000, calls: [orders, users, legacy] }
  users: { port: 8081, timeout: 3s }
  nightly: { run: node nightly.js, calls: [orders] }
  legacy: { endpoints: ["127.0.0.1:9000", "[::1]:9000"] }
  orders: { port: 8080, calls: [payments], versions: { v1: { instances: 2 }, v2: {} }, timeout: 2s, balance: round-robin }
  payments: { port: 8082, allow: [{ from: orders, methods: [POST], paths: [/charge] }] }
edges:
  main:
    listeners:
      - { port: 8443, hosts: [api.shop.test], tls: internal }
      - { port: 8080, address: 127.0.0.1 }
    routes:
      - { match: POST /api/v2/orders/**, to: orders@v2 }
      - { match: /api/orders/**, to: { orders@v1: 95, orders@v2: 5 } }
      - { match: "/api/users/{id}", to: users, timeout: 1s }
      - { match: /both, to: { users: 1, orders: 1 } }
`;

test('a service gets its inbound listener and what it calls, and nothing else', () => {
  const snapshot = snapshotOf(SHOP);
  const web = viewOf(snapshot, 'web');
  assert.deepEqual([...web.clusters.keys()], ['orders', 'users', 'legacy']);
  assert.deepEqual([...web.endpoints.keys()], ['orders', 'users', 'legacy']);
  assert.deepEqual([...web.listeners.keys()], ['inbound', 'outbound/orders', 'outbound/users', 'outbound/legacy']);
  assert.deepEqual([...web.routes.keys()], ['outbound/orders', 'outbound/users', 'outbound/legacy']);
  const payments = viewOf(snapshot, 'payments');
  assert.deepEqual([[...payments.clusters], [...payments.routes]], [[], []]);
  assert.deepEqual([...payments.listeners.keys()], ['inbound']);
});

test('a job has no inbound listener', () => {
  assert.deepEqual([...viewOf(snapshotOf(SHOP), 'nightly').listeners.keys()], ['outbound/orders']);
});

test('a callee has one address of its own for all who call it, and the port that its name is called on', () => {
  const snapshot = snapshotOf(SHOP);
  const callee = (account: string, name: string) => {
    const listener = viewOf(snapshot, account).listeners.get(`outbound/${name}`);
    assert.ok(listener?.kind === 'outbound');
    return [listener.loopback, listener.port];
  };
  const all = loopbackAddresses(['web', 'users', 'nightly', 'legacy', 'orders', 'payments']);
  assert.deepEqual(callee('web', 'orders'), [all.get('orders'), 8080]);
  assert.deepEqual(callee('nightly', 'orders'), [all.get('orders'), 8080]);
  // Static endpoints that share a port are called on it; else there is none to call.
  assert.deepEqual(callee('web', 'legacy'), [all.get('legacy'), 9000]);
  const spread = snapshotOf(SHOP.replace('"[::1]:9000"', '"[::1]:9001"'));
  const listener = viewOf(spread, 'web').listeners.get('outbound/legacy');
  assert.equal(listener?.kind === 'outbound' && listener.port, 0);
});

test('an edge gets its listeners, its routes and the clusters that they name', () => {
  const edge = viewOf(snapshotOf(SHOP), 'edge-main');
  assert.deepEqual([...edge.listeners.keys()], ['edge/main/0', 'edge/main/1']);
  assert.deepEqual([...edge.clusters.keys()], ['orders@v2', 'orders@v1', 'users', 'orders']);
  assert.deepEqual([...edge.routes.keys()], ['edge/main']);
  assert.deepEqual(
    edge.routes.get('edge/main')?.routes.map((route) => [route.split, route.timeout]),
    [
      [[{ cluster: 'orders@v2', weight: 1 }], 2000],
      [
        [
          { cluster: 'orders@v1', weight: 95 },
          { cluster: 'orders@v2', weight: 5 },
        ],
        2000,
      ],
      [[{ cluster: 'users', weight: 1 }], 1000],
      [
        [
          { cluster: 'orders', weight: 1 },
          { cluster: 'users', weight: 1 },
        ],
        3000,
      ],
    ],
  );
});

test('a mesh cluster proves one identity, a static one none, and both know how to balance', () => {
  const web = viewOf(snapshotOf(SHOP), 'web');
  assert.deepEqual(web.clusters.get('orders'), {
    name: 'orders',
    service: 'orders',
    version: null,
    port: '',
    proxyProtocol: null,
    kind: 'mesh',
    identity: 'spiffe://shop.test/ns/default/sa/orders',
    protocol: 'http',
    balance: 'round-robin',
    connectTimeout: 5000,
    ruleId: 'services.orders',
  });
  assert.equal(web.clusters.get('legacy')?.identity, null);
  assert.deepEqual(web.endpoints.get('legacy')?.endpoints, [
    { id: '127.0.0.1:9000', host: '127.0.0.1', port: 9000, weight: 1 },
    { id: '[::1]:9000', host: '::1', port: 9000, weight: 1 },
  ]);
});

test('a further port has a cluster and an outbound listener of its own, and is reached at the same instances', () => {
  const text = `version: 1
services:
  web: { port: 1, calls: [api, kv] }
  kv: { port: 6379, protocol: tcp }
  api: { ports: { http: 2, grpc: 3 }, versions: { v1: {} } }
edges: { main: { listeners: [{ port: 8080 }], routes: [{ match: /**, to: "api@v1:grpc" }] } }
`;
  const snapshot = snapshotOf(text);
  const web = viewOf(snapshot, 'web');
  assert.deepEqual([...web.clusters.keys()], ['api', 'api:grpc', 'kv']);
  assert.equal(web.clusters.get('api:grpc')?.protocol, 'grpc');
  const listener = web.listeners.get('outbound/api:grpc');
  assert.ok(listener?.kind === 'outbound');
  assert.deepEqual([listener.port, listener.portName], [3, 'grpc']);
  const first = web.listeners.get('outbound/api');
  assert.equal(first?.kind === 'outbound' ? first.loopback : '', listener.loopback);
  assert.deepEqual(inboundOf(snapshot, 'api').ports, [{ name: 'grpc', port: 3, protocol: 'grpc' }]);
  assert.deepEqual([...viewOf(snapshot, 'edge-main').clusters.keys()], ['api@v1:grpc']);
  const bytes = web.listeners.get('outbound/kv');
  assert.ok(bytes?.kind === 'outbound');
  assert.deepEqual(
    [bytes.routes, bytes.tcp?.split, web.routes.has('outbound/kv')],
    ['', [{ cluster: 'kv', weight: 1 }], false],
  );
});

test('what an app speaks is known to its callers and to its own sidecar', () => {
  const snapshot = snapshotOf(SHOP.replace('port: 8081', 'port: 8081, protocol: grpc'));
  assert.equal(viewOf(snapshot, 'web').clusters.get('users')?.protocol, 'grpc');
  assert.equal(inboundOf(snapshot, 'users').protocol, 'grpc');
  assert.equal(viewOf(snapshot, 'web').clusters.get('orders')?.protocol, 'http');
});

test('what has no time limit of its own has 15 s, calls of gRPC none, on every port and on both sides', () => {
  const snapshot = snapshotOf(`version: 1
services:
  web: { port: 1, calls: [api, rpc, both] }
  api: { port: 2 }
  rpc: { port: 3, protocol: grpc }
  both: { ports: { http: 4, grpc: 5 } }
  slow: { port: 6, protocol: grpc, timeout: 7s }
edges:
  main:
    listeners: [{ port: 8080 }]
    routes:
      - { match: /both/**, to: both }
      - { match: /rpc/**, to: both:grpc }
      - { match: /slow/**, to: slow }
      - { match: /split/**, to: { api: 1, rpc: 1 } }
`);
  const web = viewOf(snapshot, 'web');
  const timeoutTo = (cluster: string): unknown => web.routes.get(`outbound/${cluster}`)?.routes[0]?.timeout;
  assert.deepEqual(['api', 'rpc', 'both', 'both:grpc'].map(timeoutTo), [15_000, 0, 15_000, 0]);
  const edge = viewOf(snapshot, 'edge-main').routes.get('edge/main')?.routes;
  assert.deepEqual(
    edge?.map(({ timeout }) => timeout),
    [15_000, 0, 7_000, 0],
  );
  const inbound = (service: string): unknown => inboundOf(snapshot, service).timeout;
  assert.deepEqual(['api', 'rpc', 'both', 'slow'].map(inbound), [15_000, 0, 0, 7_000]);
});

test('the instances of mesh clusters come from outside, asked for by cluster', () => {
  const asked: string[] = [];
  const endpoint: Endpoint = { id: 'orders-1', host: '10.0.0.1', port: 15_006, weight: 1 };
  const view = viewFor(snapshotOf(SHOP), 'web', (cluster) => {
    asked.push(cluster);
    return cluster === clusterName('orders') ? [endpoint] : [];
  });
  assert.deepEqual(asked, ['orders', 'users']);
  assert.deepEqual(view?.endpoints.get('orders'), { cluster: 'orders', endpoints: [endpoint] });
});

test('an account that is not in the config has no view; a static service is no account', () => {
  const snapshot = snapshotOf(SHOP);
  for (const account of ['nobody', 'main', 'legacy', 'edge-other', 'constructor']) {
    assert.equal(
      viewFor(snapshot, account, () => []),
      null,
    );
  }
});

test('callers are those who say in calls or by a route that they call', () => {
  const { policy } = inboundOf(snapshotOf(SHOP), 'orders');
  assert.deepEqual(policy, {
    callers: [
      { identity: 'spiffe://shop.test/ns/default/sa/edge-main', ruleId: 'edges.main.routes[0]' },
      { identity: 'spiffe://shop.test/ns/default/sa/nightly', ruleId: 'services.nightly.calls[0]' },
      { identity: 'spiffe://shop.test/ns/default/sa/web', ruleId: 'services.web.calls[0]' },
    ],
    allow: null,
    denyRuleId: 'services.orders',
  });
});

test('allow is compiled to identities, and its own key denies', () => {
  const { policy } = inboundOf(snapshotOf(SHOP), 'payments');
  assert.deepEqual(policy.allow, [
    {
      from: ['spiffe://shop.test/ns/default/sa/orders'],
      methods: ['POST'],
      paths: [{ kind: 'exact', path: '/charge' }],
      ruleId: 'services.payments.allow[0]',
    },
  ]);
  assert.equal(policy.denyRuleId, 'services.payments.allow');
});

test('with explicit authorization a service without allow admits nobody', () => {
  const snapshot = snapshotOf(SHOP.replace('{ trustDomain: shop.test }', '{ authorization: explicit }'));
  assert.deepEqual(inboundOf(snapshot, 'orders').policy.allow, []);
  assert.equal(inboundOf(snapshot, 'orders').policy.denyRuleId, 'services.orders');
});

test('a service without a time limit takes it away from the routes that lead to it', () => {
  const snapshot = snapshotOf(SHOP.replace('timeout: 3s', 'timeout: 0'));
  assert.equal(viewOf(snapshot, 'edge-main').routes.get('edge/main')?.routes[3]?.timeout, 0);
});

test('the callee grants as much time as the longest of the routes that lead to it', () => {
  assert.equal(inboundOf(snapshotOf(SHOP), 'users').timeout, 3000);
  assert.equal(inboundOf(snapshotOf(SHOP.replace('timeout: 1s', 'timeout: 60s')), 'users').timeout, 60_000);
  assert.equal(inboundOf(snapshotOf(SHOP.replace('timeout: 1s', 'timeout: 0')), 'users').timeout, 0);
});

test('a target that gets nothing for now keeps its cluster in the view, ready to get a share', () => {
  const edge = viewOf(snapshotOf(SHOP.replace('orders@v2: 5 }', 'orders@v2: 0 }')), 'edge-main');
  assert.deepEqual(edge.routes.get('edge/main')?.routes[1]?.split, [
    { cluster: 'orders@v1', weight: 95 },
    { cluster: 'orders@v2', weight: 0 },
  ]);
  assert.ok(edge.clusters.has('orders@v2'));
});

test('views share the resources of their snapshot', () => {
  const snapshot = snapshotOf(SHOP);
  const [web, nightly] = [viewOf(snapshot, 'web'), viewOf(snapshot, 'nightly')];
  for (const type of ['clusters', 'routes', 'listeners'] as const) {
    const name = type === 'clusters' ? 'orders' : 'outbound/orders';
    assert.equal(web[type].get(name), nightly[type].get(name), type);
  }
});

test('the hash stands still for comments, key order and written-out defaults, and moves with the meaning', () => {
  const base = snapshotOf(SHOP).hash;
  assert.match(base, /^[0-9a-f]{16}$/);
  assert.equal(snapshotOf(`# a comment\n${SHOP}\n# another\n`).hash, base);
  const swapped = SHOP.replace('{ port: 8081, timeout: 3s }', '{ timeout: 3000ms, port: 8081, protocol: http }');
  assert.equal(
    snapshotOf(swapped.replace('{ orders@v1: 95, orders@v2: 5 }', '{ orders@v2: 5, orders@v1: 95 }')).hash,
    base,
  );
  for (const [from, to] of [
    ['timeout: 3s', 'timeout: 4s'],
    ['port: 3000', 'port: 3001'],
    ['methods: [POST]', 'methods: [PUT]'],
    ['orders@v1: 95', 'orders@v1: 94'],
    ['shop.test }', 'other.test }'],
    ['/charge', '/charge/**'],
  ] as const) {
    assert.notEqual(snapshotOf(SHOP.replace(from, to)).hash, base, to);
  }
});

test('a mesh with a reference that leads nowhere does not compile, and every one is named', () => {
  const mesh = meshOf(SHOP);
  const web = mesh.services.get('web') as WorkloadService;
  const broken: Mesh = {
    ...mesh,
    services: new Map([
      ...mesh.services,
      ['web', { ...web, calls: [...web.calls, { service: 'ghost', ruleId: ruleId('services.web.calls[3]') }] }],
    ]),
    edges: new Map(
      [...mesh.edges].map(([name, edge]) => [
        name,
        {
          ...edge,
          routes: edge.routes.map((route, index) => ({
            ...route,
            to: [
              { service: 'orders', version: index === 0 ? 'v9' : null, port: '', weight: index === 1 ? 0 : 1 },
              { service: index === 2 ? 'nightly' : 'orders', version: null, port: '', weight: index === 1 ? 0 : 1 },
            ],
          })),
        },
      ]),
    ),
  };
  const result = compileSnapshot(broken, sha256);
  assert.ok(!result.ok);
  assert.deepEqual(result.error, [
    { ruleId: 'services.web.calls[3]', message: 'there is no service "ghost"' },
    { ruleId: 'edges.main.routes[0]', message: '"orders" has no version "v9"' },
    { ruleId: 'edges.main.routes[1]', message: 'no target has a weight above 0' },
    { ruleId: 'edges.main.routes[2]', message: '"nightly" has no port' },
  ]);
});

interface Drawn {
  readonly port: number;
  readonly calls: readonly number[];
  readonly versions: number;
  readonly guarded: boolean;
}

/** A random mesh as YAML: services s0…, each with calls, versions or allow as drawn, and one edge. */
function drawnConfig(drawn: readonly Drawn[], turned: boolean): string {
  const name = (index: number) => `s${index % drawn.length}`;
  const services = drawn.map((each, index) => {
    const calls = [...new Set(each.calls.map(name))].filter((callee) => callee !== `s${index}`);
    const versions = Object.fromEntries(Array.from({ length: each.versions }, (_, v) => [`v${v}`, { instances: v }]));
    const allow = [{ from: [...new Set(each.calls.map(name))].filter((one) => one !== `s${index}`) }];
    const guarded = each.guarded && (allow[0]?.from.length ?? 0) > 0;
    const fields = { port: each.port, calls, ...(each.versions > 0 && { versions }), ...(guarded && { allow }) };
    return [`s${index}`, turn(fields)] as const;
  });
  const edges = { main: { listeners: [{ port: 8080 }], routes: [{ match: '/**', to: 's0' }] } };
  const config = { version: 1, services: Object.fromEntries(turned ? services.toReversed() : services), edges };
  return stringify(turn(config));
  function turn(value: object): object {
    return turned ? Object.fromEntries(Object.entries(value).toReversed()) : value;
  }
}

const drawnServices = fc.array(
  fc.record({
    port: fc.integer({ min: 1, max: 65_535 }),
    calls: fc.array(fc.nat(20), { maxLength: 5 }),
    versions: fc.nat(3),
    guarded: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);

test('in every view each name leads to something of the same view, and only callees are in it', () => {
  fc.assert(
    fc.property(drawnServices, (drawn) => {
      const snapshot = snapshotOf(drawnConfig(drawn, false));
      for (const account of snapshot.accounts.keys()) {
        const view = viewOf(snapshot, account);
        const service = snapshot.mesh.services.get(account);
        const callees = service?.kind === 'workload' ? service.calls.map((call) => call.service) : ['s0'];
        assert.deepEqual(new Set([...view.clusters.values()].map((cluster) => cluster.service)), new Set(callees));
        assert.deepEqual([...view.endpoints.keys()], [...view.clusters.keys()]);
        for (const listener of view.listeners.values()) {
          if (listener.kind !== 'inbound') assert.ok(view.routes.has(listener.routes));
        }
        for (const table of view.routes.values()) {
          for (const route of table.routes)
            for (const { cluster } of route.split) assert.ok(view.clusters.has(cluster));
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('whoever has a cluster in its view is a caller at the service behind it, and nobody else is', () => {
  fc.assert(
    fc.property(drawnServices, (drawn) => {
      const snapshot = snapshotOf(drawnConfig(drawn, false));
      for (const callee of snapshot.mesh.services.keys()) {
        const callers = inboundOf(snapshot, callee).policy.callers.map(({ identity }) => identity.split('/').at(-1));
        const holders = [...snapshot.accounts].filter(([, own]) => own.clusters.some((one) => one.service === callee));
        assert.deepEqual(callers.toSorted(), holders.map(([account]) => account).toSorted());
      }
    }),
    { numRuns: 60 },
  );
});

test('the order of keys never moves the hash', () => {
  fc.assert(
    fc.property(drawnServices, (drawn) => {
      assert.equal(snapshotOf(drawnConfig(drawn, false)).hash, snapshotOf(drawnConfig(drawn, true)).hash);
    }),
    { numRuns: 60 },
  );
});

test('time limits of one try and of silence come from the route, else from the most patient service', () => {
  const text = `version: 1
services:
  a: { port: 1, timeout: { perTry: 100ms, idle: 1m } }
  b: { port: 2, timeout: { perTry: 200ms, idle: 2m } }
  c: { port: 3 }
edges:
  main:
    listeners: [{ port: 8080 }]
    routes:
      - { match: /a, to: a }
      - { match: /ab, to: { a: 1, b: 1 } }
      - { match: /ac, to: { a: 1, c: 1 } }
      - { match: /c, to: c }
      - { match: /own, to: a, timeout: { perTry: 0, idle: 3m } }
`;
  const snapshot = snapshotOf(text);
  const routes = viewOf(snapshot, 'edge-main').routes.get('edge/main')?.routes ?? [];
  assert.deepEqual(
    routes.map(({ perTryTimeout, idleTimeout }) => [perTryTimeout, idleTimeout]),
    [
      [100, 60_000],
      [200, 120_000],
      // Without a limit, and with the default, which is an hour for upgraded connections.
      [0, 3_600_000],
      [0, null],
      [0, 180_000],
    ],
  );
  assert.equal(inboundOf(snapshot, 'a').idleTimeout, 180_000);
  assert.equal(inboundOf(snapshot, 'c').idleTimeout, null);
});
