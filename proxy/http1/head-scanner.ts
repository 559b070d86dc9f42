// Finds the end of a head (or of a trailer section) byte by byte, and whatever no head may hold, as soon
// as it arrives: a bare CR or LF, a control character, too long a line. Used where a head comes in pieces.
import type { ErrorCode } from '../../core/kit/error-table.ts';
import { CR, FIELD_VALUE, LF } from '../kit/characters.ts';
import type { Http1Limits } from './limits.ts';

export type ScanKind = 'request' | 'response' | 'trailers';

export const MORE = -1;
export const REFUSED = -2;

/** How a record of TLS begins (RFC 8446 §5.1), and nobody who speaks HTTP. */
const TLS_HANDSHAKE = 22;

export class HeadScanner {
  code: ErrorCode = 'bad-request';
  detail = '';

  readonly #limits: Http1Limits;
  readonly #kind: ScanKind;
  #empty = true;
  #afterCr = false;
  #firstLine = true;
  #skippedLine = false;
  #lineLength = 0;
  #fieldBytes = 0;

  constructor(kind: ScanKind, limits: Http1Limits) {
    this.#kind = kind;
    this.#limits = limits;
    this.reset();
  }

  /** Nothing of a head was seen since the last `reset`. */
  get empty(): boolean {
    return this.#empty;
  }

  /** An empty line came before the request line (RFC 9112 §2.2: one is ignored). */
  get skippedLine(): boolean {
    return this.#skippedLine;
  }

  reset(): void {
    this.#empty = true;
    this.#afterCr = false;
    this.#firstLine = this.#kind !== 'trailers';
    this.#skippedLine = false;
    this.#lineLength = 0;
    this.#fieldBytes = 0;
  }

  /** The index after the head's empty line; `MORE` when it is not in `chunk`; `REFUSED`: see code and detail. */
  scan(chunk: Uint8Array, start: number): number {
    this.#empty = false;
    for (let at = start; at < chunk.length; at++) {
      const c = chunk[at] as number;
      if (this.#afterCr) {
        if (c !== LF) return this.#refuse('a bare CR');
        this.#afterCr = false;
        if (this.#lineLength > 0) this.#endLine();
        else if (!this.#firstLine) return at + 1;
        else if (this.#kind !== 'request' || this.#skippedLine) return this.#refuse('an empty line before a head');
        else this.#skippedLine = true;
      } else if (c === CR) {
        this.#afterCr = true;
      } else if (FIELD_VALUE[c] !== 1) {
        return this.#refuse(this.#nameOf(c));
      } else if (!this.#count()) {
        return REFUSED;
      }
    }
    return MORE;
  }

  #nameOf(c: number): string {
    if (c === LF) return 'a bare LF';
    const first = this.#kind === 'request' && this.#firstLine && this.#lineLength === 0;
    return first && c === TLS_HANDSHAKE ? 'a TLS handshake on a plaintext port' : 'a control character';
  }

  #endLine(): void {
    if (!this.#firstLine) this.#fieldBytes += 2;
    this.#firstLine = false;
    this.#lineLength = 0;
  }

  #count(): boolean {
    this.#lineLength++;
    if (this.#firstLine) {
      if (this.#lineLength <= this.#limits.lineBytes) return true;
      this.#refuse('the first line is too long', 'uri-too-long');
      return false;
    }
    if (++this.#fieldBytes + 2 <= this.#limits.headerBytes) return true;
    this.#refuse('the header section is too long', 'headers-too-large');
    return false;
  }

  #refuse(detail: string, code: ErrorCode = 'bad-request'): typeof REFUSED {
    this.code = code;
    this.detail = detail;
    return REFUSED;
  }
}
