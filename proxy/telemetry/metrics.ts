// The counters as Prometheus metrics, read when somebody scrapes. prom-client's own classes would keep a
// second copy of every number; a registry takes anything that answers `get`.
import type { Metric, MetricObjectWithValues, MetricValueWithName, Registry } from 'prom-client';
import { DURATION_BOUNDS, type Series } from './stats.ts';

/** A number that is not per exchange: connections, refusals. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  /** What several threads say together. Default `sum`. */
  readonly merge?: 'sum' | 'min' | 'max';
  values(): readonly GaugeValue[];
}

export interface GaugeValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Registers everything on this registry; `series` is asked at every scrape. `gauges` come from other stages. */
export function registerMetrics(registry: Registry, series: () => readonly Series[], gauges: readonly Gauge[]): void {
  const add = (name: string, help: string, type: MetricKind, read: () => MetricValueWithName<string>[]): void =>
    register(registry, name, help, type, read);
  add('weft_requests_total', 'Finished exchanges by status class', 'counter', () => series().flatMap(requestValues));
  add('weft_grpc_calls_total', 'Finished gRPC calls by the status that their caller got', 'counter', () =>
    series().flatMap(callValues),
  );
  add('weft_request_errors_total', 'Exchanges that ended with an error of the proxy or its peers', 'counter', () =>
    series().flatMap(errorValues),
  );
  add('weft_request_retries_total', 'Tries after the first', 'counter', () =>
    series().map((each) => ({ labels: labelsOf(each), value: each.retries })),
  );
  add('weft_request_bytes_total', 'Body bytes of requests', 'counter', () =>
    series().map((each) => ({ labels: labelsOf(each), value: each.requestBytes })),
  );
  add('weft_response_bytes_total', 'Body bytes of answers', 'counter', () =>
    series().map((each) => ({ labels: labelsOf(each), value: each.responseBytes })),
  );
  add('weft_request_duration_seconds', 'From the request head to the end of the answer', 'histogram', () =>
    series().flatMap(durationValues),
  );
  for (const gauge of gauges) {
    add(gauge.name, gauge.help, gauge.type, () =>
      gauge.values().map(({ labels, value }) => ({ labels: { ...labels }, value })),
    );
  }
}

type MetricKind = 'counter' | 'gauge' | 'histogram';

function register(
  registry: Registry,
  name: string,
  help: string,
  type: MetricKind,
  read: () => MetricValueWithName<string>[],
): void {
  const metric = {
    name,
    get: (): Promise<MetricObjectWithValues<MetricValueWithName<string>>> =>
      // prom-client's types name the kind by an enum that only exists in its declarations.
      Promise.resolve({ name, help, type, aggregator: 'sum', values: read() } as unknown as MetricObjectWithValues<
        MetricValueWithName<string>
      >),
  };
  // The registry calls `get` and reads `name`; its type asks for one of its own classes.
  registry.registerMetric(metric as unknown as Metric);
}

function labelsOf(series: Series): { listener: string; route: string; cluster: string } {
  return { listener: series.listener, route: series.route, cluster: series.cluster };
}

function requestValues(series: Series): MetricValueWithName<string>[] {
  const values: MetricValueWithName<string>[] = [];
  series.byStatusClass.forEach((value, index) => {
    if (value > 0) values.push({ labels: { ...labelsOf(series), status: index === 0 ? 'none' : `${index}xx` }, value });
  });
  return values;
}

function callValues(series: Series): MetricValueWithName<string>[] {
  const values: MetricValueWithName<string>[] = [];
  series.byGrpcStatus?.forEach((value, status) => {
    if (value > 0) values.push({ labels: { ...labelsOf(series), grpc_status: String(status) }, value });
  });
  return values;
}

function errorValues(series: Series): MetricValueWithName<string>[] {
  return [...series.errors].map(([code, { flag, count }]) => ({
    labels: { ...labelsOf(series), code, flag },
    value: count,
  }));
}

function durationValues(series: Series): MetricValueWithName<string>[] {
  const labels = labelsOf(series);
  let total = 0;
  const values: MetricValueWithName<string>[] = DURATION_BOUNDS.map((bound, index) => {
    total += series.durations[index] as number;
    return {
      labels: { ...labels, le: bound / 1_000 },
      value: total,
      metricName: 'weft_request_duration_seconds_bucket',
    };
  });
  total += series.durations[DURATION_BOUNDS.length] as number;
  values.push({ labels: { ...labels, le: '+Inf' }, value: total, metricName: 'weft_request_duration_seconds_bucket' });
  values.push({ labels, value: series.durationSum / 1_000, metricName: 'weft_request_duration_seconds_sum' });
  values.push({ labels, value: total, metricName: 'weft_request_duration_seconds_count' });
  return values;
}
