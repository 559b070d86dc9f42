// Heads, chunk heads and trailers as bytes. Every character is checked on its way into the buffer, so no
// value that a filter or a peer hands on can end its line (RFC 9112 §11.1): that is a fault, and throws.
import { MeshError } from '../../core/kit/error.ts';
import type { HeaderList } from '../kit/header-list.ts';
import { FIELD_VALUE, TARGET, TOKEN } from './characters.ts';

const CRLF = '\r\n';

/** Throws `internal` where `text` holds a character that is not in `table`, or is longer than a byte. */
function check(text: string, table: Uint8Array, what: string): void {
  for (let i = 0; i < text.length; i++) {
    if (table[text.charCodeAt(i)] !== 1) throw new MeshError('internal', { detail: `${what} cannot be written` });
  }
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
  const { fields } = headers;
  let lines = '';
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const value = fields[i + 1] as string;
    if (isOwn(name)) continue;
    if (name === '') throw new MeshError('internal', { detail: 'a field without a name cannot be written' });
    check(name, TOKEN, 'a field name');
    check(value, FIELD_VALUE, 'a field value');
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
): Buffer {
  check(method, TOKEN, 'a method');
  check(target, TARGET, 'a request target');
  check(authority, FIELD_VALUE, 'an authority');
  if (method === '' || target === '') throw new MeshError('internal', { detail: 'a request line is not complete' });
  const lines = fieldLines(headers);
  return Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${lines}${framing}\r\n`, 'latin1');
}

export function responseHead(status: number, reason: string, headers: HeaderList, framing: string): Buffer {
  check(reason, FIELD_VALUE, 'a reason');
  if (!(status >= 100 && status <= 599)) throw new MeshError('internal', { detail: 'a status is not one' });
  return Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${fieldLines(headers)}${framing}\r\n`, 'latin1');
}

export function chunkHead(size: number): Buffer {
  return Buffer.from(size.toString(16) + CRLF, 'latin1');
}

/** The CRLF after a chunk's data. */
export const CHUNK_END: Buffer = Buffer.from(CRLF, 'latin1');

const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');

/** The last chunk with the trailer section. */
export function lastChunk(trailers: HeaderList | null): Buffer {
  return trailers === null || trailers.count === 0
    ? LAST_CHUNK
    : Buffer.from(`0\r\n${fieldLines(trailers)}\r\n`, 'latin1');
}
