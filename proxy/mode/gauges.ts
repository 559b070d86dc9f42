// Numbers of a proxy that do not belong to one exchange: connections on both sides, refused peers.
import type { AppFacts } from '../../core/model/health.ts';
import type { EndpointFacts } from '../admin/pages.ts';
import type { Proxy } from '../assemble.ts';
import type { Gauge, GaugeValue } from '../telemetry/metrics.ts';

/** A gauge and what it says now, as plain data. */
export interface GaugeReport extends Omit<Gauge, 'values'> {
  readonly values: readonly GaugeValue[];
}

export function readGauge({ name, help, type, merge = 'sum', values }: Gauge): GaugeReport {
  return { name, help, type, merge, values: values() };
}

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
      name: 'weft_http2_connection_faults_total',
      help: 'Connections of HTTP/2 that were ended because the peer broke a rule or flooded, by the code it was told',
      type: 'counter',
      values: () => proxy.http2Faults.map(({ side, code, count }) => ({ labels: { side, code }, value: count })),
    },
    {
      name: 'weft_upstream_connections',
      help: 'Connections to endpoints, by what they are doing',
      type: 'gauge',
      values: () => perEndpoint(proxy, 'state', ({ active, idle }) => ({ active, idle })),
    },
    {
      name: 'weft_upstream_pending_requests',
      help: 'Requests that wait for a connection',
      type: 'gauge',
      values: () => perEndpoint(proxy, '', ({ pending }) => ({ pending })),
    },
    {
      name: 'weft_upstream_connects_total',
      help: 'Connections that were opened, and attempts that failed',
      type: 'counter',
      values: () => perEndpoint(proxy, 'result', ({ opened, failed }) => ({ opened, failed })),
    },
    {
      name: 'weft_upstream_overflow_total',
      help: 'Requests that were refused because too many were in flight or waiting',
      type: 'counter',
      values: () => perEndpoint(proxy, '', ({ overflow }) => ({ overflow })),
    },
    {
      name: 'weft_upstream_idle_limit_seconds',
      help: 'How long an idle connection is used again: less than the upstream keeps it, as far as that was learned',
      type: 'gauge',
      merge: 'min',
      values: () => perEndpoint(proxy, '', ({ idleLimit }) => ({ idleLimit: idleLimit / 1_000 })),
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

/** No value where there is no app to ask. */
export function appUp(app: () => AppFacts | null): Gauge {
  return {
    name: 'weft_app_up',
    help: 'Whether the app answers its health check: 1, or 0 and its instance is not called',
    type: 'gauge',
    values: () => {
      const now = app();
      return now === null ? [] : [{ labels: {}, value: now.health === 'up' ? 1 : 0 }];
    },
  };
}

type Reading = (facts: EndpointFacts) => Readonly<Record<string, number>>;

/** A value per endpoint, or one for each `label`. */
function perEndpoint(proxy: Proxy, label: string, read: Reading): GaugeValue[] {
  return [...proxy.clusters.states].flatMap(([cluster, { pools }]) =>
    pools.flatMap(({ facts }) =>
      Object.entries(read(facts)).map(([key, value]) => ({
        labels: { cluster, endpoint: facts.address, ...(label === '' ? {} : { [label]: key }) },
        value,
      })),
    ),
  );
}
