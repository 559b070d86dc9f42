// Small views by hand, for tests of the stream.
import { clusterName, milliseconds, ruleId, spiffeId, type SnapshotHash } from '../../core/model/brand.ts';
import type { Cluster, Endpoint, View } from '../../core/model/view.ts';

/** A view that calls these services, each with its endpoints. */
export function sampleView(snapshot: string, called: Readonly<Record<string, readonly Endpoint[]>>): View {
  const names = Object.keys(called);
  return {
    // Any text will do for a hash here.
    snapshot: snapshot as SnapshotHash,
    clusters: new Map(names.map((name) => [name, sampleCluster(name)])),
    endpoints: new Map(names.map((name) => [name, { cluster: clusterName(name), endpoints: called[name] ?? [] }])),
    listeners: new Map(),
    routes: new Map(),
  };
}

function sampleCluster(service: string): Cluster {
  return {
    name: clusterName(service),
    service,
    version: null,
    port: '',
    proxyProtocol: null,
    kind: 'mesh',
    identity: spiffeId('shop.test', 'default', service),
    protocol: 'http',
    balance: 'round-robin',
    connectTimeout: milliseconds(5_000),
    ruleId: ruleId(`services.${service}`),
  };
}

export function sampleEndpoint(id: string, port = 15_006): Endpoint {
  return { id, host: '127.0.0.1', port, weight: 1 };
}
