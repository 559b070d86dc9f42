// The last step of every exchange: count it, and where wanted write its access-log line.
import type { Log, LogFields } from '../../core/kit/log.ts';
import type { SnapshotHash, SpiffeId } from '../../core/model/brand.ts';
import type { ConnectionRecord, ExchangeRecord } from '../exchange.ts';
import type { Stats } from './stats.ts';

export interface RecorderOptions {
  readonly stats: Stats;
  readonly log: Log;
  /** A line per exchange. */
  readonly accessLog: boolean;
  /** Who this proxy is; null: it has no identity (standalone). */
  readonly identity: SpiffeId | null;
}

export type Recorder = (record: ExchangeRecord) => void;
export type ConnectionRecorder = (record: ConnectionRecord) => void;

/** For one plan: the snapshot is that of the view that it was compiled from. */
export function createRecorder(options: RecorderOptions, snapshot: SnapshotHash): Recorder {
  const { stats, log, accessLog, identity } = options;
  if (!accessLog) {
    const warned = new Set<string>();
    return (record) => {
      stats.record(record);
      if (record.code !== '' && isOfApp(record)) warnOnce(record);
    };
    function warnOnce(record: ExchangeRecord): void {
      const { cluster, endpoint, code, detail, requestId } = record;
      if (warned.has(`${cluster} ${code}`) || warned.size === MOST_WARNED) return;
      warned.add(`${cluster} ${code}`);
      log.warn(
        { cluster, endpoint, code, detail, requestId, snapshot },
        'a request failed at an instance; the next ones like it are only counted',
      );
    }
  }
  return (record) => {
    stats.record(record);
    log.info(accessFields(record, identity, snapshot), 'exchange');
  };
}

/** Warnings that one view may bring about. */
const MOST_WARNED = 100;

/** What is wrong with an app for good, more likely than not: it is not there, or does not speak what the configuration says. */
function isOfApp({ code, detail }: ExchangeRecord): boolean {
  return code === 'connect-failed' || code === 'upstream-protocol' || detail.endsWith('write protocol: grpc');
}

function accessFields(record: ExchangeRecord, identity: SpiffeId | null, snapshot: SnapshotHash): LogFields {
  const { connection, startedAt, firstByteAt, finishedAt } = record;
  return {
    requestId: record.requestId,
    traceId: record.traceId,
    listener: connection.listener,
    peer: connection.peer,
    remote: `${connection.remoteAddress}:${connection.remotePort}`,
    client: record.client === '' ? connection.remoteAddress : record.client,
    identity,
    method: record.method,
    path: pathOf(record.target),
    authority: record.authority,
    status: record.status,
    flag: record.flag,
    code: record.code,
    grpcStatus: record.grpcStatus === -1 ? null : record.grpcStatus,
    route: record.route,
    rule: record.rule,
    cluster: record.cluster,
    endpoint: record.endpoint,
    attempts: record.attempts,
    requestBytes: record.requestBytes,
    responseBytes: record.responseBytes,
    durationMs: rounded(finishedAt - startedAt),
    firstByteMs: firstByteAt === 0 ? null : rounded(firstByteAt - startedAt),
    snapshot,
    decision: record.decisionId,
    detail: record.detail,
  };
}

/** The same for connections that are not HTTP. */
export function createConnectionRecorder(options: RecorderOptions, snapshot: SnapshotHash): ConnectionRecorder {
  const { stats, log, accessLog, identity } = options;
  return (record) => {
    stats.tcp.record(record);
    if (accessLog) log.info(connectionFields(record, identity, snapshot), 'connection');
  };
}

function connectionFields(record: ConnectionRecord, identity: SpiffeId | null, snapshot: SnapshotHash): LogFields {
  const { connection, startedAt, connectedAt, finishedAt } = record;
  return {
    listener: connection.listener,
    peer: connection.peer,
    remote: `${connection.remoteAddress}:${connection.remotePort}`,
    identity,
    serverName: connection.serverName,
    flag: record.flag,
    code: record.code,
    broken: record.broken,
    route: record.route,
    rule: record.rule,
    cluster: record.cluster,
    endpoint: record.endpoint,
    attempts: record.attempts,
    receivedBytes: record.receivedBytes,
    sentBytes: record.sentBytes,
    durationMs: rounded(finishedAt - startedAt),
    connectMs: connectedAt === 0 ? null : rounded(connectedAt - startedAt),
    snapshot,
    decision: record.decisionId,
    detail: record.detail,
  };
}

/** Queries carry tokens and personal data: they stay out of the log. */
function pathOf(target: string): string {
  const question = target.indexOf('?');
  return question === -1 ? target : target.slice(0, question);
}

function rounded(duration: number): number {
  return Math.round(duration * 1_000) / 1_000;
}
