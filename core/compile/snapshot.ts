// Mesh → snapshot, the middle of the configuration flow: every reference resolved, every resource made
// once, the whole named by the hash of what it means.
import { err, ok, type Result } from '../kit/result.ts';
import { clusterName, edgeAccount, type SnapshotHash } from '../model/brand.ts';
import type { Mesh, WorkloadService } from '../model/mesh.ts';
import type { Cluster, ClusterEndpoints, Listener, RouteTable } from '../model/view.ts';
import { snapshotHash, type Hash } from './canonical.ts';
import { checkMesh, type CompileError } from './check.ts';
import { compileParts, type Parts } from './parts.ts';
import { clustersOfEdge } from './resources.ts';
import { sameList, shareMesh } from './share.ts';

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
  /** What the next compilation begins with. */
  readonly parts: Parts;
}

/** The resources of one account; the objects are shared with other accounts. */
export interface AccountResources {
  readonly clusters: readonly Cluster[];
  readonly listeners: readonly Listener[];
  readonly routes: readonly RouteTable[];
}

/**
 * Hash: SHA-256 as hex. The errors name what leads nowhere; a Mesh from `parseConfig` has none. What means the same as in
 * `before` is the same object, and costs next to nothing.
 */
export function compileSnapshot(
  given: Mesh,
  hash: Hash,
  before: Snapshot | null = null,
): Result<Snapshot, readonly CompileError[]> {
  const errors = checkMesh(given);
  if (errors.length > 0) return err(errors);
  const mesh = before === null ? given : shareMesh(before.mesh, given);
  const parts = compileParts(mesh, before?.parts ?? null);
  const clusters = new Map<string, Cluster>();
  const staticEndpoints = new Map<string, ClusterEndpoints>();
  for (const [name, part] of parts.services) {
    for (const cluster of part.clusters) clusters.set(cluster.name, cluster);
    if (part.endpoints !== null) staticEndpoints.set(name, part.endpoints);
  }
  const accounts = new Map<string, AccountResources>();
  const add = (account: string, resources: AccountResources) => {
    accounts.set(account, olderResources(before?.accounts.get(account), resources));
  };
  for (const service of mesh.services.values()) {
    if (service.kind === 'static') continue;
    const known =
      before === null || !sameParts(service, parts, before.parts) ? null : before.accounts.get(service.name);
    if (known === null || known === undefined) add(service.name, resourcesOfService(service, parts, clusters));
    else accounts.set(service.name, known);
  }
  for (const edge of mesh.edges.values()) {
    const { listeners, table } = got(parts.edges, edge.name);
    const called = [...clustersOfEdge(edge)].map((name) => got(clusters, name));
    add(edgeAccount(edge.name), { clusters: called, listeners, routes: [table] });
  }
  return ok({ hash: snapshotHash(mesh, hash, parts.texts), mesh, clusters, staticEndpoints, accounts, parts });
}

/** Nothing that the service's resources are made of has changed. */
function sameParts(service: WorkloadService, { services }: Parts, { services: before }: Parts): boolean {
  const same = (name: string) => services.get(name) === before.get(name);
  return same(service.name) && service.calls.every((call) => same(call.service));
}

function resourcesOfService(
  service: WorkloadService,
  parts: Parts,
  clusters: ReadonlyMap<string, Cluster>,
): AccountResources {
  const inbound = got(parts.services, service.name).inbound.listener;
  const outbound = service.calls.flatMap((call) => got(parts.services, call.service).outbound);
  return {
    clusters: outbound.map(({ listener }) =>
      got(clusters, clusterName(listener.service, undefined, listener.portName)),
    ),
    listeners: [...(inbound === null ? [] : [inbound]), ...outbound.map((each) => each.listener)],
    routes: outbound.flatMap((each) => each.table ?? []),
  };
}

function olderResources(before: AccountResources | undefined, now: AccountResources): AccountResources {
  if (before === undefined) return now;
  const same =
    sameList(before.clusters, now.clusters) &&
    sameList(before.listeners, now.listeners) &&
    sameList(before.routes, now.routes);
  return same ? before : now;
}

function got<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined) throw new TypeError(`checkMesh let the reference to ${name} pass`);
  return value;
}
