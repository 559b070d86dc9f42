// One upstream HTTP/2 connection: carries many requests at once. What the server did not take (GOAWAY,
// REFUSED_STREAM) fails as unprocessed, so that it may be tried elsewhere (RFC 9113 §8.7).
import type { Socket } from 'node:net';
import { MeshError } from '../../core/kit/error.ts';
import type { RequestHead, Upstream, UpstreamHandler } from '../exchange.ts';
import { ClientStream, upstreamError } from './client-stream.ts';
import { Http2Connection } from './connection.ts';
import { ENHANCE_YOUR_CALM, MAX_STREAM_ID, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, STREAM_CLOSED } from './frames.ts';
import { type Http2Options, unwritable } from './session.ts';
import type { Http2Stream } from './stream.ts';
import { WaitingUpgrade } from './waiting-upgrade.ts';
import { WEBSOCKET } from './web-socket.ts';

export interface Http2ClientOptions extends Http2Options {
  /** `capacity` may have grown: a request is over (called before its last call), or the server allows more. */
  readonly onIdle: (connection: Http2ClientConnection) => void;
  /** Called once, when the connection is gone or takes no more requests. */
  readonly onClose: (connection: Http2ClientConnection) => void;
}

export class Http2ClientConnection extends Http2Connection {
  /** Carries more than one request at a time. */
  readonly multiplexed = true;

  readonly #options: Http2ClientOptions;
  #next = 1;
  #draining = false;
  #told = false;
  #started = false;
  /** The server's settings came. */
  #known = false;
  #waiting: WaitingUpgrade[] = [];

  /** `socket` is connected (and its TLS handshake done) already. */
  constructor(socket: Socket, options: Http2ClientOptions) {
    super(socket, true, options);
    this.#options = options;
  }

