// Byte buffers of the codecs: one that gathers small pieces, and one that turns many small writes of one
// turn of the event loop into one.
import type { Socket } from 'node:net';

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

/** Up to so many bytes are copied together into one write; more are written as they are, side by side. */
const COPY_LIMIT = 16_384;
/** So many bytes are not held back for the end of the turn. */
const FLUSH_LIMIT = 65_536;

/** Holds pieces until `flush`, which sends them with one system call. */
export class WriteBatch {
  readonly #socket: Socket;
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get length(): number {
    return this.#length;
  }

  /** True: enough is held to be flushed now. */
  add(piece: Buffer): boolean {
    if (piece.length === 0) return false;
    this.#pieces.push(piece);
    this.#length += piece.length;
    return this.#length >= FLUSH_LIMIT;
  }

  flush(): void {
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    const length = this.#length;
    this.#length = 0;
    if (pieces.length === 1) {
      this.#socket.write(pieces[0] as Buffer);
      pieces.length = 0;
      return;
    }
    this.#pieces = [];
    if (length <= COPY_LIMIT) this.#socket.write(joined(pieces, length));
    else this.#writeSideBySide(pieces);
  }

  /** Forgets what is held. */
  clear(): void {
    this.#pieces = [];
    this.#length = 0;
  }

  #writeSideBySide(pieces: Buffer[]): void {
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  }
}

function joined(pieces: Buffer[], length: number): Buffer {
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
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
