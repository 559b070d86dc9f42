// The line before every chunk: its size in hexadecimal and extensions, which are checked and dropped
// (RFC 9112 §7.1.1). Sizes and extensions are bounded: nothing here grows with what a peer sends.
import { CR, LF } from '../kit/characters.ts';
import { MORE, REFUSED } from './head-scanner.ts';
import type { Http1Limits } from './limits.ts';

/** 2^52 is more than any body; more digits are an overflow attempt. */
const MAX_DIGITS = 13;
const LINE_BYTES = 256;
const EXTENSIONS = /^(?:;[\w!#$%&'*+.^`|~-]+(?:=(?:[\w!#$%&'*+.^`|~-]+|"(?:[^"\\]|\\.)*"))?)+$/;

export class ChunkHeadReader {
  size = 0;
  detail = '';

  readonly #limits: Http1Limits;
  #digits = 0;
  #crSeen = false;
  /** What follows the size, from `;` on. */
  #extension = '';
  #extensionBytes = 0;

  constructor(limits: Http1Limits) {
    this.#limits = limits;
  }

  /** A new message begins. */
  begin(): void {
    this.#extensionBytes = 0;
    this.#restart();
  }

  /** The index after the line's CRLF, then `size` holds; `MORE`; or `REFUSED`: see `detail`. */
  read(chunk: Buffer, start: number): number {
    if (this.#digits === 0) this.size = 0;
    for (let at = start; at < chunk.length; at++) {
      const c = chunk[at] as number;
      if (this.#crSeen) {
        if (c !== LF) return this.#refuse('a bare CR in a chunk head');
        return this.#finish() ? at + 1 : REFUSED;
      }
      if (c === CR) this.#crSeen = true;
      else if (!(this.#extension === '' ? this.#digit(c) : this.#extend(c))) return REFUSED;
    }
    return MORE;
  }

  #digit(c: number): boolean {
    const value = hexDigit(c);
    if (value >= 0) {
      this.size = this.size * 16 + value;
      return ++this.#digits <= MAX_DIGITS || this.#no('a chunk size that is too large');
    }
    if (this.#digits === 0 || c !== 59) return this.#no('a chunk size that is not hexadecimal');
    return this.#extend(c);
  }

  #extend(c: number): boolean {
    if ((c < 32 && c !== 9) || c === 127) return this.#no('a control character in a chunk extension');
    this.#extension += String.fromCharCode(c);
    this.#extensionBytes++;
    const fits = this.#extension.length <= LINE_BYTES && this.#extensionBytes <= this.#limits.extensionBytes;
    return fits || this.#no('too long a chunk extension');
  }

  #finish(): boolean {
    if (this.#digits === 0) return this.#no('a chunk without a size');
    if (this.#extension !== '' && !EXTENSIONS.test(this.#extension)) return this.#no('a malformed chunk extension');
    this.#restart();
    return true;
  }

  #restart(): void {
    this.#digits = 0;
    this.#crSeen = false;
    this.#extension = '';
  }

  #refuse(detail: string): typeof REFUSED {
    this.detail = detail;
    return REFUSED;
  }

  #no(detail: string): false {
    this.detail = detail;
    return false;
  }
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
