// The resources of a mesh, each made once and shared by every view that needs it: clusters, static
// endpoints, listeners and route tables.
import { clusterName, milliseconds, type ClusterName, type RuleId } from '../model/brand.ts';
import type { Edge, EdgeListener, Mesh, RouteRule, Service, ServicePort, WeightedTarget } from '../model/mesh.ts';
import type {
  Cluster,
  ClusterEndpoints,
  EdgeListenerResource,
  InboundListener,
  OutboundListener,
  Route,
  RouteTable,
  TcpRoute,
  WeightedCluster,
} from '../model/view.ts';
import { compilePolicy, identityOf } from './authorization.ts';
import { connectionIdleTimeout, routeTimeouts, serviceTimeouts, type InboundTimeouts } from './timeouts.ts';
import { targetsOfEdge } from './edge-targets.ts';
import { portsOf } from './ports.ts';

/** Envoy's cluster connect timeout. */
const CONNECT_TIMEOUT = milliseconds(5000);

/** Per port: the cluster of all versions first, then one per named version. */
export function compileClusters(mesh: Mesh, service: Service): readonly Cluster[] {
  const versions = service.kind === 'static' ? [] : service.versions.flatMap((version) => version.name ?? []);
  const isStatic = service.kind === 'static';
  const ports =
    service.kind === 'workload' && service.port === null
      ? [{ name: '', protocol: service.protocol }]
      : portsOf(service);
  return ports.flatMap(({ name: port, protocol }) =>
    [null, ...versions].map((version) => ({
      name: clusterName(service.name, version ?? undefined, port),
      service: service.name,
      version,
      port,
      kind: isStatic ? 'static' : 'mesh',
      identity: isStatic ? null : identityOf(mesh, service.name),
      protocol,
      // A mesh leg says who the client is in its own way; the callee's sidecar tells its app.
      proxyProtocol: isStatic ? service.proxyProtocol : null,
      balance: service.balance,
      connectTimeout: CONNECT_TIMEOUT,
      ruleId: service.ruleId,
    })),
  );
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
  timeouts: InboundTimeouts,
): InboundListener | null {
  if (service.kind === 'static' || service.port === null) return null;
  return {
    kind: 'inbound',
    name: 'inbound',
    service: service.name,
    appPort: service.port,
    protocol: service.protocol,
    ports: service.ports,
    policy: compilePolicy(mesh, service, callers),
    ...timeouts,
    health: service.health,
    proxyProtocol: service.proxyProtocol,
    ruleId: service.ruleId,
  };
}

export interface Outbound {
  readonly listener: OutboundListener;
  /** null: the port does not speak HTTP. */
  readonly table: RouteTable | null;
}

/** How any caller reaches each port of a service: every path, all versions. */
export function compileOutbound(service: Service, loopback: string): readonly Outbound[] {
  return portsOf(service).map((port) => outboundTo(service, port, loopback));
}

function outboundTo(service: Service, { name: portName, port, protocol }: ServicePort, loopback: string): Outbound {
  const cluster = clusterName(service.name, undefined, portName);
  const name = `outbound/${cluster}`;
  const { ruleId } = service;
  const split = [{ cluster, weight: 1 }];
  const base = { kind: 'outbound', name, service: service.name, portName, port, loopback, ruleId } as const;
  if (protocol === 'tcp') {
    const tcp = { ruleId, sni: [], split, idleTimeout: connectionIdleTimeout([service]) };
    return { listener: { ...base, routes: '', tcp }, table: null };
  }
  const route: Route = {
    ruleId,
    match: { hosts: [], path: { kind: 'prefix', path: '/' }, methods: [], headers: [], query: [] },
    split,
    rewrite: null,
    ...serviceTimeouts(service, protocol),
  };
  return { listener: { ...base, routes: name, tcp: null }, table: { name, routes: [route] } };
}

export function compileEdgeListeners(mesh: Mesh, edge: Edge): readonly EdgeListenerResource[] {
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
    tcp: tcpRoutes(mesh, edge, listener),
    proxyProtocol: listener.proxyProtocol,
    ruleId: listener.ruleId,
  }));
}

function tcpRoutes(mesh: Mesh, edge: Edge, listener: EdgeListener): readonly TcpRoute[] {
  const passed = listener.tls === 'passthrough' ? edge.passthrough : [];
  const own = listener.protocol === 'tcp' ? [{ sni: [], to: listener.to, ruleId: listener.ruleId }] : [];
  return [...passed, ...own].map(({ sni, to, ruleId }) => ({
    ruleId,
    sni,
    split: splitOf(to),
    idleTimeout: connectionIdleTimeout(to.flatMap((target) => mesh.services.get(target.service) ?? [])),
  }));
}

function splitOf(targets: readonly WeightedTarget[]): readonly WeightedCluster[] {
  return targets.map((target) => ({ cluster: targetCluster(target), weight: target.weight }));
}

/** Every cluster that an edge's rules name. */
export function clustersOfEdge(edge: Edge): ReadonlySet<ClusterName> {
  return new Set(targetsOfEdge(edge).flatMap(({ to }) => to.map((target) => targetCluster(target))));
}

/** `reuse` may know a route that was compiled before. */
export function compileEdgeRoutes(mesh: Mesh, edge: Edge, reuse: (index: number) => Route | null): RouteTable {
  const routes = edge.routes.map((route, index) => reuse(index) ?? compileRoute(mesh, route));
  return { name: `edge/${edge.name}`, routes };
}

export function targetCluster(target: WeightedTarget): ClusterName {
  return clusterName(target.service, target.version ?? undefined, target.port);
}

function compileRoute(mesh: Mesh, route: RouteRule): Route {
  return {
    ruleId: route.ruleId,
    match: route.match,
    split: splitOf(route.to),
    rewrite: route.rewrite,
    ...routeTimeouts(mesh, route),
  };
}

function hostPortText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
