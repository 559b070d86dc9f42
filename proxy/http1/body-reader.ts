// Cuts a body out of the bytes of a connection: nothing, so many bytes, chunks (RFC 9112 §7.1), or
// everything up to the end of the connection. Large chunks are passed on as views of the read; small ones are
// moved together within it first, so that a body of tiny chunks costs what its bytes cost.
import type { ErrorCode } from '../../core/kit/error-table.ts';
import type { HeaderList } from '../kit/header-list.ts';
import { ChunkHeadReader } from './chunk-head.ts';
import type { FieldParser } from './fields.ts';
import { HeadReader } from './head-reader.ts';
import { MORE, REFUSED } from './head-scanner.ts';
import type { Http1Limits } from './limits.ts';

export { MORE, REFUSED } from './head-scanner.ts';

export interface BodySink {
  onData(chunk: Buffer): void;
}

type State = 'done' | 'length' | 'until-close' | 'chunk-head' | 'chunk-data' | 'chunk-end' | 'trailers' | 'stopped';

/** Chunks below so many bytes are passed on together with their neighbours of the same read. */
const SMALL = 1_024;

/** One per connection. */
export class BodyReader {
  /** Of the message that is done; null where there were none. */
  trailers: HeaderList | null = null;
  code: ErrorCode = 'bad-request';
  detail = '';

  readonly #fields: FieldParser;
  readonly #chunkHead: ChunkHeadReader;
  readonly #limits: Http1Limits;
  /** Made when the first trailer section comes that is not empty. */
  #trailerReader: HeadReader | null = null;
  #state: State = 'done';
  /** Bytes of the body or of the chunk that are still to come. */
  #left = 0;
  #crSeen = false;
  /** Where in the read the small chunks lie that are not passed on yet. */
  #heldFrom = 0;
  #heldTo = 0;

  constructor(fields: FieldParser, limits: Http1Limits) {
    this.#fields = fields;
    this.#chunkHead = new ChunkHeadReader(limits);
    this.#limits = limits;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Bytes that are known to be still to come; -1 where that is not known. */
  get left(): number {
    return this.#state === 'length' ? this.#left : this.#state === 'done' ? 0 : -1;
  }

  /** More is known to be still to come than is read for nobody. */
  get tooLong(): boolean {
    return this.left > this.#limits.discardBytes;
  }

  /** `length`: bytes, or -1 for chunked. */
  begin(length: number): void {
    this.trailers = null;
    this.#left = length;
    this.#state = length === 0 ? 'done' : length > 0 ? 'length' : 'chunk-head';
    if (length < 0) this.#chunkHead.begin();
  }

  beginUntilClose(): void {
    this.trailers = null;
    this.#state = 'until-close';
  }

  /** The connection ended: true where that was the end of the body. */
  end(): boolean {
    if (this.#state !== 'until-close') return this.#state === 'done';
    this.#state = 'done';
    return true;
  }

  /** From within `onData` too: nothing more is passed on. */
  stop(): void {
    this.#state = 'stopped';
  }

  /**
   * Passes body bytes of `chunk` from `start` on to `sink`. The index after what belongs to this message
   * (look at `done`), `MORE` when all was taken and more is to come, or `REFUSED`: see code and detail.
   */
  read(chunk: Buffer, start: number, sink: BodySink): number {
    const after = this.#read(chunk, start, sink);
    if (this.#heldTo === 0) return after;
    // Whoever gets the data may stop the reader.
    this.#passHeld(chunk, sink);
    return this.#state === 'stopped' && after !== REFUSED ? MORE : after;
  }

  #read(chunk: Buffer, start: number, sink: BodySink): number {
    let at = start;
    while (at < chunk.length) {
      switch (this.#state) {
        case 'length':
        case 'chunk-data':
        case 'until-close':
          at = this.#data(chunk, at, sink);
          break;
        case 'chunk-head':
          at = this.#head(chunk, at);
          break;
        case 'chunk-end':
          at = this.#chunkEnd(chunk, at);
          break;
        case 'trailers':
          at = this.#trailers(chunk, at);
          break;
        case 'done':
          return at;
        case 'stopped':
          return MORE;
      }
      if (at < 0) return at;
    }
    return this.#state === 'done' ? at : MORE;
  }

  #data(chunk: Buffer, at: number, sink: BodySink): number {
    const there = chunk.length - at;
    if (this.#state === 'until-close') {
      sink.onData(at === 0 ? chunk : chunk.subarray(at));
      return chunk.length;
    }
    const take = Math.min(there, this.#left);
    this.#left -= take;
    const chunked = this.#state === 'chunk-data';
    if (this.#left === 0) this.#state = chunked ? 'chunk-end' : 'done';
    if (chunked) {
      if (take < SMALL) return this.#hold(chunk, at, take);
      if (this.#heldTo > 0) {
        this.#passHeld(chunk, sink);
        if ((this.#state as State) === 'stopped') return MORE;
      }
    }
    sink.onData(take === chunk.length ? chunk : chunk.subarray(at, at + take));
    return at + take;
  }

  /** Nothing that was passed on lies where this writes: only framing, and small chunks that are held. */
  #hold(chunk: Buffer, at: number, take: number): number {
    if (this.#heldTo === 0) {
      this.#heldFrom = at;
      this.#heldTo = at + take;
    } else {
      chunk.copyWithin(this.#heldTo, at, at + take);
      this.#heldTo += take;
    }
    return at + take;
  }

  #passHeld(chunk: Buffer, sink: BodySink): void {
    const held = chunk.subarray(this.#heldFrom, this.#heldTo);
    this.#heldTo = 0;
    sink.onData(held);
  }

  #head(chunk: Buffer, at: number): number {
    const after = this.#chunkHead.read(chunk, at);
    if (after === REFUSED) return this.#refuse(this.#chunkHead.detail);
    if (after === MORE) return MORE;
    this.#left = this.#chunkHead.size;
    this.#state = this.#left === 0 ? 'trailers' : 'chunk-data';
    return after;
  }

  #chunkEnd(chunk: Buffer, at: number): number {
    if (chunk[at] !== (this.#crSeen ? 10 : 13)) return this.#refuse('a chunk that does not end in CRLF');
    if (this.#crSeen) this.#state = 'chunk-head';
    this.#crSeen = !this.#crSeen;
    return at + 1;
  }

  #trailers(chunk: Buffer, at: number): number {
    if (this.#trailerReader?.started !== true && chunk[at] === 13 && chunk[at + 1] === 10) {
      this.#state = 'done';
      return at + 2;
    }
    this.#trailerReader ??= new HeadReader('trailers', this.#limits);
    const reader = this.#trailerReader;
    const after = reader.read(chunk, at);
    if (after === REFUSED) return this.#refuse(reader.detail, reader.code);
    if (after === MORE) return MORE;
    if (reader.end > 0) {
      const trailers = this.#fields.parseTrailers(reader.text, 0, reader.end);
      if (trailers === null) {
        const source = reader.audit() ? this.#fields : reader;
        return this.#refuse(source.detail, source.code);
      }
      this.trailers = trailers.count > 0 ? trailers : null;
      reader.forget();
    }
    this.#state = 'done';
    return after;
  }

  #refuse(detail: string, code: ErrorCode = 'bad-request'): typeof REFUSED {
    this.#state = 'stopped';
    this.code = code;
    this.detail = detail;
    return REFUSED;
  }
}
