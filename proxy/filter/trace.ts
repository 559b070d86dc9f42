// Request id and trace: taken over from the hop before where they are well formed, made here where this
// is the first one. Every hop is the parent of the next (source: W3C Trace Context §3.2).
import type { ExchangeRecord, RequestHead } from '../exchange.ts';
import type { HeaderList } from '../kit/header-list.ts';
import type { IdSource } from './ids.ts';

/** `00-<trace id>-<parent id>-<flags>`. */
const TRACEPARENT_LENGTH = 55;
const LONGEST_REQUEST_ID = 128;
const ZERO_TRACE = '0'.repeat(32);
const ZERO_PARENT = '0'.repeat(16);

/** Fills in `traceparent`, `x-request-id` and `x-trace-id` of the request, and both ids of the record. */
export function identify(head: RequestHead, record: ExchangeRecord, ids: IdSource): void {
  const { headers } = head;
  const { fields } = headers;
  let parentAt = -1;
  let requestIdAt = -1;
  let traceIdAt = -1;
  let duplicated = false;
  // One pass by length: most requests have none of the three.
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (name.length === 11) {
      if (isNamed(name, 'traceparent')) {
        duplicated ||= parentAt !== -1;
        parentAt = i + 1;
      }
    } else if (name.length === 12) {
      if (isNamed(name, 'x-request-id')) requestIdAt = i + 1;
    } else if (name.length === 10 && isNamed(name, 'x-trace-id')) traceIdAt = i + 1;
  }
  const given = parentAt === -1 || duplicated ? '' : (fields[parentAt] as string);
  const inherited = isTraceparent(given);
  const sent = requestIdAt === -1 ? '' : (fields[requestIdAt] as string);
  const known = isToken(sent);
  // No more than what is missing: the hops after the first one need 8 bytes of 40.
  const random = ids.hex((inherited ? 8 : 24) + (known ? 0 : 16));
  const traceId = inherited ? given.slice(3, 35) : random.slice(0, 32);
  const flags = inherited ? given.slice(53, 55) : '01';
  const parent = `00-${traceId}-${inherited ? random.slice(0, 16) : random.slice(32, 48)}-${flags}`;
  const requestId = known ? sent : random.slice(-32);
  if (duplicated) headers.set('traceparent', parent);
  else put(headers, parentAt, 'traceparent', parent);
  put(headers, requestIdAt, 'x-request-id', requestId);
  put(headers, traceIdAt, 'x-trace-id', traceId);
  record.traceId = traceId;
  record.requestId = requestId;
}

function put(headers: HeaderList, at: number, name: string, value: string): void {
  if (at === -1) headers.add(name, value);
  else headers.setAt(at - 1, value);
}

function isNamed(name: string, lowerName: string): boolean {
  return name === lowerName || name.toLowerCase() === lowerName;
}

/** Version 00 as it is, a higher one by its first four parts (W3C Trace Context §3.2.2). */
export function isTraceparent(value: string): boolean {
  if (value.length < TRACEPARENT_LENGTH) return false;
  if (value.charCodeAt(2) !== DASH || value.charCodeAt(35) !== DASH || value.charCodeAt(52) !== DASH) return false;
  if (!isLowerHex(value, 0, 2) || !isLowerHex(value, 3, 35)) return false;
  if (!isLowerHex(value, 36, 52) || !isLowerHex(value, 53, 55)) return false;
  if (value.startsWith('ff')) return false;
  if (value.length > TRACEPARENT_LENGTH && (value.startsWith('00') || value.charCodeAt(55) !== DASH)) return false;
  return value.slice(3, 35) !== ZERO_TRACE && value.slice(36, 52) !== ZERO_PARENT;
}

const DASH = 0x2d;

function isLowerHex(value: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = value.charCodeAt(i);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  return true;
}

/** Visible ASCII without quotes and commas: what may go into a log line and a header as it is. */
function isToken(value: string): boolean {
  if (value.length === 0 || value.length > LONGEST_REQUEST_ID) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === 0x22 || code === 0x2c || code === 0x5c) return false;
  }
  return true;
}
