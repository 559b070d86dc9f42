// Takes the bytes of a connection and hands out whole heads as latin1 text. A head that lies in one read
// costs one conversion; one that comes in pieces is scanned once per byte and gathered in one buffer.
import type { ErrorCode } from '../../core/kit/error-table.ts';
import { GrowingBuffer } from '../kit/buffers.ts';
import { CR } from '../kit/characters.ts';
import { HeadScanner, MORE, REFUSED, type ScanKind } from './head-scanner.ts';
import type { Http1Limits } from './limits.ts';

/** A head is looked for in so many bytes of a read before it is treated as one that comes in pieces. */
const WINDOW = 8_192;

export class HeadReader {
  /** The head lies in `text` up to `end`, which is where its empty line begins. */
  text = '';
  end = 0;
  code: ErrorCode = 'bad-request';
  detail = '';

  readonly #kind: ScanKind;
  readonly #limits: Http1Limits;
  readonly #scanner: HeadScanner;
  readonly #gathered = new GrowingBuffer();

  constructor(kind: ScanKind, limits: Http1Limits) {
    this.#kind = kind;
    this.#limits = limits;
    this.#scanner = new HeadScanner(kind, limits);
  }

  /** Lets go of the last head, so that an idle connection does not hold it. */
  forget(): void {
    this.text = '';
  }

  /** Bytes of an unfinished head are held. */
  get started(): boolean {
    return !this.#scanner.empty;
  }

  /** The index in `chunk` after the head, or `MORE` (all was taken), or `REFUSED` (see code and detail). */
  read(chunk: Buffer, start: number): number {
    if (this.#scanner.empty && chunk[start] !== CR) {
      const text = chunk.toString('latin1', start, Math.min(chunk.length, start + WINDOW));
      const end = text.indexOf('\r\n\r\n');
      if (end >= 0) {
        this.text = text;
        this.end = end + 2;
        return start + end + 4;
      }
    }
    return this.#gather(chunk, start);
  }

  /** What the scanner would have said about this head, read in one piece but refused by its parser. */
  audit(): boolean {
    const auditor = new HeadScanner(this.#kind, this.#limits);
    if (auditor.scan(Buffer.from(`${this.text.slice(0, this.end)}\r\n`, 'latin1'), 0) !== REFUSED) return true;
    this.code = auditor.code;
    this.detail = auditor.detail;
    return false;
  }

  #gather(chunk: Buffer, start: number): number {
    const after = this.#scanner.scan(chunk, start);
    if (after === REFUSED) {
      this.code = this.#scanner.code;
      this.detail = this.#scanner.detail;
      return REFUSED;
    }
    this.#gathered.append(chunk, start, after === MORE ? chunk.length : after);
    if (after === MORE) return MORE;
    const skip = this.#scanner.skippedLine ? 2 : 0;
    this.text = this.#gathered.latin1(skip);
    this.end = this.text.length - 2;
    this.#gathered.clear();
    this.#scanner.reset();
    return after;
  }
}
