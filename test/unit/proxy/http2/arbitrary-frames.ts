// Conversations that make no sense, but might: known frames in any order on a few streams, some bytes changed.
import * as wire from '../../../../proxy/http2/frames.ts';
import { data, frame, GET, headers, number32, POST, SETTINGS_ACK, settings } from './frame-bytes.ts';

export class FrameDice {
  readonly #random: () => number;

  /** `random`: in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** A whole number from 0 up to, and without, `limit`. */
  roll(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(...values: readonly T[]): T {
    return values[this.roll(values.length)] as T;
  }

  /** `begin`, then up to 14 frames. */
  conversation(...begin: readonly Buffer[]): Buffer {
    const frames = [...begin];
    for (let left = 1 + this.roll(14); left > 0; left--) frames.push(this.#frame());
    const bytes = Buffer.concat(frames);
    if (this.roll(2) === 0) return bytes;
    for (let changes = this.roll(3); changes > 0; changes--) bytes[this.roll(bytes.length)] = this.roll(256);
    return bytes;
  }

  /** Calls `feed` with pieces of up to 60 bytes. */
  inPieces(bytes: Buffer, feed: (piece: Buffer) => void): void {
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + this.roll(60);
      feed(bytes.subarray(at, end));
      at = end;
    }
  }

  #frame(): Buffer {
    const id = this.pick(1, 1, 1, 3, 3, 5, 7, 0, 2, 9);
    const length = ['content-length', String(this.roll(10))] as const;
    const status = [':status', this.pick('200', '204', '103', '101', 'x')] as const;
    const windows = this.pick(0, 1, 100, 65_535, 0x7fff_ffff);
    switch (this.roll(16)) {
      case 0:
        return headers(id, GET);
      case 1:
        return headers(id, POST, wire.END_HEADERS);
      case 2:
        return headers(id, [...POST, length], wire.END_HEADERS);
      case 3:
        return headers(id, POST, 0);
      case 4:
        return frame(wire.CONTINUATION, this.pick(0, wire.END_HEADERS), id, '\x00\x03x-a\x01b');
      case 5:
        return data(id, 'x'.repeat(this.roll(20)), this.roll(2) === 0);
      case 6:
        return frame(wire.DATA, wire.PADDED | this.roll(2), id, Buffer.from([this.roll(6), 1, 2, 3, 4, 5]));
      case 7:
        return frame(wire.RST_STREAM, 0, id, number32(this.roll(14)));
      case 8:
        return settings([1 + this.roll(6), windows]);
      case 9:
        return SETTINGS_ACK;
      case 10:
        return frame(wire.PING, this.roll(2), 0, '12345678');
      case 11:
        return frame(wire.WINDOW_UPDATE, 0, id, number32(windows));
      case 12:
        return frame(wire.GOAWAY, 0, 0, Buffer.concat([number32(this.roll(6)), number32(this.roll(3))]));
      case 13:
        return headers(id, [['x-sum', '1']]);
      case 14:
        return headers(id, this.roll(2) === 0 ? [status] : [status, length], wire.END_HEADERS | this.roll(2));
      default:
        return frame(this.roll(256), this.roll(256), this.roll(10), Buffer.alloc(this.roll(30), this.roll(256)));
    }
  }
}
