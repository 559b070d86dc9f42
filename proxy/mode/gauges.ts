// Numbers of a proxy that do not belong to one exchange: connections on both sides, refused peers.
import type { Proxy } from '../assemble.ts';
import type { Gauge, GaugeValue } from '../telemetry/metrics.ts';

export function proxyGauges(proxy: Proxy): readonly Gauge[] {
  return [
    {
      name: 'weft_downstream_connections',
      help: 'Open connections of clients',
      type: 'gauge',
      values: () => proxy.acceptors.map(({ name, counts }) => ({ labels: { listener: name }, value: counts.open })),
    },
    {
      name: 'weft_downstream_connections_refused_total',
      help: 'Connections closed at once, because there were too many',
      type: 'counter',
      values: () => proxy.acceptors.map(({ name, counts }) => ({ labels: { listener: name }, value: counts.refused })),
    },
    {
      name: 'weft_upstream_connections',
      help: 'Connections to endpoints, by what they are doing',
      type: 'gauge',
      values: () => upstreamConnections(proxy),
    },
    {
      name: 'weft_refused_peers_total',
      help: 'Peers that came without an identity of this mesh',
      type: 'counter',
      values: () => [{ labels: {}, value: proxy.refusedPeers }],
    },
    {
      name: 'weft_wrong_identities_total',
      help: 'Endpoints that did not prove the identity of their cluster',
      type: 'counter',
      values: () => [{ labels: {}, value: proxy.wrongIdentities }],
    },
  ];
}

/** Of a proxy that takes its views from a control plane. */
export interface Configuration {
  readonly origin: 'control-plane' | 'disk';
  readonly snapshot: string;
  readonly ageSeconds: number;
}

/** No value before the first view, and where there is no control plane. */
export function configAge(configuration: () => Configuration | null): Gauge {
  return {
    name: 'weft_config_age_seconds',
    help: 'Time since the control plane last stood behind the configuration in force; 0 while it does',
    type: 'gauge',
    values: () => {
      const now = configuration();
      return now === null ? [] : [{ labels: { origin: now.origin }, value: now.ageSeconds }];
    },
  };
}

function upstreamConnections(proxy: Proxy): GaugeValue[] {
  const values: GaugeValue[] = [];
  for (const [cluster, { pools }] of proxy.clusters.states) {
    for (const { address, active, idle } of pools) {
      values.push({ labels: { cluster, endpoint: address, state: 'active' }, value: active });
      values.push({ labels: { cluster, endpoint: address, state: 'idle' }, value: idle });
    }
  }
  return values;
}
