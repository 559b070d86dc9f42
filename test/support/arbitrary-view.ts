// Arbitrary views whose names all lead somewhere, for property tests of the codec and the stream.
import fc from 'fast-check';
import { clusterName, milliseconds, ruleId, spiffeId, type SnapshotHash } from '../../core/model/brand.ts';
import type { PathPattern } from '../../core/model/mesh.ts';
import type {
  AuthorizationPolicy,
  Cluster,
  ClusterEndpoints,
  Listener,
  Route,
  RouteTable,
  TcpRoute,
  View,
  WeightedCluster,
} from '../../core/model/view.ts';

const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const visible = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => !/\p{Cc}/u.test(text));
const port = fc.integer({ min: 1, max: 65_535 });
const rule = word.map((name) => ruleId(`services.${name}`));
const time = fc.integer({ min: 0, max: 2 ** 31 - 1 }).map(milliseconds);
const protocol = fc.constantFrom('http' as const, 'http2' as const, 'grpc' as const, 'tcp' as const);
const proxyProtocol = fc.constantFrom('v1' as const, 'v2' as const, null);
const times = fc.integer({ min: 1, max: 100 });
const health = fc.record({
  path: fc.option(fc.webPath({ size: 'small' }).map((text) => `/${text}`)),
  interval: fc.integer({ min: 100, max: 3_600_000 }).map(milliseconds),
  timeout: fc.integer({ min: 10, max: 60_000 }).map(milliseconds),
  healthy: times,
  unhealthy: times,
});
const method = fc.constantFrom('GET', 'POST', 'PURGE', 'M-SEARCH');
const identity = word.map((name) => spiffeId('shop.test', 'default', name));
const short = <T>(item: fc.Arbitrary<T>, minLength = 0) => fc.array(item, { minLength, maxLength: 3 });

const octet = fc.integer({ min: 0, max: 255 });
const loopback = fc.tuple(octet, octet).map(([third, fourth]) => `127.15.${third}.${fourth}`);

const path: fc.Arbitrary<PathPattern> = fc.record({
  kind: fc.constantFrom('exact', 'template', 'prefix', 'glob'),
  path: visible.map((text) => `/${text}`),
});

const policy: fc.Arbitrary<AuthorizationPolicy> = fc.record({
  callers: short(fc.record({ identity, ruleId: rule })),
  allow: fc.option(
    short(fc.record({ from: short(identity), methods: short(method), paths: short(path), ruleId: rule })),
  ),
  denyRuleId: rule,
});

function arbitraryCluster(service: string, version: string | null, portName: string): fc.Arbitrary<Cluster> {
  const base = {
    name: fc.constant(clusterName(service, version ?? undefined, portName)),
    port: fc.constant(portName),
    proxyProtocol,
    service: fc.constant(service),
    version: fc.constant(version),
    protocol,
    balance: fc.constantFrom('round-robin' as const, 'least-request' as const),
    connectTimeout: time,
    ruleId: rule,
  };
  return fc.oneof(
    fc.record({ ...base, kind: fc.constant('mesh' as const), identity }),
    fc.record({ ...base, kind: fc.constant('static' as const), identity: fc.constant(null) }),
  );
}

function arbitraryEndpoints(cluster: Cluster): fc.Arbitrary<ClusterEndpoints> {
  const endpoint = fc.record({ id: visible, host: visible, port, weight: fc.integer({ min: 1, max: 1000 }) });
  return fc
    .uniqueArray(endpoint, { maxLength: 4, selector: ({ id }) => id })
    .map((endpoints) => ({ cluster: cluster.name, endpoints }));
}

function arbitraryTarget(clusters: readonly Cluster[]): fc.Arbitrary<WeightedCluster> {
  return fc.record({
    cluster: fc.constantFrom(...clusters.map(({ name }) => name)),
    weight: fc.integer({ min: 1, max: 100 }),
  });
}

function arbitraryTcpRoute(clusters: readonly Cluster[]): fc.Arbitrary<TcpRoute> {
  const split = short(arbitraryTarget(clusters), 1);
  return fc.record({ ruleId: rule, sni: short(word), split, idleTimeout: time });
}

function arbitraryRoute(clusters: readonly Cluster[]): fc.Arbitrary<Route> {
  const target = arbitraryTarget(clusters);
  return fc.record({
    ruleId: rule,
    match: fc.record({
      hosts: short(word),
      path,
      methods: short(method),
      headers: short(fc.record({ name: word, value: fc.oneof(visible, fc.constant('')) })),
      query: short(fc.record({ name: visible, value: fc.oneof(visible, fc.constant('')) })),
    }),
    split: short(target, 1),
    rewrite: fc.option(fc.record({ prefix: visible, to: visible })),
    timeout: time,
    perTryTimeout: time,
    idleTimeout: fc.option(time),
  });
}

