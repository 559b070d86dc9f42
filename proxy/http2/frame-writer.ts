// Frames out: small ones are put together in one piece of memory, large bodies go beside them uncopied, and
// `flush` hands all of it to the socket in one write.
import type { Socket } from 'node:net';
import { writeHeld } from '../kit/buffers.ts';
import { release } from '../kit/slab.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  FRAME_BYTES,
  FRAME_HEAD,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './frames.ts';

/** Memory that is taken at a time: little for a connection that says little. */
const FIRST_PIECE = 1_024;
const PIECE = 16_384;
/** Up to so many bytes of a body are copied: a piece of their own costs more. */
const COPY_LIMIT = 4_096;

export class FrameWriter {
  readonly #socket: Socket;
  #memory: Buffer | null = null;
  /** What is not flushed begins here and ends at `#at`. */
  #from = 0;
  #at = 0;
  #pieces: Buffer[] = [];
  #length = 0;
  #pieceBytes = FIRST_PIECE;
  #flushes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that are held. */
  get length(): number {
    return this.#length;
  }

  /** How often something was handed to the socket: what was written since has not left this process. */
  get flushes(): number {
    return this.#flushes;
  }

  raw(bytes: Buffer): void {
    const at = this.#take(bytes.length);
    bytes.copy(this.#memory as Buffer, at);
  }

  /** The first `length` bytes of `block`, in as many frames as it takes. */
  headers(stream: number, block: Buffer, length: number, end: boolean): void {
    let first = 0;
    do {
      const last = Math.min(first + FRAME_BYTES, length);
      const flags = (last === length ? END_HEADERS : 0) | (first === 0 && end ? END_STREAM : 0);
      const at = this.#head(last - first, first === 0 ? HEADERS : CONTINUATION, flags, stream);
      block.copy(this.#memory as Buffer, at, first, last);
      first = last;
    } while (first < length);
  }

  /** `payload` from `start` to `end`, at most a frame's worth; lets go of it when it is written. */
  data(stream: number, payload: Buffer, start: number, end: number, endStream: boolean): void {
    const length = end - start;
    const flags = endStream ? END_STREAM : 0;
    if (length <= COPY_LIMIT) {
      const at = this.#head(length, DATA, flags, stream);
      payload.copy(this.#memory as Buffer, at, start, end);
      release(payload);
      return;
    }
    this.#writeHead(this.#take(FRAME_HEAD), length, DATA, flags, stream);
    this.#close();
    this.#pieces.push(length === payload.length ? payload : payload.subarray(start, end));
    this.#length += length;
  }

  settings(pairs: readonly (readonly [number, number])[]): void {
    let at = this.#head(pairs.length * 6, SETTINGS, 0, 0);
    const memory = this.#memory as Buffer;
    for (const [id, value] of pairs) {
      memory.writeUInt16BE(id, at);
      memory.writeUInt32BE(value, at + 2);
      at += 6;
    }
  }

  settingsAck(): void {
    this.#head(0, SETTINGS, ACK, 0);
  }

  /** Eight bytes of `payload` from `start`. */
  ping(ack: boolean, payload: Buffer, start: number): void {
    const at = this.#head(8, PING, ack ? ACK : 0, 0);
    payload.copy(this.#memory as Buffer, at, start, start + 8);
  }

  resetStream(stream: number, code: number): void {
    const at = this.#head(4, RST_STREAM, 0, stream);
    (this.#memory as Buffer).writeUInt32BE(code, at);
  }

  windowUpdate(stream: number, bytes: number): void {
    const at = this.#head(4, WINDOW_UPDATE, 0, stream);
    (this.#memory as Buffer).writeUInt32BE(bytes, at);
  }

  goAway(lastStream: number, code: number): void {
    const at = this.#head(8, GOAWAY, 0, 0);
    (this.#memory as Buffer).writeUInt32BE(lastStream, at);
    (this.#memory as Buffer).writeUInt32BE(code, at + 4);
  }

  flush(): void {
    if (this.#length === 0) return;
    this.#close();
    this.#length = 0;
    this.#flushes += 1;
    const pieces = this.#pieces;
    if (pieces.length === 1) {
      writeHeld(this.#socket, pieces[0] as Buffer);
      pieces.length = 0;
      return;
    }
    this.#pieces = [];
    this.#socket.cork();
    for (const piece of pieces) writeHeld(this.#socket, piece);
    this.#socket.uncork();
  }

  /** An idle connection keeps no memory. */
  rest(): void {
    if (this.#length > 0) return;
    this.#memory = null;
    this.#pieceBytes = FIRST_PIECE;
  }

  /** Forgets what is held, and lets go of the memory. */
  clear(): void {
    this.#pieces = [];
    this.#length = 0;
    this.#memory = null;
    this.#from = 0;
    this.#at = 0;
  }

  /** Writes a frame's head and makes room for its payload; the index where that goes. */
  #head(length: number, type: number, flags: number, stream: number): number {
    const at = this.#take(FRAME_HEAD + length);
    this.#writeHead(at, length, type, flags, stream);
    return at + FRAME_HEAD;
  }

  #writeHead(at: number, length: number, type: number, flags: number, stream: number): void {
    const memory = this.#memory as Buffer;
    memory[at] = length >>> 16;
    memory[at + 1] = length >>> 8;
    memory[at + 2] = length;
    memory[at + 3] = type;
    memory[at + 4] = flags;
    memory[at + 5] = stream >>> 24;
    memory[at + 6] = stream >>> 16;
    memory[at + 7] = stream >>> 8;
    memory[at + 8] = stream;
  }

  /** The index of so many free bytes. */
  #take(bytes: number): number {
    if (this.#memory === null || this.#memory.length - this.#at < bytes) {
      this.#close();
      this.#memory = Buffer.allocUnsafeSlow(Math.max(this.#pieceBytes, bytes));
      this.#pieceBytes = Math.min(this.#pieceBytes * 4, PIECE);
      this.#from = 0;
      this.#at = 0;
    }
    const at = this.#at;
    this.#at += bytes;
    this.#length += bytes;
    return at;
  }

  /** What was written into memory becomes a piece. */
  #close(): void {
    if (this.#memory === null || this.#at === this.#from) return;
    this.#pieces.push(this.#memory.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}
