// Mesh → snapshot, the middle of the configuration flow: every reference resolved, every resource made
// once, the whole named by the hash of what it means.
import { err, ok, type Result } from '../kit/result.ts';
import { clusterName, edgeAccount, type RuleId, type SnapshotHash } from '../model/brand.ts';
import type { Edge, Mesh, Service } from '../model/mesh.ts';
import type { Cluster, ClusterEndpoints, Listener, RouteTable } from '../model/view.ts';
import { collectCallers } from './authorization.ts';
import { snapshotHash, type Hash } from './canonical.ts';
import { checkMesh, type CompileError } from './check.ts';
import { loopbackAddresses } from './loopback.ts';
import {
  compileClusters,
  compileEdgeListeners,
  compileEdgeRoutes,
  compileInbound,
  compileOutbound,
  clustersOfEdge,
  compileStaticEndpoints,
  type Outbound,
} from './resources.ts';

/** One immutable, content-hashed compilation of the whole config. */
export interface Snapshot {
  readonly hash: SnapshotHash;
  readonly mesh: Mesh;
  /** Every cluster by name. */
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** Endpoints of the static clusters, by cluster; those of the others come from the registry. */
  readonly staticEndpoints: ReadonlyMap<string, ClusterEndpoints>;
  /** What each account gets: services by their name, edges as `edge-<name>`. */
  readonly accounts: ReadonlyMap<string, AccountResources>;
}

/** The resources of one account; the objects are shared with other accounts. */
export interface AccountResources {
  readonly clusters: readonly Cluster[];
  readonly listeners: readonly Listener[];
  readonly routes: readonly RouteTable[];
}

/** Hash: SHA-256 as hex. The errors name what leads nowhere; a Mesh from `parseConfig` has none. */
export function compileSnapshot(mesh: Mesh, hash: Hash): Result<Snapshot, readonly CompileError[]> {
  const errors = checkMesh(mesh);
  if (errors.length > 0) return err(errors);
  const parts = compileParts(mesh);
  const accounts = new Map<string, AccountResources>();
  for (const service of mesh.services.values()) {
    if (service.kind === 'workload') accounts.set(service.name, resourcesOfService(service, parts));
  }
  for (const edge of mesh.edges.values()) accounts.set(edgeAccount(edge.name), resourcesOfEdge(mesh, edge, parts));
  const { clusters, staticEndpoints } = parts;
  return ok({ hash: snapshotHash(mesh, hash), mesh, clusters, staticEndpoints, accounts });
}

interface Parts {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly staticEndpoints: ReadonlyMap<string, ClusterEndpoints>;
  readonly inbound: ReadonlyMap<string, Listener>;
  /** By service, one for each of its ports. */
  readonly outbound: ReadonlyMap<string, readonly Outbound[]>;
}

function compileParts(mesh: Mesh): Parts {
  const callers = collectCallers(mesh);
  const addresses = loopbackAddresses([...mesh.services.keys()]);
  const nobody: ReadonlyMap<string, RuleId> = new Map();
  const clusters = new Map<string, Cluster>();
  const staticEndpoints = new Map<string, ClusterEndpoints>();
  const inbound = new Map<string, Listener>();
  const outbound = new Map<string, readonly Outbound[]>();
  for (const service of mesh.services.values()) {
    for (const cluster of compileClusters(mesh, service)) clusters.set(cluster.name, cluster);
    const endpoints = compileStaticEndpoints(service);
    if (endpoints !== null) staticEndpoints.set(service.name, endpoints);
    const listener = compileInbound(mesh, service, callers.get(service.name) ?? nobody);
    if (listener !== null) inbound.set(service.name, listener);
    outbound.set(service.name, compileOutbound(service, got(addresses, service.name)));
  }
  return { clusters, staticEndpoints, inbound, outbound };
}

function resourcesOfService(service: Service & { readonly kind: 'workload' }, parts: Parts): AccountResources {
  const inbound = parts.inbound.get(service.name);
  const outbound = service.calls.flatMap((call) => got(parts.outbound, call.service));
  return {
    clusters: outbound.map(({ listener }) =>
      got(parts.clusters, clusterName(listener.service, undefined, listener.portName)),
    ),
    listeners: [...(inbound === undefined ? [] : [inbound]), ...outbound.map((each) => each.listener)],
    routes: outbound.flatMap((each) => each.table ?? []),
  };
}

function resourcesOfEdge(mesh: Mesh, edge: Edge, parts: Parts): AccountResources {
  return {
    clusters: [...clustersOfEdge(edge)].map((name) => got(parts.clusters, name)),
    listeners: compileEdgeListeners(mesh, edge),
    routes: [compileEdgeRoutes(mesh, edge)],
  };
}

function got<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined) throw new TypeError(`checkMesh let the reference to ${name} pass`);
  return value;
}
