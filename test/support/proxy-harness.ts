// One proxy in this process, with views made by hand, real sockets on port 0 and every line kept.
import type { TestContext } from 'node:test';
import { clusterName, milliseconds, ruleId, type SnapshotHash } from '../../core/model/brand.ts';
import { DEFAULT_LIMITS, type ForwardedFields, type ListenerLimits } from '../../core/model/listener.ts';
import type { Cluster, Endpoint, Listener, Route, View } from '../../core/model/view.ts';
import { Proxy } from '../../proxy/assemble.ts';
import { IdSource } from '../../proxy/filter/ids.ts';
import { ServerCertificates } from '../../proxy/mode/certificates.ts';
import { EdgeMode } from '../../proxy/mode/edge.ts';
import type { Mode } from '../../proxy/mode/plan-context.ts';
import { DecisionRing } from '../../proxy/telemetry/decisions.ts';
import { Denials } from '../../proxy/telemetry/denials.ts';
import { Stats } from '../../proxy/telemetry/stats.ts';
import type { KeyMaterial } from '../../proxy/tls/material.ts';
import { MeshDialer } from '../../proxy/tls/mesh-dial.ts';
import { MeshTls } from '../../proxy/tls/mesh-tls.ts';
import { eventually } from './eventually.ts';
import { recordingLog, type LogLine } from './recording-log.ts';
import type { TestIdentity } from './test-authority.ts';

export interface ProxyHarness {
  readonly proxy: Proxy;
  readonly stats: Stats;
  readonly ring: DecisionRing;
  readonly lines: readonly LogLine[];
  /** Null without an identity. */
  readonly tls: MeshTls | null;
  /** The port of a listener. */
  port(listener?: string): number;
  /** Access-log lines, once there are so many. */
  exchanges(count: number): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export interface HarnessOptions {
  readonly modes?: readonly Mode[];
  readonly identity?: TestIdentity;
  readonly view?: View;
  readonly drain?: number;
  /** Of edge listeners with TLS; the mesh's own identity will do for a test. */
  readonly certificate?: KeyMaterial;
}

export async function startProxy(test: TestContext, options: HarnessOptions = {}): Promise<ProxyHarness> {
  const log = recordingLog();
  const stats = new Stats();
  const ring = new DecisionRing();
  const { identity, certificate } = options;
  const tls = identity === undefined ? null : new MeshTls({ trustDomain: 'shop.test', material: identity, log });
  const proxy = new Proxy({
    modes: options.modes ?? [new EdgeMode()],
    log,
    recorder: { stats, log, accessLog: true, identity: identity?.spiffeId ?? null },
    denials: new Denials(ring, log, Date.now),
    ids: new IdSource(),
    random: Math.random,
    mesh: tls === null ? null : { tls, dialer: new MeshDialer(tls, log) },
    certificates: certificate === undefined ? null : new ServerCertificates(() => Promise.resolve(certificate)),
    drain: options.drain ?? 1_000,
  });
  test.after(() => proxy.close());
  await proxy.start();
  if (options.view !== undefined) {
    const applied = await proxy.apply(options.view);
    if (!applied.ok) throw new Error(applied.error.message);
  }
  const exchanges = (): Readonly<Record<string, unknown>>[] =>
    log.lines.filter(({ message }) => message === 'exchange').map(({ fields }) => fields);
  return {
    proxy,
    stats,
    ring,
    lines: log.lines,
    tls,
    port: (listener = 'edge/main/0') => {
      const acceptor = proxy.acceptors.find(({ name }) => name === listener);
      if (acceptor === undefined) throw new Error(`no listener ${listener}`);
      return acceptor.bound.port;
    },
    exchanges: async (count) => {
      await eventually(() => exchanges().length >= count);
      return exchanges();
    },
  };
}

export interface EdgeViewOptions {
  readonly limits?: Partial<ListenerLimits>;
  readonly trustedProxies?: readonly string[];
  readonly forwarded?: ForwardedFields;
  readonly tls?: 'internal';
  /** Of the cluster; default http. */
  readonly protocol?: Cluster['protocol'];
  readonly snapshot?: string;
  readonly hosts?: readonly string[];
  /** Of the listener; default one of its own. */
  readonly port?: number;
  /** Milliseconds; default none. */
  readonly timeout?: number;
  readonly routes?: readonly Route[];
  readonly connectTimeout?: number;
}

/** An edge on a port of its own, with one cluster `up` behind these ports and everything routed there. */
export function edgeView(ports: readonly number[], options: EdgeViewOptions = {}): View {
  const { snapshot = 'aaaaaaaaaaaaaaaa', hosts = [], port = 0, timeout = 0, connectTimeout = 2_000 } = options;
  const listener: Listener = {
    kind: 'edge',
    name: 'edge/main/0',
    edge: 'main',
    address: '127.0.0.1',
    port,
    hosts,
    tls: options.tls ?? null,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    trustedProxies: options.trustedProxies ?? [],
    forwarded: options.forwarded ?? 'x-forwarded',
    tcp: [],
    proxyProtocol: null,
    routes: 'edge/main',
    ruleId: ruleId('edges.main.listeners[0]'),
  };
  return {
    // Any text will do for a hash here.
    snapshot: snapshot as SnapshotHash,
    clusters: new Map([['up', { ...staticCluster('up', connectTimeout), protocol: options.protocol ?? 'http' }]]),
    endpoints: new Map([['up', { cluster: clusterName('up'), endpoints: ports.map(endpointAt) }]]),
    listeners: new Map([[listener.name, listener]]),
    routes: new Map([['edge/main', { name: 'edge/main', routes: options.routes ?? [route('/', { timeout })] }]]),
  };
}

export function staticCluster(name: string, connectTimeout = 2_000): Cluster {
  return {
    name: clusterName(name),
    service: name,
    version: null,
    port: '',
    proxyProtocol: null,
    kind: 'static',
    identity: null,
    protocol: 'http',
    balance: 'round-robin',
    connectTimeout: milliseconds(connectTimeout),
    ruleId: ruleId(`services.${name}`),
  };
}

export function endpointAt(port: number): Endpoint {
  return { id: `127.0.0.1:${port}`, host: '127.0.0.1', port, weight: 1 };
}

export interface RouteOptions {
  readonly to?: string;
  readonly timeout?: number;
  readonly perTryTimeout?: number;
  readonly idleTimeout?: number | null;
  readonly index?: number;
  readonly rewriteTo?: string;
}

/** Everything under a prefix. */
export function route(prefix: string, options: RouteOptions = {}): Route {
  const { to = 'up', timeout = 0, perTryTimeout = 0, idleTimeout = null, index = 0, rewriteTo } = options;
  return {
    ruleId: ruleId(`edges.main.routes[${index}]`),
    match: { hosts: [], path: { kind: 'prefix', path: prefix }, methods: [], headers: [], query: [] },
    split: [{ cluster: clusterName(to), weight: 1 }],
    rewrite: rewriteTo === undefined ? null : { prefix, to: rewriteTo },
    timeout: milliseconds(timeout),
    perTryTimeout: milliseconds(perTryTimeout),
    idleTimeout: idleTimeout === null ? null : milliseconds(idleTimeout),
  };
}
