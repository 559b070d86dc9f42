// gRPC's own words on HTTP: which messages are gRPC, how long a call may take, and what its outcome is called.
// Sources: grpc/doc/PROTOCOL-HTTP2.md, PROTOCOL-WEB.md, statuscodes.md, http-grpc-status-mapping.md.

/** How the messages of a call are framed. `grpc`: plain, over HTTP/2. The others are what browsers can speak. */
export type GrpcForm = 'grpc' | 'grpc-web' | 'grpc-web-text';

const PREFIX = 'application/grpc';

/** null: no gRPC. */
export function grpcForm(contentType: string): GrpcForm | null {
  if (contentType.length < PREFIX.length) return null;
  const lower = contentType.toLowerCase();
  if (!lower.startsWith(PREFIX)) return null;
  if (isEnd(lower, PREFIX.length)) return 'grpc';
  if (!lower.startsWith('-web', PREFIX.length)) return null;
  const web = PREFIX.length + 4;
  if (isEnd(lower, web)) return 'grpc-web';
  return lower.startsWith('-text', web) && isEnd(lower, web + 5) ? 'grpc-web-text' : null;
}

/** What follows says which messages are inside (`+proto`), or is a parameter. */
function isEnd(type: string, at: number): boolean {
  if (at === type.length) return true;
  const next = type[at];
  return next === '+' || next === ';' || next === ' ';
}

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
const TIMEOUT = /^\d{1,8}[HMSmun]$/;

/** `grpc-timeout` in milliseconds, with a fraction; null: it is none, and the app may say so. */
export function parseGrpcTimeout(text: string): number | null {
  if (!TIMEOUT.test(text)) return null;
  return Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? 0);
}

const MOST_DIGITS = 99_999_999;

/**
 * `grpc-timeout` for the next hop. In whole milliseconds from one second on, rounded up, so that it is mostly the same
 * text; the proxy's own timer holds the exact end.
 */
export function formatGrpcTimeout(ms: number): string {
  const left = Math.max(ms, 0);
  if (left < 1_000) return `${Math.floor(left * 1_000)}u`;
  if (left <= MOST_DIGITS) return `${Math.ceil(left)}m`;
  const seconds = Math.ceil(left / 1_000);
  return seconds <= MOST_DIGITS ? `${seconds}S` : `${Math.min(Math.ceil(seconds / 3_600), MOST_DIGITS)}H`;
}

const GRPC_UNKNOWN = 2;
/** Codes of statuscodes.md: 0 to 16. */
export const GRPC_STATUSES = 17;

/** A status that is none counts as UNKNOWN, as it does for callers. */
export function parseGrpcStatus(text: string): number {
  const status = /^\d{1,2}$/.test(text) ? Number(text) : GRPC_UNKNOWN;
  return status < GRPC_STATUSES ? status : GRPC_UNKNOWN;
}

/** What a caller makes of an answer that has no `grpc-status`. Source: http-grpc-status-mapping.md, as Envoy has it. */
export function grpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return GRPC_UNKNOWN;
  }
}

/** `grpc-message`: everything but visible ASCII, and `%` itself, as `%XX` of its UTF-8. */
export function encodeGrpcMessage(text: string): string {
  // What ends up here is well formed, so encodeURIComponent has no reason to throw.
  return text.toWellFormed().replaceAll(/[^ -$&-~]/gu, encode);
}

/** encodeURIComponent leaves what is visible, of which only `%` comes here; DEL and controls it encodes. */
function encode(character: string): string {
  return encodeURIComponent(character);
}
