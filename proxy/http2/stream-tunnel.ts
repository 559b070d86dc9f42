// A stream that became a tunnel by extended CONNECT (RFC 8441): DATA is its bytes, END_STREAM its end, RST_STREAM its
// break. It takes the place of the exchange as the stream's handler, in either role.
import type { DownstreamHandler, UpstreamHandler } from '../exchange.ts';
import type { Tunnel, TunnelHandler } from '../kit/tunnel.ts';
import { CANCEL, NO_ERROR } from './frames.ts';
import type { Http2Stream } from './stream.ts';

export class StreamTunnel implements Tunnel, DownstreamHandler, UpstreamHandler {
  readonly #stream: Http2Stream;
  #handler: TunnelHandler | null = null;
  /** The peer's end was passed on. */
  #heardEnd = false;
  #ending = false;
  #closing = false;
  #done = false;
  #broken = false;
  #told = false;

  /** `stream` is paused. */
  constructor(stream: Http2Stream) {
    this.#stream = stream;
  }

  start(handler: TunnelHandler): void {
    this.#handler = handler;
    if (this.#done) process.nextTick(tellLater, this);
    else this.#stream.resume();
  }

  write(chunk: Buffer): boolean {
    if (this.#ending || this.#done || chunk.length === 0) return true;
    return this.#stream.push(chunk, false);
  }

  end(): void {
    if (this.#ending || this.#done) return;
    this.#ending = true;
    this.#stream.pushEnd(null);
  }

  close(): void {
    this.#closing = true;
    this.end();
    if (this.#stream.sent) this.sent();
  }

  destroy(): void {
    if (this.#done) return;
    this.#stream.reset(CANCEL);
    this.#finish(true);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** From the stream: our end went out. */
  sent(): void {
    if (this.#done || (!this.#closing && !this.#heardEnd)) return;
    // What the peer still sends is of no use (RFC 9113 §8.1).
    if (!this.#stream.received) this.#stream.reset(NO_ERROR);
    this.#finish(false);
  }

  onData(chunk: Buffer): void {
    this.#handler?.onData(chunk);
  }

  onEnd(): void {
    this.#heardEnd = true;
    this.#handler?.onEnd();
    if (this.#stream.sent) this.sent();
  }

  onDrain(): void {
    this.#handler?.onDrain();
  }

  /** The stream was reset, or its connection is gone. */
  onAbort(): void {
    this.#finish(true);
  }

  onError(): void {
    this.#finish(true);
  }

  onInformational(): void {}
  onHead(): void {}
  onUpgrade(): void {}

  #finish(broken: boolean): void {
    if (this.#done) return;
    this.#done = true;
    this.#broken = broken;
    // Its owner may be in the middle of a call.
    process.nextTick(tellLater, this);
  }

  /** Only for what `#finish` and `start` asked for. */
  tell(): void {
    if (this.#handler === null || this.#told) return;
    this.#told = true;
    this.#handler.onClose(this.#broken);
  }
}

function tellLater(tunnel: StreamTunnel): void {
  tunnel.tell();
}