function arbitraryListener(
  name: string,
  tables: readonly string[],
  clusters: readonly Cluster[],
): fc.Arbitrary<Listener> {
  const tcpRoute = clusters.length === 0 ? null : arbitraryTcpRoute(clusters);
  const inbound = fc.record({
    kind: fc.constant('inbound' as const),
    name: fc.constant(name),
    service: word,
    appPort: port,
    protocol,
    ports: fc.uniqueArray(fc.record({ name: word, port, protocol }), {
      maxLength: 3,
      selector: ({ name: own }) => own,
    }),
    policy,
    timeout: time,
    idleTimeout: fc.option(time),
    health: fc.option(health),
    proxyProtocol,
    ruleId: rule,
  });
  if (tables.length === 0) return inbound;
  const routes = fc.constantFrom(...tables);
  return fc.oneof(
    inbound,
    fc.record({
      kind: fc.constant('outbound' as const),
      name: fc.constant(name),
      service: word,
      port: fc.integer({ min: 0, max: 65_535 }),
      loopback,
      portName: fc.oneof(word, fc.constant('')),
      routes,
      tcp: fc.constant(null),
      ruleId: rule,
    }),
    ...(tcpRoute === null
      ? []
      : [
          fc.record({
            kind: fc.constant('outbound' as const),
            name: fc.constant(name),
            service: word,
            port,
            loopback,
            portName: fc.constant(''),
            routes: fc.constant(''),
            tcp: tcpRoute,
            ruleId: rule,
          }),
        ]),
    fc.record({
      kind: fc.constant('edge' as const),
      name: fc.constant(name),
      edge: word,
      address: visible,
      port: fc.integer({ min: 0, max: 65_535 }),
      hosts: short(word),
      tls: fc.constantFrom('internal' as const, null),
      limits: fc.record({
        requestLine: fc.integer({ min: 256, max: 65_536 }),
        headerSize: fc.integer({ min: 1_024, max: 1_048_576 }),
        headerCount: fc.integer({ min: 8, max: 1_000 }),
        bodySize: fc.integer({ min: 0, max: 2 ** 40 }),
        headerTimeout: fc.nat(1_000_000).map(milliseconds),
      }),
      trustedProxies: short(fc.constantFrom('10.0.0.0/8', 'fd00::/8', '192.0.2.7')),
      forwarded: fc.constantFrom('x-forwarded' as const, 'forwarded' as const, 'both' as const),
      routes,
      tcp: tcpRoute === null ? fc.constant([]) : short(tcpRoute),
      proxyProtocol: fc.option(short(fc.constantFrom('10.0.0.0/8', 'fd00::/8', '127.0.0.1'))),
      ruleId: rule,
    }),
  );
}

const byName = <T>(items: readonly T[], name: (item: T) => string) => new Map(items.map((item) => [name(item), item]));

const snapshot = fc
  .stringMatching(/^[0-9a-f]{16}$/)
  // The hash of no config at all; only its shape matters here.
  .map((text) => text as SnapshotHash);

export const arbitraryView: fc.Arbitrary<View> = fc
  .uniqueArray(fc.tuple(word, fc.option(word), fc.oneof(word, fc.constant(''))), {
    maxLength: 4,
    selector: ([service, version, name]) => clusterName(service, version ?? undefined, name),
  })
  .chain((names) => fc.tuple(...names.map(([service, version, name]) => arbitraryCluster(service, version, name))))
  .chain((clusters) => {
    const table: fc.Arbitrary<RouteTable> = fc.record({
      name: word,
      routes: clusters.length === 0 ? fc.constant([]) : short(arbitraryRoute(clusters)),
    });
    return fc.tuple(
      fc.constant(clusters),
      fc.tuple(...clusters.map(arbitraryEndpoints)),
      fc.uniqueArray(table, { maxLength: 3, selector: ({ name }) => name }),
    );
  })
  .chain(([clusters, endpoints, tables]) =>
    fc.record({
      snapshot,
      clusters: fc.constant(byName(clusters, ({ name }) => name)),
      endpoints: fc.constant(byName(endpoints, ({ cluster }) => cluster)),
      routes: fc.constant(byName(tables, ({ name }) => name)),
      listeners: fc
        .uniqueArray(word, { maxLength: 3 })
        .chain((names) =>
          fc.tuple(
            ...names.map((name) =>
              arbitraryListener(
                name,
                tables.map((t) => t.name),
                clusters,
              ),
            ),
          ),
        )
        .map((listeners) => byName(listeners, ({ name }) => name)),
    }),
  )
  // Plain prototypes, as real views have them.
  .map((view) => structuredClone(view));
