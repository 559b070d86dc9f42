// The little of HTTP/2 framing that a load generator and an upstream need when they know beforehand what is said
// (RFC 9113 §4): frames found in what a socket delivers, and frames to send.

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const DATA = 0;
export const HEADERS = 1;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PING = 6;
export const GOAWAY = 7;
const WINDOW_UPDATE = 8;

export const END_STREAM = 1;
export const ACK = 1;
export const END_HEADERS = 4;
export const PADDED = 8;
export const PRIORITY = 32;

export const HEAD_LENGTH = 9;
const HEADER_TABLE_SIZE = 1;
const ENABLE_PUSH = 2;
const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;

/** Of every stream and of the connection, so that flow control never waits for a small message. */
const WINDOW = 16 * 1024 * 1024;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Finds the frames in a stream of chunks, however they are cut. */
export class FrameReader {
  #rest: Buffer | null = null;
  readonly #onFrame: (frame: Frame) => void;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  read(received: Buffer): void {
    const chunk = this.#rest === null ? received : Buffer.concat([this.#rest, received]);
    let at = 0;
    while (chunk.length - at >= HEAD_LENGTH) {
      const end = at + HEAD_LENGTH + chunk.readUIntBE(at, 3);
      if (end > chunk.length) break;
      const [type, flags] = [chunk[at + 3] as number, chunk[at + 4] as number];
      const payload = chunk.subarray(at + HEAD_LENGTH, end);
      this.#onFrame({ type, flags, stream: chunk.readUInt32BE(at + 5), payload });
      at = end;
    }
    this.#rest = at === chunk.length ? null : chunk.subarray(at);
  }
}

export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_LENGTH);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** What either side says first: no push, many streams, large windows. */
export function opening(): Buffer {
  const settings = Buffer.concat([
    setting(ENABLE_PUSH, 0),
    setting(MAX_CONCURRENT_STREAMS, 1_000),
    setting(INITIAL_WINDOW_SIZE, WINDOW),
  ]);
  return Buffer.concat([frame(SETTINGS, 0, 0, settings), windowUpdate(WINDOW)]);
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** Whether the sender of these settings keeps a table of our header fields. */
export function keepsTable(settings: Buffer): boolean {
  for (let at = 0; at + 6 <= settings.length; at += 6) {
    if (settings.readUInt16BE(at) === HEADER_TABLE_SIZE) return settings.readUInt32BE(at + 2) >= 4_096;
  }
  return true;
}

/** Of the connection, not of a stream. */
export function windowUpdate(size: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(size);
  return frame(WINDOW_UPDATE, 0, 0, payload);
}
