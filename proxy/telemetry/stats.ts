// Requests, errors and durations per listener, route and cluster, counted in plain arrays: nothing is
// made per request. Metrics and the admin socket read them.
import { GRPC_STATUSES } from '../../core/decide/grpc.ts';
import type { ExchangeRecord } from '../exchange.ts';
import { TcpStats } from './tcp-stats.ts';

/** Upper bounds of the duration histogram, in ms, inclusive; one more bucket takes the rest. */
export const DURATION_BOUNDS: readonly number[] = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
];

/** Index = first digit of the status; 0: no status, the client went away before an answer. */
const STATUS_CLASSES = 6;
/** Series are bounded by the config; past this many, new ones are counted together. */
const MOST_SERIES = 4_096;

export interface Series {
  readonly listener: string;
  readonly route: string;
  readonly cluster: string;
  readonly byStatusClass: Float64Array;
  /** Not cumulative. */
  readonly durations: Float64Array;
  /** gRPC calls by status; null where there were none. */
  byGrpcStatus: Float64Array | null;
  durationSum: number;
  retries: number;
  requestBytes: number;
  responseBytes: number;
  /** MeshError code → how often, with its response flag. */
  readonly errors: Map<string, ErrorCount>;
}

export interface ErrorCount {
  readonly flag: string;
  count: number;
}

type ByCluster = Map<string, Series>;
type ByRoute = Map<string, ByCluster>;

export class Stats {
  /** Connections that are not HTTP. */
  readonly tcp = new TcpStats();
  readonly #byListener = new Map<string, ByRoute>();
  readonly #all: Series[] = [];
  /** What was counted last is often counted next. */
  #last: Series | null = null;

  record(record: ExchangeRecord): void {
    const series = this.#series(record.connection.listener, record.route, record.cluster);
    const status = (record.status / 100) | 0;
    const index = status < STATUS_CLASSES ? status : 0;
    series.byStatusClass[index] = (series.byStatusClass[index] as number) + 1;
    if (record.grpcStatus !== -1) countCall(series, record.grpcStatus);
    const duration = record.finishedAt - record.startedAt;
    const bucket = bucketOf(duration);
    series.durations[bucket] = (series.durations[bucket] as number) + 1;
    series.durationSum += duration;
    if (record.attempts > 1) series.retries += record.attempts - 1;
    series.requestBytes += record.requestBytes;
    series.responseBytes += record.responseBytes;
    if (record.code !== '') countError(series, record.code, record.flag);
  }

  get series(): readonly Series[] {
    return this.#all;
  }

  #series(listener: string, route: string, cluster: string): Series {
    const last = this.#last;
    if (last !== null && last.listener === listener && last.route === route && last.cluster === cluster) return last;
    const found = this.#byListener.get(listener)?.get(route)?.get(cluster);
    if (found !== undefined) {
      this.#last = found;
      return found;
    }
    if (this.#all.length >= MOST_SERIES && listener !== 'other') return this.#series('other', '', '');
    const series = newSeries(listener, route, cluster);
    const byRoute = entry(this.#byListener, listener, () => new Map<string, ByCluster>());
    entry(byRoute, route, () => new Map<string, Series>()).set(cluster, series);
    this.#all.push(series);
    return series;
  }
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function newSeries(listener: string, route: string, cluster: string): Series {
  return {
    listener,
    route,
    cluster,
    byStatusClass: new Float64Array(STATUS_CLASSES),
    durations: new Float64Array(DURATION_BOUNDS.length + 1),
    byGrpcStatus: null,
    durationSum: 0,
    retries: 0,
    requestBytes: 0,
    responseBytes: 0,
    errors: new Map(),
  };
}

function countCall(series: Series, status: number): void {
  const counts = (series.byGrpcStatus ??= new Float64Array(GRPC_STATUSES));
  counts[status] = (counts[status] as number) + 1;
}

function countError(series: Series, code: string, flag: string): void {
  const counted = series.errors.get(code);
  if (counted === undefined) series.errors.set(code, { flag, count: 1 });
  else counted.count += 1;
}

function bucketOf(duration: number): number {
  let bucket = 0;
  while (bucket < DURATION_BOUNDS.length && duration > (DURATION_BOUNDS[bucket] as number)) bucket++;
  return bucket;
}
