import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { View } from '../../../../core/model/view.ts';
import { DEFAULT_HEALTH } from '../../../../core/model/health.ts';
import { decodeResource } from '../../../../proto/codec/decode.ts';
import { encodeView } from '../../../../proto/codec/encode.ts';
import { describeFlaw } from '../../../../proto/codec/fields.ts';
import { loadServices } from '../../../../proto/codec/services.ts';
import { viewOf } from '../../../../proto/codec/view.ts';
import type { Resource } from '../../../../proto/gen/weft/v1/Resource.ts';
import type { Route } from '../../../../proto/gen/weft/v1/Route.ts';
import { arbitraryView } from '../../../support/arbitrary-view.ts';

const { responseSerialize, responseDeserialize } = loadServices().discovery.Stream;

/** Through the bytes and back, as the proxy gets it. */
function overTheWire(resources: Resource[]) {
  return responseDeserialize(responseSerialize({ nonce: 'n', snapshot: 's', resources })).resources;
}

function decodeOne(resource: Resource) {
  const [wire] = overTheWire([resource]);
  assert.ok(wire !== undefined);
  return decodeResource(wire);
}

function flawOf(resource: Resource): string {
  const decoded = decodeOne(resource);
  assert.ok(!decoded.ok, 'it should have been refused');
  return describeFlaw(decoded.error);
}

function decodeView(view: View) {
  const decoded = overTheWire(encodeView(view).map(({ wire }) => wire)).map((wire) => {
    const resource = decodeResource(wire);
    assert.ok(resource.ok, resource.ok ? '' : describeFlaw(resource.error));
    return resource.value;
  });
  return viewOf(decoded, view.snapshot);
}

test('every field of every resource survives the way over the wire', () => {
  fc.assert(
    fc.property(arbitraryView, (view) => {
      const decoded = decodeView(view);
      assert.ok(decoded.ok);
      assert.deepEqual(decoded.value, view);
    }),
  );
});

test('equal content has an equal version and one changed field another', () => {
  fc.assert(
    fc.property(arbitraryView, (view) => {
      const versions = (of: View) => encodeView(of).map(({ type, name, version }) => `${type}/${name} ${version}`);
      assert.deepEqual(versions(structuredClone(view)), versions(view));
      for (const [name, cluster] of view.clusters) {
        const changed = {
          ...cluster,
          balance: cluster.balance === 'round-robin' ? 'least-request' : 'round-robin',
        } as const;
        assert.notDeepEqual(versions({ ...view, clusters: new Map(view.clusters).set(name, changed) }), versions(view));
      }
    }),
  );
});

const cluster = {
  name: 'orders',
  service: 'orders',
  kind: 'CLUSTER_KIND_MESH',
  identity: 'spiffe://shop.test/ns/default/sa/orders',
  balance: 'BALANCE_ROUND_ROBIN',
  connectTimeoutMs: 5000,
  ruleId: 'services.orders',
} as const;
const endpoint = { id: 'orders-1', host: '127.0.0.1', port: 15006, weight: 1 };
const route: Route = {
  ruleId: 'edges.main.routes[0]',
  match: { path: { kind: 'PATH_KIND_EXACT', path: '/' } },
  split: [{ cluster: 'orders', weight: 1 }],
};
const inbound = { service: 'orders', appPort: 8080, policy: { denyRuleId: 'services.orders' } };

const clusterOf = (change: object): Resource => ({ name: 'orders', version: '1', cluster: { ...cluster, ...change } });
const endpointOf = (change: object): Resource => ({
  name: 'orders',
  version: '1',
  endpoints: { cluster: 'orders', endpoints: [{ ...endpoint, ...change }] },
});
const routeOf = (change: object): Resource => ({
  name: 't',
  version: '1',
  routes: { name: 't', routes: [{ ...route, ...change }] },
});
const listenerOf = (change: object): Resource => ({
  name: 'inbound',
  version: '1',
  listener: { name: 'inbound', ruleId: 'services.orders', ...change },
});
const healthOf = (change: object): Resource =>
  listenerOf({
    inbound: { ...inbound, health: { intervalMs: 5_000, timeoutMs: 1_000, healthy: 1, unhealthy: 3, ...change } },
  });

test('what the refusals below change is valid as it stands', () => {
  for (const resource of [
    clusterOf({}),
    endpointOf({}),
    routeOf({}),
    listenerOf({ inbound }),
    healthOf({ path: '/healthz' }),
  ]) {
    const decoded = decodeOne(resource);
    assert.ok(decoded.ok, decoded.ok ? '' : describeFlaw(decoded.error));
  }
});

