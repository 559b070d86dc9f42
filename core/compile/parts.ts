// What a snapshot is made of, service by service and edge by edge. Parts that nothing changed for are those of the
// snapshot before, the very objects: their views, bytes and versions are kept with them.
import type { RuleId } from '../model/brand.ts';
import type { Edge, Mesh, Service } from '../model/mesh.ts';
import type { Cluster, ClusterEndpoints, Listener, Route, RouteTable } from '../model/view.ts';
import { collectCallers, sayTheSameCalls, type Callers } from './authorization.ts';
import { canonicalText } from './canonical.ts';
import { loopbackAddresses } from './loopback.ts';
import {
  compileClusters,
  compileEdgeListeners,
  compileEdgeRoutes,
  compileInbound,
  compileOutbound,
  compileStaticEndpoints,
  type Outbound,
} from './resources.ts';
import { older, sameList, sameValue } from './share.ts';
import { grantedRoutes, inboundTimeouts, type InboundTimeouts } from './timeouts.ts';

export interface Parts {
  readonly mesh: Mesh;
  readonly addresses: ReadonlyMap<string, string>;
  readonly services: ReadonlyMap<string, ServicePart>;
  readonly edges: ReadonlyMap<string, EdgePart>;
  readonly callers: Callers;
  /** Canonical texts of services and routes. */
  readonly texts: ReadonlyMap<object, string>;
}

export interface ServicePart {
  readonly clusters: readonly Cluster[];
  readonly endpoints: ClusterEndpoints | null;
  /** One for each port. */
  readonly outbound: readonly Outbound[];
  readonly inbound: Inbound;
}

interface Inbound {
  /** What it was made from, beside the service. */
  readonly callers: ReadonlyMap<string, RuleId>;
  readonly timeouts: InboundTimeouts;
  /** null: nothing is accepted. */
  readonly listener: Listener | null;
}

export interface EdgePart {
  readonly listeners: readonly Listener[];
  readonly table: RouteTable;
}

const NOBODY: ReadonlyMap<string, RuleId> = new Map();

/** `mesh` shares what it has in common with that of `before` (shareMesh). */
export function compileParts(mesh: Mesh, before: Parts | null): Parts {
  // Names of identities are in most resources.
  const reusable = before !== null && sameNames(before.mesh, mesh) ? before : null;
  const addresses = before !== null && sameKeys(before.addresses, mesh.services) ? before.addresses : null;
  const all = { mesh, addresses: addresses ?? loopbackAddresses([...mesh.services.keys()]), before: reusable };
  const callers = before !== null && sayTheSameCalls(before.mesh, mesh) ? before.callers : collectCallers(mesh);
  const granted = grantedRoutes(mesh);
  const services = new Map<string, ServicePart>();
  for (const service of mesh.services.values()) {
    const timeouts = inboundTimeouts(service, granted.get(service.name) ?? []);
    services.set(service.name, servicePart(all, service, callers.get(service.name) ?? NOBODY, timeouts));
  }
  const edges = new Map([...mesh.edges.values()].map((edge) => [edge.name, edgePart(all, edge)]));
  return { mesh, addresses: all.addresses, services, edges, callers, texts: textsOf(mesh, before) };
}

interface Work {
  readonly mesh: Mesh;
  readonly addresses: ReadonlyMap<string, string>;
  readonly before: Parts | null;
}

function servicePart(
  { mesh, addresses, before }: Work,
  service: Service,
  callers: ReadonlyMap<string, RuleId>,
  timeouts: InboundTimeouts,
): ServicePart {
  const { name } = service;
  const known = before?.services.get(name);
  const same = known !== undefined && before?.mesh.services.get(name) === service;
  const loopback = addresses.get(name) ?? '';
  const sameOutbound = same && before?.addresses.get(name) === loopback;
  const sameInbound =
    same && sameCallers(known.inbound.callers, callers) && sameValue(known.inbound.timeouts, timeouts);
  if (sameOutbound && sameInbound) return known;
  // Of a service that changed most resources may be as they were, too.
  const inbound = () => compileInbound(mesh, service, callers, timeouts);
  return {
    clusters: same ? known.clusters : olderEach(known?.clusters, compileClusters(mesh, service)),
    endpoints: same ? known.endpoints : older(known?.endpoints, compileStaticEndpoints(service)),
    outbound: sameOutbound ? known.outbound : olderOutbound(known?.outbound, compileOutbound(service, loopback)),
    inbound: sameInbound ? known.inbound : { callers, timeouts, listener: older(known?.inbound.listener, inbound()) },
  };
}

function olderEach<T>(before: readonly T[] | undefined, now: readonly T[]): readonly T[] {
  return now.map((each, index) => older(before?.[index], each));
}

function olderOutbound(before: readonly Outbound[] | undefined, now: readonly Outbound[]): readonly Outbound[] {
  return now.map(({ listener, table }, index) => ({
    listener: older(before?.[index]?.listener, listener),
    table: older(before?.[index]?.table, table),
  }));
}

function edgePart({ mesh, before }: Work, edge: Edge): EdgePart {
  const known = before?.edges.get(edge.name);
  // They are few; their time limits are those of services.
  const listeners = olderEach(known?.listeners, compileEdgeListeners(mesh, edge));
  const reuse = (index: number): Route | null => {
    const route = edge.routes[index];
    if (route === undefined || before?.mesh.edges.get(edge.name)?.routes[index] !== route) return null;
    const same = route.to.every(({ service }) => before.mesh.services.get(service) === mesh.services.get(service));
    return same ? (known?.table.routes[index] ?? null) : null;
  };
  const table = compileEdgeRoutes(mesh, edge, reuse);
  const routes = olderEach(known?.table.routes, table.routes);
  const whole = known !== undefined && sameList(known.table.routes, routes);
  return { listeners, table: whole ? known.table : { ...table, routes } };
}

function textsOf(mesh: Mesh, before: Parts | null): ReadonlyMap<object, string> {
  const texts = new Map<object, string>();
  const add = (value: object) => void texts.set(value, before?.texts.get(value) ?? canonicalText(value));
  for (const service of mesh.services.values()) add(service);
  for (const edge of mesh.edges.values()) edge.routes.forEach(add);
  return texts;
}

function sameNames(a: Mesh, b: Mesh): boolean {
  return a.trustDomain === b.trustDomain && a.namespace === b.namespace && a.authorization === b.authorization;
}

function sameKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...b.keys()].every((key) => a.has(key));
}

function sameCallers(a: ReadonlyMap<string, RuleId>, b: ReadonlyMap<string, RuleId>): boolean {
  return a === b || (a.size === b.size && [...b].every(([account, rule]) => a.get(account) === rule));
}
