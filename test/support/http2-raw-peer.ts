// A client that sends frames by hand over a real socket, and reads what comes back as frames.
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import * as wire from '../../proxy/http2/frames.ts';
import { readFrames, type SeenFrame, SETTINGS_ACK, settings } from '../unit/proxy/http2/frame-bytes.ts';
import { eventually } from './eventually.ts';

export interface RawHttp2Peer {
  readonly socket: Socket;
  send(...frames: readonly Buffer[]): void;
  /** Whole frames that came so far. */
  frames(): readonly SeenFrame[];
  /** Code of the GOAWAY, once it has come. */
  goAway(): Promise<number>;
  /** Code of the RST_STREAM of this stream, once it has come. */
  reset(stream: number): Promise<number>;
}

/** Connected, with preface and settings exchanged. */
export async function connectRawHttp2(
  test: TestContext,
  port: number,
  ...pairs: readonly (readonly [number, number])[]
): Promise<RawHttp2Peer> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  test.after(() => socket.destroy());
  await new Promise<void>((done) => socket.once('connect', () => done()));
  socket.write(Buffer.concat([wire.PREFACE, settings(...pairs), SETTINGS_ACK]));
  const frames = (): readonly SeenFrame[] => {
    const bytes = Buffer.concat(chunks);
    chunks.splice(0, chunks.length, bytes);
    return readFrames(wholeFrames(bytes));
  };
  const find = async (wanted: (frame: SeenFrame) => boolean, at: number): Promise<number> => {
    let code = -1;
    await eventually(() => {
      code = frames().find(wanted)?.payload.readUInt32BE(at) ?? -1;
      return code >= 0;
    });
    return code;
  };
  return {
    socket,
    send: (...sent) => void socket.write(Buffer.concat(sent)),
    frames,
    goAway: () => find(({ type }) => type === wire.GOAWAY, 4),
    reset: (id) => find(({ type, stream }) => type === wire.RST_STREAM && stream === id, 0),
  };
}

/** Without the frame that is still on its way. */
function wholeFrames(bytes: Buffer): Buffer {
  let at = 0;
  while (at + 9 <= bytes.length && at + 9 + bytes.readUIntBE(at, 3) <= bytes.length) at += 9 + bytes.readUIntBE(at, 3);
  return bytes.subarray(0, at);
}