const refusals: [string, Resource, RegExp][] = [
  ['a resource without a body', { name: 'x', version: '1' }, /unknown\/x body: is of a type/],
  ['an empty name', { name: '', version: '1', cluster }, /name: is empty/],
  ['an empty version', { name: 'orders', version: '', cluster }, /version: is empty/],
  ['a name that differs inside', { name: 'other', version: '1', cluster }, /differs from the name inside/],
  ['a name that is too long', { name: 'n'.repeat(300), version: '1', cluster }, /has 300 characters, at most 256/],
  ['a control character in a name', endpointOf({ host: 'a\nb' }), /host: has a control character/],
  ['an unknown cluster kind', clusterOf({ kind: 9 }), /cluster\/orders kind: has the unknown value 9/],
  ['an unspecified cluster kind', clusterOf({ kind: 0 }), /kind: has the unknown value CLUSTER_KIND_UNSPECIFIED/],
  ['an unknown balance policy', clusterOf({ balance: 7 }), /balance: has the unknown value 7/],
  ['a mesh cluster without identity', clusterOf({ identity: '' }), /identity: is not a SPIFFE ID/],
  ['a static cluster with identity', clusterOf({ kind: 'CLUSTER_KIND_STATIC' }), /identity: is not for a static/],
  [
    'a cluster called otherwise than its service',
    clusterOf({ service: 'users' }),
    /name: is 'orders', expected 'users'/,
  ],
  ['a rule id that is empty', clusterOf({ ruleId: '' }), /rule_id: is empty/],
  ['a time that no timer takes', clusterOf({ connectTimeoutMs: 2 ** 32 - 1 }), /connect_timeout_ms: is 4294967295/],
  ['port 0 of an endpoint', endpointOf({ port: 0 }), /endpoints\[0\]\.port: is 0, expected 1 to 65535/],
  ['a port out of range', endpointOf({ port: 70_000 }), /port: is 70000/],
  ['weight 0 of an endpoint', endpointOf({ weight: 0 }), /weight: is 0/],
  ['a route without a match', routeOf({ match: null }), /routes\[0\]\.match: is missing/],
  [
    'a path of unknown kind',
    routeOf({ match: { path: { kind: 9, path: '/' } } }),
    /path\.kind: has the unknown value 9/,
  ],
  ['a path that is none', routeOf({ match: { path: { kind: 1, path: 'a' } } }), /does not begin with '\/'/],
  ['a split of nothing', routeOf({ split: [{ cluster: 'a', weight: 0 }] }), /no target with a weight above 0/],
  ['a method that is no token', routeOf({ match: { ...route.match, methods: ['G T'] } }), /not an HTTP token/],
  ['a listener of unknown kind', listenerOf({}), /listener\/inbound body: is of a type/],
  ['an inbound listener without policy', listenerOf({ inbound: { ...inbound, policy: null } }), /policy: is missing/],
  ['a health check whose path is none', healthOf({ path: '/a b' }), /inbound\.health\.path: is not a path/],
  ['a health check without a pause', healthOf({ intervalMs: 0 }), /inbound\.health\.interval_ms: is 0/],
  ['a health check that never decides', healthOf({ unhealthy: 0 }), /inbound\.health\.unhealthy: is 0/],
  ['an edge with unknown TLS', listenerOf({ edge: { edge: 'main', address: 'a', tls: 8, routes: 't' } }), /edge\.tls/],
];

test('where a control plane says nothing of health, the app is asked for a connection', () => {
  const decoded = decodeOne(listenerOf({ inbound }));
  assert.ok(decoded.ok && decoded.value.type === 'listener' && decoded.value.value.kind === 'inbound');
  assert.deepEqual(decoded.value.value.health, DEFAULT_HEALTH);
});

test('a proxy listens for a callee nowhere but in 127.15.0.0/16', () => {
  const at = (loopback: string) => listenerOf({ outbound: { service: 'orders', port: 1, routes: 't', loopback } });
  for (const address of ['127.15.0.0', '127.15.255.255', '127.15.9.10']) assert.ok(decodeOne(at(address)).ok, address);
  const others = [
    '',
    '0.0.0.0',
    '127.0.0.1',
    '127.16.0.1',
    '128.15.0.1',
    '127.15.0.256',
    '127.15.00.1',
    '127.15.0.1:80',
  ];
  for (const address of [...others, '127.15.1', '127.15.0.1.2', '::1', '127.15.0.1\n', ' 127.15.0.1', 'localhost']) {
    assert.match(flawOf(at(address)), /outbound\.loopback: is not an address in 127\.15\.0\.0\/16/, address);
  }
});

for (const [name, resource, reason] of refusals) {
  test(`${name} is refused with its path and reason`, () => assert.match(flawOf(resource), reason));
}

test('a list that is too long is refused before it is read', () => {
  const endpoints = Array.from({ length: 10_001 }, (_, index) => ({ ...endpoint, id: `orders-${index}` }));
  const flaw = flawOf({ name: 'orders', version: '1', endpoints: { cluster: 'orders', endpoints } });
  assert.match(flaw, /endpoints: has 10001 entries, at most 10000/);
});

test('the same endpoint twice is refused', () => {
  const flaw = flawOf({ name: 'o', version: '1', endpoints: { cluster: 'o', endpoints: [endpoint, endpoint] } });
  assert.match(flaw, /'orders-1' is there twice/);
});

test('a flaw in a rule carries the rule id', () => {
  const decoded = decodeOne(routeOf({ split: [] }));
  assert.ok(!decoded.ok);
  assert.equal(decoded.error.ruleId, 'edges.main.routes[0]');
});

test('a name that leads nowhere inside the view is refused', () => {
  const dangling = (resources: Resource[]) => {
    const decoded = resources.map((resource) => decodeOne(resource)).flatMap((one) => (one.ok ? [one.value] : []));
    const view = viewOf(decoded, 'h' as View['snapshot']);
    assert.ok(!view.ok);
    return describeFlaw(view.error);
  };
  const outbound = { service: 'orders', port: 1, loopback: '127.15.0.3', routes: 'gone' };
  assert.match(dangling([clusterOf({})]), /^cluster\/orders: needs endpoints\/orders/);
  assert.match(dangling([endpointOf({})]), /^endpoints\/orders cluster: needs cluster\/orders/);
  assert.match(dangling([routeOf({})]), /^routes\/t routes\[0\]\.split\[0\]\.cluster: needs cluster\/orders/);
  assert.match(dangling([listenerOf({ outbound })]), /^listener\/inbound routes: needs routes\/gone/);
});
