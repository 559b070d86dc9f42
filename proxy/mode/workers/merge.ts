// What several threads report, as one report: counts are added, limits are the strictest.
import type { EndpointFacts } from '../../admin/pages.ts';
import type { ErrorCount, Series } from '../../telemetry/stats.ts';
import type { GaugeValue } from '../../telemetry/metrics.ts';
import type { ListenerReport, PathReport } from '../data-path.ts';
import type { GaugeReport } from '../gauges.ts';

export function mergeReports(reports: readonly PathReport[]): PathReport {
  const clusters = new Set(reports.flatMap((report) => Object.keys(report.clusters)));
  return {
    listeners: mergeBy(
      reports.flatMap(({ listeners }) => listeners),
      ({ name }) => name,
      (a: ListenerReport, b) => ({ ...a, open: a.open + b.open }),
    ),
    unbound: mergeBy(
      reports.flatMap(({ unbound }) => unbound),
      ({ name }) => name,
      (a) => a,
    ),
    clusters: Object.fromEntries(
      [...clusters].map((name) => [
        name,
        mergeBy(
          reports.flatMap((report) => report.clusters[name] ?? []),
          ({ id, address }) => `${id} ${address}`,
          addEndpoints,
        ),
      ]),
    ),
    redirects: [...new Set(reports.flatMap(({ redirects }) => redirects))],
    series: mergeBy(
      reports.flatMap(({ series }) => series),
      ({ listener, route, cluster }) => JSON.stringify([listener, route, cluster]),
      addSeries,
    ),
    gauges: mergeBy(
      reports.flatMap(({ gauges }) => gauges),
      ({ name }) => name,
      addGauges,
    ),
    threads: reports.flatMap(({ threads }) => threads),
  };
}

/** What stays true of a thread that is gone: what it has counted. */
export function countsOf({ series, gauges }: PathReport): PathReport {
  const counters = gauges.filter(({ type }) => type === 'counter');
  return { ...mergeReports([]), series, gauges: counters };
}

function mergeBy<T>(all: readonly T[], key: (one: T) => string, merge: (a: T, b: T) => T): T[] {
  const merged = new Map<string, T>();
  for (const one of all) {
    const before = merged.get(key(one));
    merged.set(key(one), before === undefined ? one : merge(before, one));
  }
  return [...merged.values()];
}

function addEndpoints(a: EndpointFacts, b: EndpointFacts): EndpointFacts {
  return {
    ...a,
    active: a.active + b.active,
    idle: a.idle + b.idle,
    pending: a.pending + b.pending,
    idleLimit: Math.min(a.idleLimit, b.idleLimit),
    opened: a.opened + b.opened,
    failed: a.failed + b.failed,
    overflow: a.overflow + b.overflow,
    unreachable: a.unreachable || b.unreachable,
  };
}

function addSeries(a: Series, b: Series): Series {
  return {
    ...a,
    byStatusClass: addArrays(a.byStatusClass, b.byStatusClass),
    durations: addArrays(a.durations, b.durations),
    byGrpcStatus:
      a.byGrpcStatus === null || b.byGrpcStatus === null
        ? (a.byGrpcStatus ?? b.byGrpcStatus)
        : addArrays(a.byGrpcStatus, b.byGrpcStatus),
    durationSum: a.durationSum + b.durationSum,
    retries: a.retries + b.retries,
    requestBytes: a.requestBytes + b.requestBytes,
    responseBytes: a.responseBytes + b.responseBytes,
    errors: addErrors(a.errors, b.errors),
  };
}

function addArrays(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value + (b[index] ?? 0));
}

function addErrors(a: ReadonlyMap<string, ErrorCount>, b: ReadonlyMap<string, ErrorCount>): Map<string, ErrorCount> {
  const sum = new Map(a);
  for (const [code, { flag, count }] of b) sum.set(code, { flag, count: count + (sum.get(code)?.count ?? 0) });
  return sum;
}

function addGauges(a: GaugeReport, b: GaugeReport): GaugeReport {
  const pick = { sum: (x: number, y: number) => x + y, min: Math.min, max: Math.max }[a.merge ?? 'sum'];
  const values = mergeBy(
    [...a.values, ...b.values],
    ({ labels }) => JSON.stringify(labels, Object.keys(labels).toSorted()),
    (x: GaugeValue, y) => ({ labels: x.labels, value: pick(x.value, y.value) }),
  );
  return { ...a, values };
}
