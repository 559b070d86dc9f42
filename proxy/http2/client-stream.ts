// One request on an upstream HTTP/2 connection: never more or less body than its head declared.
import type { ErrorCode } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { RequestHead, ResponseHead, Upstream, UpstreamHandler } from '../exchange.ts';
import type { HeaderList } from '../kit/header-list.ts';
import { CANCEL, INTERNAL_ERROR } from './frames.ts';
import { StreamTunnel } from './stream-tunnel.ts';
import { Http2Stream, type StreamHost } from './stream.ts';
import { acceptFor } from './web-socket.ts';

export class ClientStream extends Http2Stream implements Upstream {
  readonly method: string;
  /** The final head came. */
  answered = false;
  /** Anything at all came for it. */
  heard = false;
  /** Value of the writer's `flushes` when its head was written. */
  readonly writtenAt: number;

  #handler: UpstreamHandler | null;
  /** It is to become a tunnel: what proves to an HTTP/1.1 client that it has; null for other requests. */
  readonly #accept: string | null;
  #tunnel: StreamTunnel | null = null;
  #left: number;
  #ended = false;

  constructor(
    host: StreamHost,
    id: number,
    windows: { readonly send: number; readonly receive: number },
    head: RequestHead,
    handler: UpstreamHandler,
    writtenAt: number,
  ) {
    super(id, host, windows.send, windows.receive);
    this.method = head.method;
    this.writtenAt = writtenAt;
    this.#handler = handler;
    this.#left = head.bodyLength;
    this.#accept = head.upgrade === '' ? null : acceptFor(head.headers.get('sec-websocket-key') ?? '');
    if (head.bodyLength !== 0) return;
    this.#ended = true;
    if (this.#accept !== null) return;
    this.outEnds = true;
    this.sent = true;
  }

  sendData(chunk: Buffer): boolean {
    if (this.closed || this.#ended || this.outEnds || chunk.length === 0) return true;
    if (this.#left >= 0) {
      this.#left -= chunk.length;
      if (this.#left < 0) return this.#fault('more body than declared');
    }
    return this.push(chunk, this.#left === 0);
  }

  sendEnd(trailers: HeaderList | null): void {
    if (this.closed || this.#ended) return;
    if (this.#left > 0) {
      this.#fault('less body than declared');
      return;
    }
    this.#ended = true;
    this.pushEnd(trailers);
  }

  cancel(): void {
    this.#handler = null;
    if (!this.closed) this.host.reset(this, CANCEL);
  }

  informational(status: number, headers: HeaderList): void {
    this.heard = true;
    this.#handler?.onInformational(status, headers);
  }

  head(head: ResponseHead): void {
    this.heard = true;
    this.answered = true;
    if (this.#accept !== null && head.status < 300) {
      this.#become(head, this.#accept);
      return;
    }
    this.expected = head.bodyLength;
    this.#handler?.onHead(head);
    if (this.#accept !== null) this.pushEnd(null);
  }

  /** A tunnel, which is told of as HTTP/1.1 does: by 101 and the proof that its client waits for. */
  #become({ headers }: ResponseHead, accept: string): void {
    const handler = this.#handler;
    const tunnel = new StreamTunnel(this);
    headers.set('sec-websocket-accept', accept);
    this.pause();
    this.#tunnel = tunnel;
    this.#handler = tunnel;
    const reason = 'Switching Protocols';
    handler?.onUpgrade({ status: 101, reason, headers, bodyLength: 0, declaredLength: -1 }, tunnel);
  }

  override markSent(): void {
    super.markSent();
    this.#tunnel?.sent();
  }

  override stopSending(): void {
    super.stopSending();
    this.#tunnel?.sent();
  }

  protected takeData(chunk: Buffer): void {
    this.#handler?.onData(chunk);
  }

  protected takeEnd(trailers: HeaderList | null): void {
    const handler = this.#handler;
    if (this.#tunnel === null) this.#handler = null;
    handler?.onEnd(trailers);
  }

  protected takeDrain(): void {
    this.#handler?.onDrain();
  }

  fail(error: MeshError): void {
    const handler = this.#handler;
    this.#handler = null;
    handler?.onError(error);
  }

  violated(detail: string): void {
    this.fail(upstreamError('upstream-protocol', detail, false));
  }

  /** The connection is gone, or the stream was reset. `unprocessed`: provably nobody began with it. */
  lost(detail: string, unprocessed: boolean): void {
    const untouched = unprocessed && !this.heard;
    this.fail(upstreamError(this.heard ? 'upstream-reset' : 'upstream-closed', detail, untouched));
  }

  #fault(detail: string): false {
    this.host.reset(this, INTERNAL_ERROR);
    // The exchange is in the middle of a call of its own.
    process.nextTick(() => this.fail(new MeshError('internal', { detail })));
    return false;
  }
}

export function upstreamError(code: ErrorCode, detail: string, unprocessed: boolean): MeshError {
  return new MeshError(code, { origin: 'upstream', detail, unprocessed });
}
