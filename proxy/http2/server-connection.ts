// One downstream HTTP/2 connection: opens a stream for every request, answers or resets what is refused, and
// drains in two steps so that no request is lost on the way (RFC 9113 §6.8).
import type { Socket } from 'node:net';
import { MeshError } from '../../core/kit/error.ts';
import type { ConnectionInfo, RefusalListener, RequestListener } from '../exchange.ts';
import type { HeaderList } from '../kit/header-list.ts';
import { WheelTimer } from '../kit/timer-wheel.ts';
import { Http2Connection } from './connection.ts';
import { MAX_STREAM_ID, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED } from './frames.ts';
import { NOBODY, ServerStream, type ServerStreamHost } from './server-stream.ts';
import { type Http2Options, unwritable } from './session.ts';
import type { Http2Stream } from './stream.ts';

export interface Http2ServerOptions extends Http2Options {
  readonly onRequest: RequestListener;
  readonly onRefused: RefusalListener;
  /** Called once, when the connection is gone. */
  readonly onClose: () => void;
  /** 16 random bytes in base64: a `Sec-WebSocket-Key` (RFC 6455 §4.1) for a client that needs none itself. */
  readonly webSocketKey: () => string;
}

export class Http2ServerConnection extends Http2Connection implements ServerStreamHost {
  readonly info: ConnectionInfo;

  readonly #options: Http2ServerOptions;
  /** Last stream that was opened. */
  #last = 0;
  /** By the last GOAWAY of a drain. */
  #named = 0;
  /** `asked`: told to open no more streams. `last`: those that it opened before are the last ones. */
  #drain: 'no' | 'asked' | 'last' = 'no';

  constructor(socket: Socket, info: ConnectionInfo, options: Http2ServerOptions) {
    super(socket, false, options);
    this.info = info;
    this.#options = options;
  }

