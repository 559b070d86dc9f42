// The resources of a mesh, each made once and shared by every view that needs it: clusters, static
// endpoints, listeners and route tables.
import { clusterName, milliseconds, type ClusterName, type RuleId } from '../model/brand.ts';
import type { Edge, Mesh, RouteRule, Service, WeightedTarget } from '../model/mesh.ts';
import type {
  Cluster,
  ClusterEndpoints,
  EdgeListenerResource,
  InboundListener,
  OutboundListener,
  Route,
  RouteTable,
} from '../model/view.ts';
import { compilePolicy, identityOf } from './authorization.ts';
import { inboundTimeouts, routeTimeouts, serviceTimeouts } from './timeouts.ts';

/** Envoy's cluster connect timeout. */
const CONNECT_TIMEOUT = milliseconds(5000);

/** The cluster of all versions first, then one per named version. */
export function compileClusters(mesh: Mesh, service: Service): readonly Cluster[] {
  const versions = service.kind === 'static' ? [] : service.versions.flatMap((version) => version.name ?? []);
  const isStatic = service.kind === 'static';
  return [null, ...versions].map((version) => ({
    name: clusterName(service.name, version ?? undefined),
    service: service.name,
    version,
    kind: isStatic ? 'static' : 'mesh',
    identity: isStatic ? null : identityOf(mesh, service.name),
    protocol: service.protocol,
    balance: service.balance,
    connectTimeout: CONNECT_TIMEOUT,
    ruleId: service.ruleId,
  }));
}

/** null: its instances are known to the registry, not to the config. */
export function compileStaticEndpoints(service: Service): ClusterEndpoints | null {
  if (service.kind !== 'static') return null;
  return {
    cluster: clusterName(service.name),
    endpoints: service.endpoints.map(({ host, port }) => ({ id: hostPortText(host, port), host, port, weight: 1 })),
  };
}

/** null: nobody can call it, so it accepts nothing. */
export function compileInbound(
  mesh: Mesh,
  service: Service,
  callers: ReadonlyMap<string, RuleId>,
): InboundListener | null {
  if (service.kind === 'static' || service.port === null) return null;
  return {
    kind: 'inbound',
    name: 'inbound',
    service: service.name,
    appPort: service.port,
    protocol: service.protocol,
    policy: compilePolicy(mesh, service, callers),
    ...inboundTimeouts(mesh, service),
    ruleId: service.ruleId,
  };
}

/** The port that its name is called on. 0: a job has none, nor have static endpoints that differ in theirs. */
export function portOf(service: Service): number {
  if (service.kind === 'workload') return service.port ?? 0;
  const ports = new Set(service.endpoints.map(({ port }) => port));
  const [port] = ports;
  return ports.size === 1 ? (port ?? 0) : 0;
}

export interface Outbound {
  readonly listener: OutboundListener;
  readonly table: RouteTable;
}

/** How any caller reaches a service: every path, all versions. */
export function compileOutbound(service: Service, loopback: string): Outbound {
  const name = `outbound/${service.name}`;
  const port = portOf(service);
  const route: Route = {
    ruleId: service.ruleId,
    match: { hosts: [], path: { kind: 'prefix', path: '/' }, methods: [], headers: [], query: [] },
    split: [{ cluster: clusterName(service.name), weight: 1 }],
    rewrite: null,
    ...serviceTimeouts(service),
  };
  return {
    listener: { kind: 'outbound', name, service: service.name, port, loopback, routes: name, ruleId: service.ruleId },
    table: { name, routes: [route] },
  };
}

export function compileEdgeListeners(edge: Edge): readonly EdgeListenerResource[] {
  return edge.listeners.map((listener, index) => ({
    kind: 'edge',
    name: `edge/${edge.name}/${index}`,
    edge: edge.name,
    address: listener.address,
    port: listener.port,
    hosts: listener.hosts,
    tls: listener.tls,
    limits: listener.limits,
    trustedProxies: listener.trustedProxies,
    forwarded: listener.forwarded,
    routes: `edge/${edge.name}`,
    ruleId: listener.ruleId,
  }));
}

export function compileEdgeRoutes(mesh: Mesh, edge: Edge): RouteTable {
  return { name: `edge/${edge.name}`, routes: edge.routes.map((route) => compileRoute(mesh, route)) };
}

export function targetCluster(target: WeightedTarget): ClusterName {
  return clusterName(target.service, target.version ?? undefined);
}

function compileRoute(mesh: Mesh, route: RouteRule): Route {
  return {
    ruleId: route.ruleId,
    match: route.match,
    split: route.to.map((target) => ({ cluster: targetCluster(target), weight: target.weight })),
    rewrite: route.rewrite,
    ...routeTimeouts(mesh, route),
  };
}

function hostPortText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