  /** Requests that it takes beside those that it has. */
  get capacity(): number {
    if (this.state !== 'open' || this.#draining || !this.#started || !this.socket.writable) return 0;
    return Math.max(0, Math.min(this.peer.streams, this.limits.streams) - this.streams.size);
  }

  get usable(): boolean {
    return this.capacity > 0;
  }

  override start(): void {
    this.#started = true;
    super.start();
  }

  /** On a connection without room the handler gets `upstream-closed`, unprocessed, on the next tick. */
  request(head: RequestHead, handler: UpstreamHandler): Upstream {
    // Only its settings say whether it takes WebSockets.
    if (head.upgrade !== '' && !this.#known && this.usable) return this.#wait(head, handler);
    const fault = this.usable ? this.#encode(head) : upstreamError('upstream-closed', 'not usable', true);
    const id = fault === null ? this.#next : 0;
    const windows = { send: this.peer.windowBytes, receive: this.limits.streamWindow };
    const stream = new ClientStream(this, id, windows, head, handler, this.writer.flushes);
    if (fault !== null) {
      stream.abandon();
      process.nextTick(() => stream.fail(fault));
      return stream;
    }
    this.#next += 2;
    this.opened(stream);
    const length = this.encoder.finish();
    this.writer.headers(id, this.encoder.block, length, head.bodyLength === 0 && head.upgrade === '');
    this.flushSoon();
    if (this.#next > MAX_STREAM_ID) this.drain();
    return stream;
  }

  /** Takes no more requests, and closes when the last one is over. */
  drain(): void {
    this.#draining = true;
    this.#tell();
    if (this.streams.size === 0) this.fail(NO_ERROR, 'draining');
  }

  /** Closes now; requests in hand get `upstream-reset` or `upstream-closed`. */
  close(): void {
    if (this.streams.size > 0) return this.lose('the connection was shut down');
    this.fail(NO_ERROR, 'the connection was shut down');
    this.socket.destroySoon();
  }

  protected onBlock(id: number, endStream: boolean, tooLarge: boolean): void {
    const stream = this.streams.get(id) as ClientStream | undefined;
    if (stream === undefined) return this.onHeadersOfClosed(id);
    if (stream.received) return this.streamError(stream, STREAM_CLOSED, 'HEADERS after the end');
    if (stream.answered) return this.#onTrailers(stream, endStream, tooLarge);
    const head = this.message.response(stream.method, endStream, tooLarge);
    if (head === null) return this.streamError(stream, PROTOCOL_ERROR, this.message.detail);
    if (head.status < 200) {
      if (!this.guard.noise()) return this.fail(ENHANCE_YOUR_CALM, 'too many informational answers');
      return stream.informational(head.status, head.headers);
    }
    stream.head(head);
    if (endStream && !stream.closed) stream.receiveEnd(null);
  }

  protected onReset(stream: Http2Stream, code: number): void {
    (stream as ClientStream).lost(`the upstream reset the stream (${code})`, code === REFUSED_STREAM);
  }

  protected onGoAway(lastStream: number, code: number): void {
    this.#draining = true;
    this.#tell();
    for (const stream of this.streams.all() as ClientStream[]) {
      if (stream.id <= lastStream) continue;
      this.streams.delete(stream.id);
      stream.abandon();
      this.#options.onIdle(this);
      stream.lost(`the upstream went away (${code})`, true);
    }
    if (this.streams.size === 0) this.onQuiet();
  }

  protected onPong(): void {}

  protected onSettings(): void {
    this.#known = true;
    for (const waiting of this.#waiting.splice(0)) waiting.begin(this);
    this.#options.onIdle(this);
  }

  protected override onStreamGone(): void {
    this.#options.onIdle(this);
  }

  protected onQuiet(): void {
    if (this.#draining) process.nextTick(endQuietly, this);
  }

  /** Every request of a draining connection is over. */
  end(): void {
    if (this.streams.size === 0) this.fail(NO_ERROR, 'draining');
  }

  protected onIdle(): void {
    this.drain();
  }

  protected onEnded(code: number, detail: string): void {
    this.#tell();
    const { flushes } = this.writer;
    for (const waiting of this.#waiting.splice(0)) waiting.fail(upstreamError('upstream-closed', detail, true));
    for (const stream of this.streams.all() as ClientStream[]) {
      this.streams.delete(stream.id);
      stream.abandon();
      this.#options.onIdle(this);
      const untouched = stream.writtenAt === flushes;
      // A code of ours says that the server broke the rules.
      if (code > NO_ERROR && !untouched) stream.violated(detail);
      else stream.lost(detail, untouched);
    }
  }

  protected onSocketClosed(): void {}

  protected isUnused(id: number): boolean {
    return id % 2 === 0 || id >= this.#next;
  }

  protected lastTaken(): number {
    return 0;
  }

  #onTrailers(stream: ClientStream, endStream: boolean, tooLarge: boolean): void {
    if (!endStream) return this.streamError(stream, PROTOCOL_ERROR, 'trailers without an end');
    const trailers = this.message.trailers(tooLarge);
    if (trailers === null) return this.streamError(stream, PROTOCOL_ERROR, this.message.detail);
    if (!stream.receiveEnd(trailers.count === 0 ? null : trailers))
      this.streamError(stream, PROTOCOL_ERROR, 'less body than declared');
  }

  #wait(head: RequestHead, handler: UpstreamHandler): Upstream {
    const waiting = new WaitingUpgrade(head, handler);
    this.#waiting.push(waiting);
    return waiting;
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#options.onClose(this);
  }

  /** Into the encoder; what is wrong with the head, or null. */
  #encode(head: RequestHead): MeshError | null {
    const { encoder } = this;
    const { fields } = head.headers;
    const upgrade = head.upgrade !== '';
    if (upgrade && (head.upgrade !== WEBSOCKET || !this.peer.connectProtocol)) {
      const detail = `it takes no ${head.upgrade} over HTTP/2 (RFC 8441)`;
      return upstreamError('upstream-protocol', detail, false);
    }
    encoder.begin();
    try {
      encoder.add(':method', upgrade ? 'CONNECT' : head.method);
      if (upgrade) encoder.add(':protocol', WEBSOCKET);
      encoder.add(':scheme', head.scheme);
      encoder.add(':authority', head.authority);
      encoder.add(':path', head.target);
      for (let i = 0; i < fields.length; i += 2) {
        const name = fields[i] as string;
        if (!upgrade || name.toLowerCase() !== 'sec-websocket-key') encoder.add(name, fields[i + 1] as string);
      }
      if (head.expectContinue) encoder.add('expect', '100-continue');
      if (head.bodyLength > 0 || (head.bodyLength === 0 && anticipatesBody(head.method)))
        encoder.addLength(head.bodyLength);
      return null;
    } catch (error) {
      return new MeshError('internal', { detail: unwritable(error) });
    }
  }
}

/** RFC 9110 §8.6: methods that anticipate a body say that there is none. */
function anticipatesBody(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

function endQuietly(connection: Http2ClientConnection): void {
  connection.end();
}
