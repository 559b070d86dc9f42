// How bytes of TCP cross the mesh, inside of mutual TLS with the ALPN `weft-tcp` (docs/tcp.md). The caller's proxy begins with
// a PROXY header of version 2 that says whose connection it is; the callee's answers with a status once its app took the
// connection or did not; then both send frames: a length of four bytes, big-endian, and so many bytes. Length 0 is the end of
// that direction. A connection that closes without it was cut, which TLS as Node has it does not tell from an end.

/** Status codes of the callee's proxy. */
export const STATUS = {
  connected: 0,
  /** The app did not take the connection: another instance may. */
  unreachable: 1,
  denied: 2,
  /** It is starting or leaving: another instance may. */
  unavailable: 3,
  /** No port of that name speaks TCP here. */
  noRoute: 4,
} as const;

export type Status = (typeof STATUS)[keyof typeof STATUS];

const LENGTH_BYTES = 4;
/** Of one frame; writers send what they read, which is far less. */
const LONGEST = 0xff_ff_ff;

export interface FrameHandler {
  onStatus(status: number): void;
  onData(chunk: Buffer): void;
  onEnd(): void;
  /** It breaks the rules; the last call there is. */
  onInvalid(reason: string): void;
}

/** Takes frames apart, for every split of the input. Payload is handed on as it comes, never kept. */
export class FrameReader {
  readonly #handler: FrameHandler;
  #wantsStatus: boolean;
  /** Bytes of the length that have come, and their value. */
  #lengthBytes = 0;
  #length = 0;
  /** Of the payload. */
  #left = 0;
  #ended = false;

  /** `wantsStatus`: the first four bytes are one. */
  constructor(handler: FrameHandler, wantsStatus: boolean) {
    this.#handler = handler;
    this.#wantsStatus = wantsStatus;
  }

  get ended(): boolean {
    return this.#ended;
  }

  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#ended) return this.#handler.onInvalid('bytes after the end');
      if (this.#left > 0) {
        const end = Math.min(chunk.length, at + this.#left);
        this.#left -= end - at;
        this.#handler.onData(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
        at = end;
        continue;
      }
      this.#length = this.#length * 256 + (chunk[at] as number);
      at += 1;
      this.#lengthBytes += 1;
      if (this.#lengthBytes === LENGTH_BYTES && !this.#begin()) return;
    }
  }

  /** False: nothing more is read. */
  #begin(): boolean {
    const length = this.#length;
    this.#lengthBytes = 0;
    this.#length = 0;
    if (this.#wantsStatus) {
      this.#wantsStatus = false;
      this.#handler.onStatus(length);
      return true;
    }
    if (length > LONGEST) {
      this.#handler.onInvalid('a frame is too long');
      return false;
    }
    this.#left = length;
    if (length === 0) {
      this.#ended = true;
      this.#handler.onEnd();
    }
    return true;
  }
}

/** The four bytes before a frame, or a status. */
export function lengthBytes(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES);
  bytes.writeUInt32BE(length);
  return bytes;
}
