// Frames by hand, for tests that send what no library would, and frames read back out of what was written.
import * as wire from '../../../../proxy/http2/frames.ts';

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

export function settings(...pairs: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  pairs.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return frame(wire.SETTINGS, 0, 0, payload);
}

export const SETTINGS_ACK: Buffer = frame(wire.SETTINGS, wire.ACK, 0);

/** A header block of literals that nobody indexes. */
export function block(...fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const rest = bytes.length - 127;
  return Buffer.concat([Buffer.from([127, (rest & 127) | 128, ((rest >> 7) & 127) | 128, rest >> 14]), bytes]);
}

export const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'a.test'],
];
export const POST: readonly (readonly [string, string])[] = [[':method', 'POST'], ...GET.slice(1)];

export function headers(
  stream: number,
  fields: readonly (readonly [string, string])[] = GET,
  flags: number = wire.END_STREAM | wire.END_HEADERS,
): Buffer {
  return frame(wire.HEADERS, flags, stream, block(...fields));
}

export function data(stream: number, body: Buffer | string, end = false): Buffer {
  return frame(wire.DATA, end ? wire.END_STREAM : 0, stream, body);
}

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function readFrames(bytes: Buffer): SeenFrame[] {
  const frames: SeenFrame[] = [];
  for (let at = bytes.subarray(0, 24).equals(wire.PREFACE) ? 24 : 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    frames.push({
      type: bytes[at + 3] as number,
      flags: bytes[at + 4] as number,
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

/** The error code of the last GOAWAY; null: there was none. */
export function goAwayCode(bytes: Buffer): number | null {
  const frames = readFrames(bytes).filter(({ type }) => type === wire.GOAWAY);
  return frames.at(-1)?.payload.readUInt32BE(4) ?? null;
}

/** Stream and code of every RST_STREAM. */
export function resets(bytes: Buffer): [number, number][] {
  const frames = readFrames(bytes).filter(({ type }) => type === wire.RST_STREAM);
  return frames.map(({ stream, payload }) => [stream, payload.readUInt32BE(0)]);
}
