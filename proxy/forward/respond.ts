// The answers that the proxy makes itself: one JSON body for every code of the error table, or a gRPC status. Every
// failure of an exchange that has no answer yet leaves through here.
import type { GrpcForm } from '../../core/decide/grpc.ts';
import { ERRORS } from '../../core/kit/error-table.ts';
import type { MeshError } from '../../core/kit/error.ts';
import type { Downstream, ExchangeRecord, ResponseHead } from '../exchange.ts';
import { HeaderList } from '../kit/header-list.ts';
import type { DateSource } from './date.ts';
import { failureFields } from './grpc-call.ts';
import type { ExchangePlan } from './plan.ts';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

/** Status of a code as an HTTP caller sees it; codes that no caller should meet are 500. */
function statusOf(error: MeshError): number {
  const { http } = ERRORS[error.code];
  return http === 0 ? 500 : http;
}

/** Sends the whole answer and fills in status and bytes of the record. The body never holds a detail. */
export function respondError(
  downstream: Downstream,
  error: MeshError,
  record: ExchangeRecord,
  plan: Pick<ExchangePlan, 'onLocalAnswer'>,
  date: DateSource,
): void {
  if (record.grpc !== null) {
    respondGrpc(downstream, error, record, plan, date);
    return;
  }
  const status = statusOf(error);
  const body = Buffer.from(errorBody(error, record));
  const headers = new HeaderList();
  headers.add('date', date.text());
  headers.add('content-type', 'application/json');
  headers.add('x-weft-error', error.code);
  plan.onLocalAnswer(error, headers);
  record.status = status;
  // RFC 9110 §9.3.2: an answer to HEAD has no body, but says how long it would be.
  if (record.method === 'HEAD') {
    downstream.sendHead(localHead(status, headers, 0, body.length));
  } else {
    downstream.sendHead(localHead(status, headers, body.length, -1));
    downstream.sendData(body);
    record.responseBytes = body.length;
  }
  downstream.sendEnd(null);
}

const GRPC_TYPES: Readonly<Record<GrpcForm, string>> = {
  grpc: 'application/grpc',
  'grpc-web': 'application/grpc-web+proto',
  'grpc-web-text': 'application/grpc-web-text+proto',
};

/** An answer without messages: its head has the status (PROTOCOL-HTTP2.md, Trailers-Only). */
function respondGrpc(
  downstream: Downstream,
  error: MeshError,
  record: ExchangeRecord,
  plan: Pick<ExchangePlan, 'onLocalAnswer'>,
  date: DateSource,
): void {
  const headers = failureFields(error, record);
  headers.add('date', date.text());
  headers.add('content-type', GRPC_TYPES[record.grpc ?? 'grpc']);
  headers.add('x-weft-error', error.code);
  headers.add('x-request-id', record.requestId);
  plan.onLocalAnswer(error, headers);
  record.status = 200;
  downstream.sendHead(localHead(200, headers, 0, -1));
  downstream.sendEnd(null);
}

function localHead(status: number, headers: HeaderList, bodyLength: number, declaredLength: number): ResponseHead {
  return { status, reason: REASONS[status] ?? '', headers, bodyLength, declaredLength };
}

function errorBody(error: MeshError, record: ExchangeRecord): string {
  const decision = record.decisionId === '' ? {} : { decision: record.decisionId };
  return `${JSON.stringify({
    error: { code: error.code, message: error.message },
    ...decision,
    requestId: record.requestId,
  })}\n`;
}
