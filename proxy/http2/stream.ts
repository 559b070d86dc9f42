// One stream, both ways: what waits to be sent until windows and socket allow it, and what was received and
// waits for a reader that paused. Roles add what a message is.
import type { MeshError } from '../../core/kit/error.ts';
import type { HeaderList } from '../kit/header-list.ts';
import { release } from '../kit/slab.ts';

/** What a stream needs of its connection. */
export interface StreamHost {
  /** Queues what a stream holds to be sent; it goes out in turn with the others. */
  push(stream: Http2Stream): void;
  /** Sends all of it now, where nothing is in the way. False: it has to be queued. */
  pushNow(stream: Http2Stream, chunk: Buffer, end: boolean): boolean;
  /** Bytes of DATA were taken by their reader, or by nobody: the peer may send more. */
  credit(stream: Http2Stream | null, bytes: number): void;
  /** Ends the stream by RST_STREAM; its handler is not told. */
  reset(stream: Http2Stream, code: number): void;
  /** Both sides have ended. */
  finished(stream: Http2Stream): void;
}

export abstract class Http2Stream {
  readonly id: number;
  /** Bytes that may be sent, by the peer's leave; below 0 after it took some back. */
  sendWindow: number;
  /** Bytes that the peer may still send. */
  receiveWindow: number;
  /** Bytes that it may send ahead of the reader. */
  window: number;
  /** Bytes that were taken and not yet told to the peer. */
  untold = 0;
  /** END_STREAM went out; came in. */
  sent = false;
  received = false;
  /** Neither side sends any more, or it was reset. */
  closed = false;
  /** What still comes is thrown away, and the peer is not asked for more. */
  unwanted = false;
  /** Waits in its turn with others. */
  queued = false;
  /** What waits to be sent, the first from `outAt` on. */
  readonly out: Buffer[] = [];
  outAt = 0;
  outBytes = 0;
  /** The body to be sent is complete with what waits. */
  outEnds = false;
  outTrailers: HeaderList | null = null;

  protected readonly host: StreamHost;
  /** Bytes of body that the head declared and that have not come yet; -1: it declared none. */
  protected expected = -1;
  #in: Buffer[] = [];
  #inEnded = false;
  #inTrailers: HeaderList | null = null;
  #paused = false;
  /** It paused since the window was last looked at. */
  #stalled = false;
  #awaited = false;

  constructor(id: number, host: StreamHost, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.host = host;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.window = receiveWindow;
  }

  protected abstract takeData(chunk: Buffer): void;
  protected abstract takeEnd(trailers: HeaderList | null): void;
  protected abstract takeDrain(): void;
  /** The last call there is; the stream is closed already. */
  abstract fail(error: MeshError): void;
  /** The peer broke the rules of this stream, which is about to be reset with `code`. */
  abstract violated(detail: string): void;

  pause(): void {
    this.#paused = true;
    this.#stalled = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    while (this.#in.length > 0 && !this.#paused) this.#give(this.#in.shift() as Buffer);
    this.#giveEnd();
  }

  /** From the connection. False: more body than was declared. */
  receive(chunk: Buffer): boolean {
    if (this.expected >= 0) {
      this.expected -= chunk.length;
      if (this.expected < 0) return false;
    }
    if (this.#paused || this.#in.length > 0) this.#in.push(compact(chunk));
    else this.#give(chunk);
    return true;
  }

  /** From the connection. False: less body than was declared. */
  receiveEnd(trailers: HeaderList | null): boolean {
    if (this.expected > 0) return false;
    this.received = true;
    this.#inEnded = true;
    this.#inTrailers = trailers;
    if (this.sent) this.close();
    this.#giveEnd();
    return true;
  }

  /** Bytes by which the window grows: twice what it was, while the reader keeps up. */
  grow(largest: number): number {
    const more = this.#stalled ? 0 : Math.min(this.window, Math.max(largest - this.window, 0));
    this.#stalled = false;
    this.window += more;
    return more;
  }

  /** Everything that waited went out. */
  drained(): void {
    if (!this.#awaited) return;
    this.#awaited = false;
    this.takeDrain();
  }

  /** END_STREAM went out. */
  markSent(): void {
    this.sent = true;
    if (this.received) this.close();
  }

  /** Both sides ended in order: what was received may still wait for its reader. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.host.finished(this);
  }

  /** The peer wants no more; what it sent itself is whole. */
  stopSending(): void {
    this.out.length = 0;
    this.outBytes = 0;
    this.outEnds = true;
    this.sent = true;
    this.close();
  }

  /** Ends it by RST_STREAM; the handler is not told. */
  reset(code: number): void {
    if (!this.closed) this.host.reset(this, code);
  }

  /** Lets go of everything, in either direction. */
  abandon(): void {
    this.closed = true;
    this.sent = true;
    this.received = true;
    this.#inEnded = false;
    this.out.length = 0;
    this.outBytes = 0;
    let bytes = 0;
    for (const chunk of this.#in) bytes += chunk.length;
    this.#in = [];
    if (bytes > 0) this.host.credit(null, bytes);
  }

  /** False: stop until `takeDrain`. */
  push(chunk: Buffer, end: boolean): boolean {
    if (this.outBytes === 0 && this.host.pushNow(this, chunk, end)) return true;
    this.out.push(chunk);
    this.outBytes += chunk.length;
    if (end) this.outEnds = true;
    this.host.push(this);
    if (this.outBytes === 0) return true;
    this.#awaited = true;
    return false;
  }

  /** The body is complete with what waits. */
  pushEnd(trailers: HeaderList | null): void {
    if (this.outEnds) return;
    this.outEnds = true;
    this.outTrailers = trailers === null || trailers.count === 0 ? null : trailers;
    this.host.push(this);
  }

  #give(chunk: Buffer): void {
    this.takeData(chunk);
    this.host.credit(this, chunk.length);
  }

  #giveEnd(): void {
    if (!this.#inEnded || this.#in.length > 0 || this.#paused) return;
    this.#inEnded = false;
    const trailers = this.#inTrailers;
    this.#inTrailers = null;
    this.takeEnd(trailers);
  }
}

/** A small view would keep all of the read that it was cut from. */
function compact(chunk: Buffer): Buffer {
  if (chunk.length * 4 >= chunk.buffer.byteLength) return chunk;
  const copy = Buffer.from(chunk);
  release(chunk);
  return copy;
}
