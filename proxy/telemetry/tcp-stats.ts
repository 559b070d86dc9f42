// Connections that are not HTTP, their bytes and how long they lived, per listener, route and cluster, counted at their end.
import type { ConnectionRecord } from '../exchange.ts';
import type { Gauge, GaugeValue } from './metrics.ts';

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
  /** From accepted to closed, all together. */
  seconds: number;
}

export class TcpStats {
  readonly #series = new Map<string, TcpSeries>();

  get series(): readonly TcpSeries[] {
    return [...this.#series.values()];
  }

  record(record: ConnectionRecord): void {
    const series = this.#find(record.connection.listener, record.route, record.cluster);
    series.connections.set(record.flag, (series.connections.get(record.flag) ?? 0) + 1);
    series.receivedBytes += record.receivedBytes;
    series.sentBytes += record.sentBytes;
    series.seconds += (record.finishedAt - record.startedAt) / 1_000;
  }

  #find(listener: string, route: string, cluster: string): TcpSeries {
    const key = `${listener} ${route} ${cluster}`;
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    if (this.#series.size >= MOST_SERIES && listener !== 'other') return this.#find('other', '', '');
    const connections = new Map<string, number>();
    const series: TcpSeries = { listener, route, cluster, connections, receivedBytes: 0, sentBytes: 0, seconds: 0 };
    this.#series.set(key, series);
    return series;
  }
}

/** What of it is scraped. */
export function tcpGauges(stats: TcpStats): readonly Gauge[] {
  const counter = (name: string, help: string, read: (series: TcpSeries) => readonly GaugeValue[]): Gauge => ({
    name,
    help,
    type: 'counter',
    values: () => stats.series.flatMap(read),
  });
  const one = (series: TcpSeries, value: number): readonly GaugeValue[] => [{ labels: labelsOf(series), value }];
  return [
    counter('weft_tcp_connections_total', 'Finished connections that are not HTTP, by response flag', (series) =>
      [...series.connections].map(([flag, value]) => ({ labels: { ...labelsOf(series), flag }, value })),
    ),
    counter('weft_tcp_received_bytes_total', 'Bytes from clients of such connections', (series) =>
      one(series, series.receivedBytes),
    ),
    counter('weft_tcp_sent_bytes_total', 'Bytes to clients of such connections', (series) =>
      one(series, series.sentBytes),
    ),
    counter('weft_tcp_connection_seconds_total', 'How long such connections lived, all together', (series) =>
      one(series, series.seconds),
    ),
  ];
}

function labelsOf({ listener, route, cluster }: TcpSeries): Readonly<Record<string, string>> {
  return { listener, route, cluster };
}
