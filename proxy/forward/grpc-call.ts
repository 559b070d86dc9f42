// What is different about an exchange that carries a gRPC call: its time limit, its status, and how it fails.
import {
  encodeGrpcMessage,
  formatGrpcTimeout,
  type GrpcForm,
  grpcForm,
  grpcStatusOfHttp,
  parseGrpcStatus,
  parseGrpcTimeout,
} from '../../core/decide/grpc.ts';
import { ERRORS } from '../../core/kit/error-table.ts';
import type { MeshError } from '../../core/kit/error.ts';
import type { Protocol } from '../../core/model/mesh.ts';
import type { ConnectionInfo, ExchangeRecord, RequestHead } from '../exchange.ts';
import { HeaderList } from '../kit/header-list.ts';

/**
 * null: no call, so failures are answered as HTTP. Over HTTP/1.1 only what browsers speak is one, and what another
 * sidecar sends.
 */
export function callForm(head: RequestHead, connection: ConnectionInfo): GrpcForm | null {
  if (head.method !== 'POST') return null;
  const type = head.headers.get('content-type');
  const form = type === undefined ? null : grpcForm(type);
  return form === 'grpc' && head.version < 20 && connection.peer === null ? null : form;
}

/** A call that came in a way that cannot carry one. */
export function isStranded(head: RequestHead, connection: ConnectionInfo): boolean {
  return head.version < 20 && connection.peer === null && grpcForm(head.headers.get('content-type') ?? '') === 'grpc';
}

/** The time limit that a caller gave to a call, and what is left of it. */
export class CallDeadline {
  /** On the clock of the exchange, in ms. */
  readonly at: number;
  /** As it was sent. */
  readonly text: string;

  private constructor(at: number, text: string) {
    this.at = at;
    this.text = text;
  }

  /** null: the caller gave none. `startedAt`: when the head was read. */
  static of(head: RequestHead, startedAt: number): CallDeadline | null {
    const text = head.headers.get('grpc-timeout');
    const timeout = text === undefined ? null : parseGrpcTimeout(text);
    return text === undefined || timeout === null ? null : new CallDeadline(startedAt + timeout, text);
  }

  /** The next hop is given what is left now. */
  shorten(head: RequestHead, now: number): void {
    head.headers.set('grpc-timeout', formatGrpcTimeout(this.at - now));
  }
}

/** Takes the status from trailers, or from the head of an answer without any. */
export function noteStatus(fields: HeaderList | null, record: ExchangeRecord): void {
  const status = fields?.get('grpc-status');
  if (status !== undefined) record.grpcStatus = parseGrpcStatus(status);
}

/** At the end of a call that has no status yet: what its caller makes of what it got. */
export function concludeStatus(error: MeshError | null, record: ExchangeRecord): void {
  if (record.grpcStatus !== -1) return;
  record.grpcStatus = error === null ? grpcStatusOfHttp(record.status) : ERRORS[error.code].grpc;
}

/** For the log: what most likely is wrong where an app does not understand HTTP/1.1. */
export function detailOf(error: MeshError, record: ExchangeRecord, protocol: Protocol | undefined): string {
  const { code, detail } = error;
  const garbled = code === 'upstream-protocol' || code === 'upstream-closed';
  if (record.grpc !== 'grpc' || protocol !== 'http' || !garbled) return detail;
  return `${detail}; a call of gRPC, while the service has protocol http: write protocol: grpc`;
}

/** The status of a failure, as trailers or as fields of an answer that has nothing else. */
export function failureFields(error: MeshError, record: ExchangeRecord): HeaderList {
  const headers = new HeaderList();
  const { grpc } = ERRORS[error.code];
  const decision = record.decisionId === '' ? '' : `, decision ${record.decisionId}`;
  record.grpcStatus = grpc;
  headers.add('grpc-status', String(grpc));
  headers.add(
    'grpc-message',
    encodeGrpcMessage(`${error.message} (${error.code}, request ${record.requestId}${decision})`),
  );
  return headers;
}
