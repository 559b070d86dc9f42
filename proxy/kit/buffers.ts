// Byte buffers of the codecs: one that gathers small pieces, and one that turns many small writes of one
// turn of the event loop into one.
import type { Socket } from 'node:net';
import { LEAST_PART, merged, Slab } from './slab.ts';

const SMALLEST = 1_024;

/** Gathers pieces in one allocation that doubles, so that tiny pieces cost what their bytes cost. */
export class GrowingBuffer {
  #store: Buffer | null = null;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(chunk: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (this.#store === null || this.#store.length < length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(length))));
      this.#store?.copy(grown, 0, 0, this.#length);
      this.#store = grown;
    }
    chunk.copy(this.#store, this.#length, start, end);
    this.#length = length;
  }

  latin1(start: number): string {
    return this.#store === null ? '' : this.#store.toString('latin1', start, this.#length);
  }

  /** Lets go of the memory: idle connections hold none. */
  clear(): void {
    this.#store = null;
    this.#length = 0;
  }
}

/** Up to so many bytes are put together as text: a string is cheaper to make, and to write, than a buffer. */
const TEXT_LIMIT = 4_096;
/** Up to so many bytes are copied together into one write; more are written as they are, side by side. */
const COPY_LIMIT = 16_384;
/** Pieces below so many bytes are never worth a write of their own. */
const SMALL_PIECE = 1_024;
/** So many bytes are not held back for the end of the turn. */
const FLUSH_LIMIT = 65_536;

/** Bytes, or text of which every character is one byte (latin1). */
export type Piece = Buffer | string;

/** Holds pieces until `flush`, which sends them with one system call. */
export class WriteBatch {
  readonly #socket: Socket;
  #pieces: Piece[] = [];
  #length = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get length(): number {
    return this.#length;
  }

  /** True: enough is held to be flushed now. */
  add(piece: Piece): boolean {
    if (piece.length === 0) return false;
    this.#length += piece.length;
    if (typeof piece === 'string' || piece.length < LEAST_PART || !this.#append(piece)) this.#pieces.push(piece);
    return this.#length >= FLUSH_LIMIT;
  }

  /** Records of TLS that were read side by side are one piece. */
  #append(piece: Buffer): boolean {
    const last = this.#pieces.at(-1);
    const both = last === undefined || typeof last === 'string' ? null : merged(last, piece);
    if (both === null) return false;
    this.#pieces[this.#pieces.length - 1] = both;
    return true;
  }

  flush(): void {
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    const length = this.#length;
    this.#length = 0;
    if (length <= TEXT_LIMIT) {
      const text = joinedText(pieces);
      pieces.length = 0;
      this.#socket.write(text, 'latin1');
      return;
    }
    this.#pieces = [];
    if (pieces.length === 1) this.#write(pieces[0] as Piece);
    else if (length <= COPY_LIMIT) this.#socket.write(joined(pieces, length));
    else this.#writeSideBySide(pieces);
  }

  /** Forgets what is held. */
  clear(): void {
    this.#pieces = [];
    this.#length = 0;
  }

  /** Large pieces as they are; a run of small ones between them is one write. */
  #writeSideBySide(pieces: readonly Piece[]): void {
    this.#socket.cork();
    let from = 0;
    let length = 0;
    for (let at = 0; at < pieces.length; at++) {
      const piece = pieces[at] as Piece;
      length += piece.length;
      if (piece.length < SMALL_PIECE) continue;
      this.#writeRun(pieces, from, at, length - piece.length);
      this.#write(piece);
      from = at + 1;
      length = 0;
    }
    this.#writeRun(pieces, from, pieces.length, length);
    this.#socket.uncork();
  }

  #writeRun(pieces: readonly Piece[], from: number, to: number, length: number): void {
    if (to - from === 1) this.#write(pieces[from] as Piece);
    else if (to > from) this.#socket.write(joined(pieces.slice(from, to), length));
  }

  #write(piece: Piece): void {
    if (typeof piece === 'string') this.#socket.write(Buffer.from(piece, 'latin1'));
    else writeHeld(this.#socket, piece);
  }
}

/** Writes a chunk that its holder is done with then. */
export function writeHeld(socket: Socket, chunk: Buffer): void {
  const slab = Slab.of(chunk);
  if (slab === undefined) socket.write(chunk);
  else socket.write(chunk, slab.release);
}

/** Pieces that a list keeps apart: above it, and one more for every so many bytes, they are copied together. */
const MOST_PIECES = 16;
const BYTES_PER_PIECE_BITS = 8;

/** Keeps what comes, for long: a body in pieces of one byte takes little more room than its bytes. */
export class PieceList {
  #pieces: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get pieces(): readonly Buffer[] {
    return this.#pieces;
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#pieces.length <= MOST_PIECES + (this.#length >> BYTES_PER_PIECE_BITS)) return;
    this.#pieces = [joined(this.#pieces, this.#length)];
  }
}

function joinedText(pieces: readonly Piece[]): string {
  let text = '';
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] as Piece;
    text += typeof piece === 'string' ? piece : piece.toString('latin1');
  }
  return text;
}

function joined(pieces: readonly Piece[], length: number): Buffer {
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') whole.write(piece, at, 'latin1');
    else whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/**
 * A copy that shares no memory with the head it was cut from: for strings that outlive their exchange.
 * V8 keeps the whole head alive for a slice of it.
 */
export function detached(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
