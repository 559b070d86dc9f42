// Memory of bodies on their way from one socket to another: slabs that are used again once everybody who holds a part
// of one let it go. Fresh memory for every read makes V8 mark and sweep its whole heap again and again, because it
// lies outside (bench/PROFILE.md). Who holds a part and does not say that it is done costs a slab, which becomes
// garbage with the last view of it: forgetting is slower, never wrong.

/** As much as one read takes: twice of what a socket offers by itself, because that is what waits in one on loopback. */
export const SLAB_BYTES = 131_072;
/** Smaller parts are copied rather than that they keep a slab. A record of TLS, with a frame's head in it, is larger. */
export const LEAST_PART = 12_288;
/** Slabs that wait to be used again: 4 MiB. */
const MOST_FREE = 32;
/** Sockets that read into slabs of their own at a time, however slowly: 8 MiB. */
const MOST_READERS = 64;

const free: Slab[] = [];
let readers = 0;

const OWNER = Symbol('slab');

/** The memory of a slab knows it; that of any other buffer does not. */
interface OwnedMemory {
  [OWNER]?: Slab;
}

export class Slab {
  readonly memory: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  #holds = 1;

  constructor() {
    // TypeScript knows no buffers with properties of our own.
    (this.memory.buffer as OwnedMemory)[OWNER] = this;
  }

  /** Nobody holds a part besides who took it. */
  get unshared(): boolean {
    return this.#holds === 1;
  }

  hold(): void {
    this.#holds += 1;
  }

  /** Of one hold. */
  readonly release = (): void => {
    this.#holds -= 1;
    if (this.#holds === 0 && free.length < MOST_FREE) free.push(this);
  };

  /** It is never used again. */
  forget(): void {
    this.#holds = Number.POSITIVE_INFINITY;
  }

  /** Somebody held on to it for good. */
  get forgotten(): boolean {
    return this.#holds === Number.POSITIVE_INFINITY;
  }

  /** With one hold, the caller's. */
  static take(): Slab {
    const slab = free.pop();
    if (slab === undefined) return new Slab();
    slab.#holds = 1;
    return slab;
  }

  /** For a socket to read into; null: enough of them do. */
  static takeToRead(): Slab | null {
    if (readers >= MOST_READERS) return null;
    readers += 1;
    return Slab.take();
  }

  /** The hold of the socket that read into it. */
  static doneReading(slab: Slab): void {
    readers -= 1;
    slab.release();
  }

  static of(chunk: Buffer): Slab | undefined {
    // See the constructor.
    return (chunk.buffer as OwnedMemory)[OWNER];
  }
}

/** One more holder of a chunk, who releases it or forgets about it. False: there is nothing to hold. */
export function hold(chunk: Buffer): boolean {
  const slab = Slab.of(chunk);
  slab?.hold();
  return slab !== undefined;
}

/** A holder is done with it: nothing of it may be looked at any more. */
export function release(chunk: Buffer): void {
  Slab.of(chunk)?.release();
}

/** Two neighbours as one chunk with one hold; null: they are none. */
export function merged(first: Buffer, second: Buffer): Buffer | null {
  if (first.byteOffset + first.length !== second.byteOffset || first.buffer !== second.buffer) return null;
  const slab = Slab.of(first);
  if (slab === undefined) return null;
  slab.release();
  return slab.memory.subarray(first.byteOffset, second.byteOffset + second.length);
}