  /** Lets the streams end that are open or on their way, then closes. */
  drain(): void {
    if (this.state !== 'open' || this.#drain !== 'no') return;
    this.#drain = 'asked';
    this.writer.goAway(MAX_STREAM_ID, NO_ERROR);
    // Its answer comes after every stream that was opened before the client knew.
    this.ping();
    this.flush();
  }

  /** Cuts the connection; open streams are aborted. */
  destroy(): void {
    this.lose('the connection was shut down');
  }

  /**
   * The rest of a request that was answered is of no use (RFC 9113 §8.1). But clients that meet the reset together with
   * the answer, in the middle of an upload, may throw the answer away (curl 7.88): most stop by themselves.
   */
  linger(stream: ServerStream): void {
    this.timers.schedule(new WheelTimer(() => this.reset(stream, NO_ERROR)), this.limits.closeDelayMs);
  }

  writeHead(stream: ServerStream, status: number, headers: HeaderList, contentLength: number, end: boolean): string {
    const { encoder } = this;
    const { fields } = headers;
    encoder.begin();
    try {
      encoder.add(':status', String(status));
      for (let i = 0; i < fields.length; i += 2) encoder.add(fields[i] as string, fields[i + 1] as string);
      if (contentLength >= 0) encoder.addLength(contentLength);
    } catch (error) {
      return unwritable(error);
    }
    const length = encoder.finish();
    this.writer.headers(stream.id, encoder.block, length, end);
    this.flushSoon();
    return '';
  }

  protected onBlock(id: number, endStream: boolean, tooLarge: boolean): void {
    if (id % 2 === 0) return this.fail(PROTOCOL_ERROR, 'a stream with an even number');
    const open = this.streams.get(id);
    if (open !== undefined) return this.#onTrailers(open, endStream, tooLarge);
    if (id <= this.#last) return this.onHeadersOfClosed(id);
    this.#last = id;
    // After the last GOAWAY the client could know that it is not processed.
    if (this.#drain === 'last') return this.resetId(id, REFUSED_STREAM);
    if (this.streams.size >= this.limits.streams) {
      this.resetId(id, REFUSED_STREAM);
      this.countReset();
      return;
    }
    const head = this.message.request(this.info.scheme, endStream, tooLarge);
    if (head === null) return this.#refuse(id, endStream);
    const key = head.upgrade === '' ? '' : this.#options.webSocketKey();
    if (key !== '') head.headers.set('sec-websocket-key', key);
    const stream = this.#open(id, head, key);
    if (endStream) stream.receiveEnd(null);
    const handler = this.#options.onRequest(stream, head);
    // It may have answered, or cut the stream, already.
    if (stream.sent || stream.closed) return;
    stream.handler = handler;
    if (endStream || key !== '') handler.onEnd(null);
  }

  protected onReset(stream: Http2Stream): void {
    // Whatever was done for it was in vain, however far it had come; but for an answer that is out.
    if (!stream.unwanted) this.countReset();
    stream.fail(gone('the client reset the stream'));
  }

  /** A client has nothing to say about streams that it opened itself. */
  protected onGoAway(): void {}

  protected onPong(): void {
    if (this.#drain !== 'asked') return;
    this.#drain = 'last';
    this.#named = this.#last;
    this.writer.goAway(this.#named, NO_ERROR);
    this.flushSoon();
    if (this.streams.size === 0) this.onQuiet();
  }

  /** A client that does not answer the PING of a drain has had its time. */
  protected override overdue(): boolean {
    if (super.overdue()) return true;
    if (this.#drain === 'asked') this.onPong();
    return this.state !== 'open';
  }

  protected onSettings(): void {}

  protected onQuiet(): void {
    if (this.#drain === 'last') process.nextTick(endQuietly, this);
  }

  /** Every stream of a draining connection has ended. */
  end(): void {
    if (this.streams.size === 0) this.fail(NO_ERROR, 'draining');
  }

  protected onIdle(): void {
    this.drain();
  }

  protected onEnded(_code: number, detail: string): void {
    for (const stream of this.streams.all()) {
      this.streams.delete(stream.id);
      stream.abandon();
      stream.fail(gone(detail));
    }
  }

  protected onSocketClosed(): void {
    this.#options.onClose();
  }

  protected isUnused(id: number): boolean {
    return id % 2 === 0 || id > this.#last;
  }

  protected lastTaken(): number {
    // What was named once must not grow (RFC 9113 §6.8).
    return this.#drain === 'last' ? this.#named : this.#last;
  }

  #open(id: number, head: { readonly method: string; readonly bodyLength: number }, key: string): ServerStream {
    const windows = { send: this.peer.windowBytes, receive: this.limits.streamWindow };
    const stream = new ServerStream(this, id, windows, head, key);
    this.opened(stream);
    return stream;
  }

  #onTrailers(stream: Http2Stream, endStream: boolean, tooLarge: boolean): void {
    if (stream.received) return this.streamError(stream, STREAM_CLOSED, 'HEADERS after the end');
    if (!endStream) return this.streamError(stream, PROTOCOL_ERROR, 'trailers without an end');
    const trailers = this.message.trailers(tooLarge);
    if (trailers === null) return this.streamError(stream, PROTOCOL_ERROR, this.message.detail);
    if (!stream.receiveEnd(trailers.count === 0 ? null : trailers))
      this.streamError(stream, PROTOCOL_ERROR, 'less body than declared');
  }

  /** A head that is no HTTP is reset, one that is too much is answered; both are counted and logged. */
  #refuse(id: number, endStream: boolean): void {
    const { code, detail, malformed } = this.message;
    const error = new MeshError(code, { origin: 'downstream', detail });
    const stream = this.#open(id, { method: '', bodyLength: -1 }, '');
    if (endStream) stream.receiveEnd(null);
    if (malformed) this.reset(stream, PROTOCOL_ERROR);
    this.#options.onRefused(stream, error);
    stream.handler = NOBODY;
    this.countReset();
  }
}

function gone(detail: string): MeshError {
  return new MeshError('downstream-closed', { origin: 'downstream', detail });
}

function endQuietly(connection: Http2ServerConnection): void {
  connection.end();
}
