// Cuts the bytes of a connection into frames (RFC 9113 §4), for every split of the input. DATA is passed on as
// it comes, as views of the read; every other frame is small, and handed over whole.
import {
  DATA,
  END_STREAM,
  FRAME_HEAD,
  FRAME_SIZE_ERROR,
  MAX_STREAM_ID,
  PADDED,
  PREFACE,
  PROTOCOL_ERROR,
  CONTINUATION,
} from './frames.ts';

export interface FrameSink {
  /** A DATA frame begins; `length` counts its padding too. False: what it holds is not passed on. */
  onDataHead(stream: number, length: number, endStream: boolean): boolean;
  onData(stream: number, bytes: Buffer): void;
  /** Always follows `onDataHead` in the end. */
  onDataEnd(stream: number, endStream: boolean): void;
  /** Every other known frame. `payload` from `start` to `end`, good during the call only. */
  onFrame(type: number, flags: number, stream: number, payload: Buffer, start: number, end: number): void;
  /** A frame of a type that is not known. */
  onUnknown(stream: number): void;
}

type State = 'preface' | 'head' | 'pad' | 'data' | 'padding' | 'payload' | 'skip' | 'stopped';

export class FrameReader {
  /** Why `read` said no. */
  code = PROTOCOL_ERROR;
  detail = '';

  readonly #sink: FrameSink;
  readonly #frameBytes: number;
  #state: State;
  /** Bytes of the preface that were seen. */
  #greeted = 0;
  readonly #head = Buffer.allocUnsafeSlow(FRAME_HEAD);
  #headBytes = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  /** Bytes of the payload, or of its present part, that are still to come. */
  #left = 0;
  #padding = 0;
  #wanted = false;
  /** A payload that comes in pieces. */
  #payload: Buffer | null = null;
  #payloadBytes = 0;

  /** `frameBytes`: of the largest payload that is taken. */
  constructor(sink: FrameSink, expectPreface: boolean, frameBytes: number) {
    this.#sink = sink;
    this.#frameBytes = frameBytes;
    this.#state = expectPreface ? 'preface' : 'head';
  }

  /** From within a callback too: nothing more is passed on. */
  stop(): void {
    this.#state = 'stopped';
    this.#payload = null;
  }

  /** False: the connection cannot go on, see `code` and `detail`. */
  read(chunk: Buffer): boolean {
    let at = 0;
    // A frame may be empty and still have to be handed over at the end of the input.
    while (at < chunk.length || this.#isDue()) {
      switch (this.#state) {
        case 'preface':
          at = this.#greet(chunk, at);
          break;
        case 'head':
          at = this.#readHead(chunk, at);
          break;
        case 'pad':
          at = this.#readPad(chunk, at);
          break;
        case 'data':
          at = this.#readData(chunk, at);
          break;
        case 'payload':
          at = this.#readPayload(chunk, at);
          break;
        case 'padding':
        case 'skip':
          at = this.#pass(chunk, at);
          break;
        case 'stopped':
          return true;
      }
      if (at < 0) return false;
    }
    return true;
  }

  #isDue(): boolean {
    const state = this.#state;
    return this.#left === 0 && (state === 'data' || state === 'payload' || state === 'padding' || state === 'skip');
  }

  #greet(chunk: Buffer, start: number): number {
    let at = start;
    for (; at < chunk.length && this.#greeted < PREFACE.length; at++) {
      if (chunk[at] !== PREFACE[this.#greeted++]) return this.#refuse(PROTOCOL_ERROR, 'a preface other than HTTP/2');
    }
    if (this.#greeted === PREFACE.length) this.#state = 'head';
    return at;
  }

  #readHead(chunk: Buffer, start: number): number {
    if (this.#headBytes === 0 && chunk.length - start >= FRAME_HEAD) {
      return this.#begin(chunk, start) ? start + FRAME_HEAD : -1;
    }
    const take = Math.min(FRAME_HEAD - this.#headBytes, chunk.length - start);
    chunk.copy(this.#head, this.#headBytes, start, start + take);
    this.#headBytes += take;
    if (this.#headBytes < FRAME_HEAD) return start + take;
    this.#headBytes = 0;
    return this.#begin(this.#head, 0) ? start + take : -1;
  }

  #begin(head: Buffer, at: number): boolean {
    const length = ((head[at] as number) << 16) | ((head[at + 1] as number) << 8) | (head[at + 2] as number);
    if (length > this.#frameBytes) {
      const http1 = head.toString('latin1', at, at + 5) === 'HTTP/';
      return this.#refuse(FRAME_SIZE_ERROR, http1 ? 'it answers in HTTP/1' : 'a frame that is too large') > 0;
    }
    this.#type = head[at + 3] as number;
    this.#flags = head[at + 4] as number;
    this.#stream = head.readUInt32BE(at + 5) & MAX_STREAM_ID;
    this.#left = length;
    this.#padding = 0;
    if (this.#type === DATA) {
      this.#wanted = this.#sink.onDataHead(this.#stream, length, (this.#flags & END_STREAM) !== 0);
      // The sink may have stopped the reader.
      if (this.#state === 'head') this.#state = (this.#flags & PADDED) === 0 ? 'data' : 'pad';
      if (this.#state === 'pad' && length === 0) return this.#refuse(FRAME_SIZE_ERROR, 'padding without a length') > 0;
    } else {
      this.#state = this.#type > CONTINUATION ? 'skip' : 'payload';
    }
    return true;
  }

  #readPad(chunk: Buffer, at: number): number {
    this.#padding = chunk[at] as number;
    this.#left -= 1 + this.#padding;
    if (this.#left < 0) return this.#refuse(PROTOCOL_ERROR, 'more padding than payload');
    this.#state = 'data';
    return at + 1;
  }

  #readData(chunk: Buffer, at: number): number {
    const take = Math.min(this.#left, chunk.length - at);
    this.#left -= take;
    if (take > 0 && this.#wanted)
      this.#sink.onData(this.#stream, take === chunk.length ? chunk : chunk.subarray(at, at + take));
    if (this.#state === 'data' && this.#left === 0) {
      this.#left = this.#padding;
      this.#state = 'padding';
    }
    return at + take;
  }

  #readPayload(chunk: Buffer, at: number): number {
    const take = Math.min(this.#left, chunk.length - at);
    this.#left -= take;
    if (this.#payload === null && this.#left === 0) {
      this.#state = 'head';
      this.#sink.onFrame(this.#type, this.#flags, this.#stream, chunk, at, at + take);
      return at + take;
    }
    this.#payload ??= Buffer.allocUnsafe(this.#left + take);
    chunk.copy(this.#payload, this.#payloadBytes, at, at + take);
    this.#payloadBytes += take;
    if (this.#left === 0) {
      const payload = this.#payload;
      this.#payload = null;
      this.#payloadBytes = 0;
      this.#state = 'head';
      this.#sink.onFrame(this.#type, this.#flags, this.#stream, payload, 0, payload.length);
    }
    return at + take;
  }

  /** Padding, and frames of unknown types. */
  #pass(chunk: Buffer, at: number): number {
    const take = Math.min(this.#left, chunk.length - at);
    this.#left -= take;
    if (this.#left > 0) return at + take;
    const wasData = this.#state === 'padding';
    this.#state = 'head';
    if (wasData) this.#sink.onDataEnd(this.#stream, (this.#flags & END_STREAM) !== 0);
    else this.#sink.onUnknown(this.#stream);
    return at + take;
  }

  #refuse(code: number, detail: string): -1 {
    this.#state = 'stopped';
    this.code = code;
    this.detail = detail;
    return -1;
  }
}
