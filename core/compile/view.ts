// Snapshot → view of one proxy: only what its account calls or routes to. Cut by reference, so that a
// thousand proxies share the resources of one snapshot.
import { clusterName, type ClusterName } from '../model/brand.ts';
import type { Cluster, ClusterEndpoints, Endpoint, View } from '../model/view.ts';
import type { Snapshot } from './snapshot.ts';

/** The instances of a service, or of one version, that can be reached now; the registry stands behind it. */
export type InstanceSource = (cluster: ClusterName) => readonly Endpoint[];

/** Account: a service name, or `edge-<name>`. null: the snapshot knows no such account. */
export function viewFor(snapshot: Snapshot, account: string, instances: InstanceSource): View | null {
  const resources = snapshot.accounts.get(account);
  if (resources === undefined) return null;
  const endpoints = new Map<string, ClusterEndpoints>();
  for (const cluster of resources.clusters) endpoints.set(cluster.name, endpointsOf(snapshot, cluster, instances));
  return {
    snapshot: snapshot.hash,
    clusters: new Map(resources.clusters.map((cluster) => [cluster.name, cluster])),
    endpoints,
    listeners: new Map(resources.listeners.map((listener) => [listener.name, listener])),
    routes: new Map(resources.routes.map((table) => [table.name, table])),
  };
}

/** Of a view that has not changed otherwise: the endpoints of the clusters of these services. */
export function endpointsFor(
  snapshot: Snapshot,
  account: string,
  services: ReadonlySet<string>,
  instances: InstanceSource,
): readonly ClusterEndpoints[] {
  const clusters = snapshot.accounts.get(account)?.clusters ?? [];
  return clusters
    .filter(({ service }) => services.has(service))
    .map((cluster) => endpointsOf(snapshot, cluster, instances));
}

function endpointsOf(
  snapshot: Snapshot,
  { name, service, version }: Cluster,
  instances: InstanceSource,
): ClusterEndpoints {
  // An instance is reached at one place, whichever of its ports is meant.
  const all = clusterName(service, version ?? undefined);
  return snapshot.staticEndpoints.get(name) ?? { cluster: name, endpoints: instances(all) };
}
