// The configuration in force, as the API tells it: its services with their instances, and the routes of its edges.
import type { Snapshot } from '../../core/compile/snapshot.ts';
import { clusterName, edgeAccount } from '../../core/model/brand.ts';
import type { Edge, EdgeListener, PassthroughRule, RouteRule, Service, WeightedTarget } from '../../core/model/mesh.ts';
import type { RouteItem, ServiceItem } from './contract.ts';
import type { ApiFacts } from './facts.ts';

type MeshFacts = Pick<ApiFacts, 'snapshots' | 'registry'>;

/** By name. */
export function servicesOf(facts: MeshFacts): readonly ServiceItem[] {
  const { snapshot } = facts.snapshots;
  if (snapshot === null) return [];
  const callers = callersOf(snapshot);
  return [...snapshot.mesh.services.values()].map((service) => ({
    name: service.name,
    kind: service.kind,
    protocol: service.protocol,
    port: service.kind === 'workload' ? service.port : null,
    ports:
      service.kind === 'workload' ? service.ports.map(({ name, port, protocol }) => ({ name, port, protocol })) : [],
    versions: service.kind === 'workload' ? service.versions.flatMap(({ name }) => name ?? []) : [],
    calls: service.kind === 'workload' ? service.calls.map((call) => call.service) : [],
    callers: [...(callers.get(service.name) ?? [])],
    instances: instancesOf(facts, service),
    at: facts.snapshots.locate(service.ruleId),
  }));
}

function instancesOf({ registry }: MeshFacts, service: Service): ServiceItem['instances'] {
  if (service.kind === 'static') {
    return service.endpoints.map(({ host, port }) => ({ name: `${host}:${port}`, version: null, host, port }));
  }
  return service.versions.flatMap(({ name }) =>
    registry
      .endpointsOf(clusterName(service.name, name ?? undefined))
      .map(({ id, host, port }) => ({ name: id, version: name, host, port })),
  );
}

function callersOf({ mesh }: Snapshot): ReadonlyMap<string, ReadonlySet<string>> {
  const callers = new Map<string, Set<string>>();
  const add = (service: string, account: string) => {
    const known = callers.get(service) ?? new Set();
    callers.set(service, known.add(account));
  };
  for (const service of mesh.services.values()) {
    if (service.kind === 'workload') for (const call of service.calls) add(call.service, service.name);
  }
  for (const edge of mesh.edges.values()) {
    for (const { to } of [...edge.routes, ...edge.passthrough, ...edge.listeners]) {
      for (const { service } of to) add(service, edgeAccount(edge.name));
    }
  }
  return callers;
}

/** In the order of the file. */
export function routesOf({ snapshots }: Pick<MeshFacts, 'snapshots'>): readonly RouteItem[] {
  const at = (ruleId: string) => snapshots.locate(ruleId);
  return [...(snapshots.snapshot?.mesh.edges.values() ?? [])].flatMap((edge) => [
    ...edge.routes.map((route) => httpRoute(edge, route, at(route.ruleId))),
    ...edge.passthrough.map((rule) => connectionRoute(edge, 'passthrough', rule.sni, rule, at(rule.ruleId))),
    ...edge.listeners
      .filter(({ to }) => to.length > 0)
      .map((listener) => connectionRoute(edge, 'tcp', listener.hosts, listener, at(listener.ruleId))),
  ]);
}

function httpRoute(edge: Edge, { match, to, rewrite, timeout, ruleId }: RouteRule, at: string): RouteItem {
  const { hosts, path, methods, headers, query } = match;
  return {
    ...{ name: ruleId, edge: edge.name, kind: 'http', hosts, path: path.path, pathKind: path.kind, methods },
    headers: headers.map(({ name, value }) => ({ name, value })),
    query: query.map(({ name, value }) => ({ name, value })),
    to: targetsOf(to),
    rewrite: rewrite === null ? null : { prefix: rewrite.prefix, to: rewrite.to },
    timeoutMs: timeout,
    at,
  };
}

function connectionRoute(
  edge: Edge,
  kind: 'tcp' | 'passthrough',
  hosts: readonly string[],
  { to, ruleId }: PassthroughRule | EdgeListener,
  at: string,
): RouteItem {
  return {
    ...{ name: ruleId, edge: edge.name, kind, hosts, path: '', pathKind: 'none', methods: [], headers: [], query: [] },
    ...{ to: targetsOf(to), rewrite: null, timeoutMs: null, at },
  };
}

function targetsOf(to: readonly WeightedTarget[]): RouteItem['to'] {
  return to.map(({ service, version, port, weight }) => ({ service, version, port, weight }));
}
