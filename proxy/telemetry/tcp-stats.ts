// Connections that are not HTTP, their bytes and how long they lived, per listener, route and cluster, counted at their end.
import type { ConnectionRecord } from '../exchange.ts';

/** Upper bounds of the duration histogram, in seconds, inclusive; one more bucket takes the rest. */
export const TCP_DURATION_BOUNDS: readonly number[] = [0.01, 0.1, 1, 10, 60, 600, 3_600];
/** Series are bounded by the config; past this many, new ones are counted together. */
const MOST_SERIES = 1_024;

export interface TcpSeries {
  readonly listener: string;
  readonly route: string;
  readonly cluster: string;
  /** Response flag, '-' where there is none → connections. */
  readonly connections: Map<string, number>;
  /** From clients, and to them. */
  receivedBytes: number;
  sentBytes: number;
  /** Not cumulative. */
  readonly durations: Float64Array;
  /** Seconds. */
  durationSum: number;
}

export class TcpStats {
  readonly #series = new Map<string, TcpSeries>();

  get series(): Iterable<TcpSeries> {
    return this.#series.values();
  }

  record(record: ConnectionRecord): void {
    const series = this.#find(record.connection.listener, record.route, record.cluster);
    series.connections.set(record.flag, (series.connections.get(record.flag) ?? 0) + 1);
    series.receivedBytes += record.receivedBytes;
    series.sentBytes += record.sentBytes;
    const seconds = (record.finishedAt - record.startedAt) / 1_000;
    const found = TCP_DURATION_BOUNDS.findIndex((bound) => seconds <= bound);
    const bucket = found === -1 ? TCP_DURATION_BOUNDS.length : found;
    series.durations[bucket] = (series.durations[bucket] as number) + 1;
    series.durationSum += seconds;
  }

  #find(listener: string, route: string, cluster: string): TcpSeries {
    const key = `${listener} ${route} ${cluster}`;
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    if (this.#series.size >= MOST_SERIES && listener !== 'other') return this.#find('other', '', '');
    const series: TcpSeries = {
      listener,
      route,
      cluster,
      connections: new Map(),
      receivedBytes: 0,
      sentBytes: 0,
      durations: new Float64Array(TCP_DURATION_BOUNDS.length + 1),
      durationSum: 0,
    };
    this.#series.set(key, series);
    return series;
  }
}
