// One answer on a downstream HTTP/2 connection: never more or less body than its head declared.
import { MeshError } from '../../core/kit/error.ts';
import type { ConnectionInfo, Downstream, DownstreamHandler, ResponseHead } from '../exchange.ts';
import type { HeaderList } from '../kit/header-list.ts';
import type { Tunnel } from '../kit/tunnel.ts';
import { INTERNAL_ERROR } from './frames.ts';
import { StreamTunnel } from './stream-tunnel.ts';
import { Http2Stream, type StreamHost } from './stream.ts';
import { acceptFor } from './web-socket.ts';

/** What an answer needs of its connection. */
export interface ServerStreamHost extends StreamHost {
  readonly info: ConnectionInfo;
  /** The answer is out, and the request is not whole: it is reset, a little later. */
  linger(stream: ServerStream): void;
  /** Writes a head; `contentLength` -1: none. What is wrong with it, '' where nothing is. */
  writeHead(stream: ServerStream, status: number, headers: HeaderList, contentLength: number, end: boolean): string;
}

/** Takes what nobody wants. */
export const NOBODY: DownstreamHandler = { onData() {}, onEnd() {}, onDrain() {}, onAbort() {} };

export class ServerStream extends Http2Stream implements Downstream {
  readonly connection: ConnectionInfo;
  /** Known only once the listener has returned it, which may be after an answer. */
  handler: DownstreamHandler = NOBODY;
  headSent = false;

  readonly #host: ServerStreamHost;
  readonly #method: string;
  /** What was asked for in the client's place; '' where it wants no WebSocket. */
  readonly #key: string;
  #tunnel: StreamTunnel | null = null;
  #ended = false;
  /** Bytes of body still to be sent; -1: as many as come; -2: none may. */
  #left = -2;

  constructor(
    host: ServerStreamHost,
    id: number,
    windows: { readonly send: number; readonly receive: number },
    head: { readonly method: string; readonly bodyLength: number },
    key: string,
  ) {
    super(id, host, windows.send, windows.receive);
    this.#host = host;
    this.connection = host.info;
    this.expected = key === '' ? head.bodyLength : -1;
    this.#method = head.method;
    this.#key = key;
    // Bytes of the tunnel wait until there is one.
    if (key !== '') this.pause();
  }

  sendInformational(status: number, headers: HeaderList): void {
    if (this.closed || this.headSent || status === 101) return;
    const fault = this.#host.writeHead(this, status, headers, -1, false);
    if (fault !== '') this.#fault(fault);
  }

  sendHead(head: ResponseHead): void {
    if (this.closed || this.headSent) return;
    const { status, bodyLength, declaredLength } = head;
    const bodiless = this.#method === 'HEAD' || status === 204 || status === 304;
    const declared = bodiless ? (status === 204 ? -1 : declaredLength) : bodyLength;
    const length = this.#method === 'HEAD' && declared < 0 && bodyLength > 0 ? bodyLength : declared;
    const end = bodiless || bodyLength === 0;
    this.headSent = true;
    const fault = this.#host.writeHead(this, status, head.headers, length, end);
    if (fault !== '') {
      this.#fault(fault);
      return;
    }
    this.#left = end ? -2 : bodyLength;
    if (!end) return;
    this.outEnds = true;
    this.markSent();
  }

  sendData(chunk: Buffer): boolean {
    if (this.closed || this.#ended || chunk.length === 0 || this.#left === -2) return true;
    if (this.#left >= 0) {
      this.#left -= chunk.length;
      if (this.#left < 0) return this.#fault('more body than declared');
    }
    return this.push(chunk, this.#left === 0);
  }

  sendEnd(trailers: HeaderList | null): void {
    if (this.closed || this.#ended) return;
    if (!this.headSent || this.#left > 0) {
      this.#fault('less body than declared');
      return;
    }
    this.#ended = true;
    this.pushEnd(trailers);
  }

  /** An answer that does not prove that somebody took up the WebSocket is a broken tunnel. */
  sendUpgrade(head: ResponseHead): Tunnel {
    if (this.#key === '' || this.headSent) throw new MeshError('internal', { detail: 'nothing to upgrade' });
    const tunnel = new StreamTunnel(this);
    const { headers } = head;
    const agreed = headers.get('sec-websocket-accept') === acceptFor(this.#key);
    headers.remove('sec-websocket-accept');
    this.headSent = true;
    this.handler = tunnel;
    this.#tunnel = tunnel;
    if (this.closed || !agreed || this.#host.writeHead(this, 200, headers, -1, false) !== '') tunnel.destroy();
    return tunnel;
  }

  override reset(code: number = INTERNAL_ERROR): void {
    if (!this.sent || this.#tunnel !== null) super.reset(code);
  }

  protected takeData(chunk: Buffer): void {
    this.handler.onData(chunk);
  }

  protected takeEnd(trailers: HeaderList | null): void {
    this.handler.onEnd(trailers);
  }

  protected takeDrain(): void {
    this.handler.onDrain();
  }

  fail(error: MeshError): void {
    const { handler } = this;
    this.handler = NOBODY;
    handler.onAbort(error);
  }

  violated(detail: string): void {
    this.fail(new MeshError('bad-request', { origin: 'downstream', detail }));
  }

  /** The answer is out: the rest of the request is of no use (RFC 9113 §8.1). */
  override markSent(): void {
    super.markSent();
    if (this.#tunnel !== null) {
      this.#tunnel.sent();
      return;
    }
    this.handler = NOBODY;
    if (this.received || this.closed) return;
    this.unwanted = true;
    this.#host.linger(this);
  }

  #fault(detail: string): false {
    this.host.reset(this, INTERNAL_ERROR);
    // The exchange is in the middle of a call of its own.
    process.nextTick(() => this.fail(new MeshError('internal', { detail })));
    return false;
  }
}
