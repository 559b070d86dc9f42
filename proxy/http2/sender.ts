// Who sends next: streams with something to send take turns, a frame each, within the windows of stream and
// connection and while the socket keeps up. So a big body never holds up a small one (RFC 9113 §5.2).
import type { HeaderList } from '../kit/header-list.ts';
import { hold } from '../kit/slab.ts';
import { DEFAULT_WINDOW, MAX_WINDOW } from './frames.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { PeerSettings } from './settings.ts';
import type { Http2Stream } from './stream.ts';

export interface SenderHost {
  /** False: the socket is behind. */
  writable(): boolean;
  writeTrailers(stream: Http2Stream, trailers: HeaderList): void;
  /** Bytes of DATA went out in one frame; `cut`: more would have, had the peer's windows allowed it. */
  sentData(bytes: number, cut: boolean): void;
}

export class Sender {
  /** Bytes that may be sent on all streams together. */
  window = DEFAULT_WINDOW;

  readonly #host: SenderHost;
  readonly #writer: FrameWriter;
  readonly #peer: PeerSettings;
  /** Of the largest payload that is sent, whatever the peer takes. */
  readonly #frameBytes: number;
  #turns: Http2Stream[] = [];
  #pumping = false;

  constructor(host: SenderHost, writer: FrameWriter, peer: PeerSettings, frameBytes: number) {
    this.#host = host;
    this.#peer = peer;
    this.#frameBytes = frameBytes;
    this.#writer = writer;
  }

  /** Sends what the stream holds if nobody waits, else in its turn. */
  push(stream: Http2Stream): void {
    if (stream.queued) return;
    stream.queued = true;
    this.#turns.push(stream);
    // Alone, or with nothing but an end, it need not wait.
    if (!this.#pumping) this.pump();
  }

  /** One frame, where nobody waits and it fits: most bodies are. False: nothing was done. */
  pushNow(stream: Http2Stream, chunk: Buffer, end: boolean): boolean {
    const { length } = chunk;
    if (this.#pumping || this.#turns.length > 0 || stream.queued) return false;
    if (length > this.#frameBytes || length > this.#peer.frameBytes) return false;
    if (length > this.window || length > stream.sendWindow || !this.#host.writable()) return false;
    this.#writer.data(stream.id, chunk, 0, length, end);
    this.window -= length;
    stream.sendWindow -= length;
    this.#host.sentData(length, false);
    if (!end) return true;
    stream.outEnds = true;
    stream.markSent();
    return true;
  }

  /** False: the window would be larger than one may be. */
  grant(stream: Http2Stream | null, bytes: number): boolean {
    if (stream === null) {
      this.window += bytes;
      if (this.window > MAX_WINDOW) return false;
    } else {
      stream.sendWindow += bytes;
      if (stream.sendWindow > MAX_WINDOW) return false;
      if (stream.outBytes > 0) this.push(stream);
    }
    return true;
  }

  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let blocked = 0;
    while (this.#turns.length > blocked) {
      const stream = this.#turns.shift() as Http2Stream;
      if (stream.closed) {
        stream.queued = false;
      } else if (stream.outBytes > 0 && (this.window <= 0 || !this.#host.writable())) {
        // In the same order when it goes on; streams that only end are let past.
        this.#turns.push(stream);
        blocked += 1;
      } else {
        stream.queued = false;
        this.#sendFrom(stream);
      }
    }
    this.#pumping = false;
  }

  clear(): void {
    this.#turns = [];
  }

  #sendFrom(stream: Http2Stream): void {
    if (stream.outBytes > 0) {
      // Its own window is closed: it comes again with WINDOW_UPDATE.
      if (stream.sendWindow <= 0) return;
      this.#sendFrame(stream);
      if (stream.outBytes > 0) {
        stream.queued = true;
        this.#turns.push(stream);
        return;
      }
    }
    if (stream.outEnds && !stream.sent) {
      const trailers = stream.outTrailers;
      if (trailers === null) this.#writer.data(stream.id, EMPTY, 0, 0, true);
      else this.#host.writeTrailers(stream, trailers);
      stream.markSent();
    }
    stream.drained();
  }

  #sendFrame(stream: Http2Stream): void {
    const chunk = stream.out[0] as Buffer;
    const wanted = Math.min(this.#frameBytes, this.#peer.frameBytes, chunk.length - stream.outAt);
    const length = Math.min(wanted, this.window, stream.sendWindow);
    const end = stream.outAt + length;
    stream.outBytes -= length;
    const last = stream.outBytes === 0 && stream.outEnds && stream.outTrailers === null;
    // The writer lets go of what it was given.
    if (end < chunk.length) hold(chunk);
    this.#writer.data(stream.id, chunk, stream.outAt, end, last);
    this.window -= length;
    stream.sendWindow -= length;
    if (end === chunk.length) {
      stream.out.shift();
      stream.outAt = 0;
    } else {
      stream.outAt = end;
    }
    this.#host.sentData(length, length < wanted);
    if (last) stream.markSent();
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
