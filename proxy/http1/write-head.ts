// Heads, chunk heads and trailers as text of one byte a character. Every one is checked on its way out, so no
// value that a filter or a peer hands on can end its line (RFC 9112 §11.1): that is a fault, and throws.
import { MeshError } from '../../core/kit/error.ts';
import type { HeaderList } from '../kit/header-list.ts';

const CRLF = '\r\n';

/**
 * What must not be written. Beside a loop over a table these cost 0.4 µs less per head of eight fields
 * (bench/http1-codec.ts), and they refuse characters that are longer than a byte as well.
 */
const NOT_IN_NAME = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const NOT_IN_TARGET = /[^\x21\x22\x24-\x7e]/;

/** Throws `internal` where `text` holds such a character. */
function check(text: string, bad: RegExp, what: string): void {
  if (bad.test(text)) throw new MeshError('internal', { detail: `${what} cannot be written` });
}

/** Framing is written by the codec alone: what a filter or another codec left in a list is dropped. */
function isOwn(name: string): boolean {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'host';
    case 10:
      return name.toLowerCase() === 'connection';
    case 14:
      return name.toLowerCase() === 'content-length';
    case 17:
      return name.toLowerCase() === 'transfer-encoding';
    default:
      return false;
  }
}

function fieldLines(headers: HeaderList): string {
  const { fields, runs } = headers;
  let lines = '';
  for (let i = 0, next = 0; i < fields.length; i += 2) {
    const run = runs[next];
    if (run !== undefined && run.first === i) {
      // As they came, and checked when they did; the parser keeps no field that is the codec's own.
      lines += headers.source.slice(run.from, run.to);
      next += 1;
      i = run.end - 2;
      continue;
    }
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (isOwn(name)) continue;
    if (name === '') throw new MeshError('internal', { detail: 'a field without a name cannot be written' });
    check(name, NOT_IN_NAME, 'a field name');
    check(value, NOT_IN_VALUE, 'a field value');
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** `framing` is the codec's own lines, each with its CRLF. */
export function requestHead(
  method: string,
  target: string,
  authority: string,
  headers: HeaderList,
  framing: string,
): string {
  check(method, NOT_IN_NAME, 'a method');
  check(target, NOT_IN_TARGET, 'a request target');
  check(authority, NOT_IN_VALUE, 'an authority');
  if (method === '' || target === '') throw new MeshError('internal', { detail: 'a request line is not complete' });
  const lines = fieldLines(headers);
  return `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${lines}${framing}\r\n`;
}

export function responseHead(status: number, reason: string, headers: HeaderList, framing: string): string {
  check(reason, NOT_IN_VALUE, 'a reason');
  if (!(status >= 100 && status <= 599)) throw new MeshError('internal', { detail: 'a status is not one' });
  return `HTTP/1.1 ${status} ${reason}\r\n${fieldLines(headers)}${framing}\r\n`;
}

export function chunkHead(size: number): string {
  return size.toString(16) + CRLF;
}

/** The CRLF after a chunk's data. */
export const CHUNK_END: string = CRLF;

const LAST_CHUNK = '0\r\n\r\n';

/** The last chunk with the trailer section. */
export function lastChunk(trailers: HeaderList | null): string {
  return trailers === null || trailers.count === 0 ? LAST_CHUNK : `0\r\n${fieldLines(trailers)}\r\n`;
}

/** Why the functions above threw; any other fault is thrown on. */
export function unwritable(error: unknown): string {
  if (error instanceof MeshError) return error.detail;
  throw error;
}
