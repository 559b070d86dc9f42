// One answer on a downstream HTTP/1.1 connection: writes head, body and trailers, and never more or less
// body than the head declared. There is one object per exchange, so that late calls hit nobody else.
import { MeshError } from '../../core/kit/error.ts';
import type { ConnectionInfo, Downstream, DownstreamHandler, ResponseHead } from '../exchange.ts';
import type { WriteBatch } from '../kit/buffers.ts';
import type { HeaderList } from '../kit/header-list.ts';
import type { Tunnel } from '../kit/tunnel.ts';
import type { BodyReader } from './body-reader.ts';
import { CHUNK_END, chunkHead, lastChunk, responseHead, unwritable } from './write-head.ts';

/** What an exchange needs of its connection. */
export interface ServerExchangeHost {
  readonly info: ConnectionInfo;
  readonly batch: WriteBatch;
  /** No further request is wanted on this connection. */
  readonly draining: boolean;
  readonly body: Pick<BodyReader, 'tooLong'>;
  /** Writes what the batch holds at the end of this turn of the event loop, or now. */
  flush(now: boolean): void;
  /** False: the socket is behind. */
  writable(): boolean;
  finished(exchange: ServerExchange): void;
  /** The answer cannot be completed; `fault` is for the exchange, null where it asked for this. */
  cut(exchange: ServerExchange, fault: MeshError | null): void;
  handOver(exchange: ServerExchange): Tunnel;
  pauseBody(exchange: ServerExchange): void;
  resumeBody(exchange: ServerExchange): void;
}

export interface ServerExchangeRequest {
  readonly method: string;
  readonly version: number;
  readonly upgrade: string;
  readonly expectContinue: boolean;
}

/** Takes what nobody wants: the rest of a body after its answer, input after a refusal. */
export const NOBODY: DownstreamHandler = { onData() {}, onEnd() {}, onDrain() {}, onAbort() {} };

type Framing = 'none' | 'length' | 'chunked' | 'until-close';

export class ServerExchange implements Downstream {
  readonly connection: ConnectionInfo;
  /** The connection ends after this answer. */
  close: boolean;
  headSent = false;
  /** Whom to tell; known only once the listener has returned it, which may be after an answer. */
  handler: DownstreamHandler = NOBODY;
  /** The client waits for a 100 that it has not got: whether it sends its body is open. */
  bodyInDoubt: boolean;

  readonly #host: ServerExchangeHost;
  readonly #request: ServerExchangeRequest;
  #ended = false;
  #framing: Framing = 'none';
  #left = 0;

  /** `close`: the connection ends with this exchange. */
  constructor(host: ServerExchangeHost, request: ServerExchangeRequest, close: boolean) {
    this.connection = host.info;
    this.close = close;
    this.bodyInDoubt = request.expectContinue;
    this.#host = host;
    this.#request = request;
  }

  /** The body has neither length nor chunks: only the end of the connection ends it. */
  get endsWithConnection(): boolean {
    return this.#framing === 'until-close';
  }

  /** The connection is gone: every further call does nothing. */
  abandon(): void {
    this.#ended = true;
  }

  sendInformational(status: number, headers: HeaderList): void {
    if (this.#ended || this.headSent || this.#request.version < 11 || status === 101) return;
    if (status === 100) this.bodyInDoubt = false;
    this.#addHead(status, reasonOf(status), headers, '');
    this.#host.flush(true);
  }

  sendHead(head: ResponseHead): void {
    if (this.#ended || this.headSent) return;
    if (this.#host.draining || this.bodyInDoubt) this.close = true;
    // An upload that is refused is not read to its end; one that is answered while it goes on may well be.
    else if (head.status >= 400 && this.#host.body.tooLong) this.close = true;
    const framing = this.#frame(head);
    const connection = this.close ? 'Connection: close\r\n' : '';
    if (!this.#addHead(head.status, head.reason, head.headers, framing + connection)) return;
    this.headSent = true;
    this.#host.flush(false);
  }

  sendData(chunk: Buffer): boolean {
    if (this.#ended || chunk.length === 0 || !this.headSent) return true;
    const { batch } = this.#host;
    let full = false;
    switch (this.#framing) {
      case 'none':
        return true;
      case 'chunked':
        batch.add(chunkHead(chunk.length));
        batch.add(chunk);
        full = batch.add(CHUNK_END);
        break;
      case 'length':
        this.#left -= chunk.length;
        if (this.#left < 0) return this.#fault('more body than declared');
        full = batch.add(chunk);
        break;
      case 'until-close':
        full = batch.add(chunk);
        break;
    }
    this.#host.flush(full);
    return this.#host.writable();
  }

  sendEnd(trailers: HeaderList | null): void {
    if (this.#ended) return;
    if (!this.headSent || (this.#framing === 'length' && this.#left > 0)) {
      this.#fault('less body than declared');
      return;
    }
    if (this.#framing === 'chunked' && !this.#addLastChunk(trailers)) return;
    this.#ended = true;
    this.#host.flush(true);
    this.#host.finished(this);
  }

  /** Throws `internal` where the client did not ask for this, or is gone. */
  sendUpgrade(head: ResponseHead): Tunnel {
    const { upgrade } = this.#request;
    if (this.#ended || this.headSent || upgrade === '')
      throw new MeshError('internal', { detail: 'nothing to upgrade' });
    this.#host.batch.add(
      responseHead(101, head.reason, head.headers, `Connection: upgrade\r\nUpgrade: ${upgrade}\r\n`),
    );
    this.#ended = true;
    this.#host.flush(true);
    return this.#host.handOver(this);
  }

  reset(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#host.cut(this, null);
  }

  pause(): void {
    if (!this.#ended) this.#host.pauseBody(this);
  }

  resume(): void {
    if (!this.#ended) this.#host.resumeBody(this);
  }

  /** RFC 9112 §6.3, from the sender's side. */
  #frame(head: ResponseHead): string {
    const { status, bodyLength, declaredLength } = head;
    this.#framing = 'none';
    if (status === 204 || status < 200) return '';
    if (status === 304) return declaredLength < 0 ? '' : `Content-Length: ${declaredLength}\r\n`;
    if (this.#request.method === 'HEAD') {
      const length = declaredLength >= 0 ? declaredLength : bodyLength > 0 ? bodyLength : -1;
      return length < 0 ? '' : `Content-Length: ${length}\r\n`;
    }
    if (bodyLength >= 0) {
      this.#framing = 'length';
      this.#left = bodyLength;
      return `Content-Length: ${bodyLength}\r\n`;
    }
    if (this.#request.version < 11) {
      this.close = true;
      this.#framing = 'until-close';
      return '';
    }
    this.#framing = 'chunked';
    return 'Transfer-Encoding: chunked\r\n';
  }

  /** False: the bytes cannot be written and the answer was cut. */
  #addHead(status: number, reason: string, headers: HeaderList, framing: string): boolean {
    try {
      this.#host.batch.add(responseHead(status, reason, headers, framing));
      return true;
    } catch (error) {
      return this.#fault(unwritable(error));
    }
  }

  #addLastChunk(trailers: HeaderList | null): boolean {
    try {
      this.#host.batch.add(lastChunk(trailers));
      return true;
    } catch (error) {
      return this.#fault(unwritable(error));
    }
  }

  #fault(detail: string): false {
    this.#ended = true;
    this.#host.cut(this, new MeshError('internal', { detail }));
    return false;
  }
}

function reasonOf(status: number): string {
  switch (status) {
    case 100:
      return 'Continue';
    case 102:
      return 'Processing';
    case 103:
      return 'Early Hints';
    default:
      return '';
  }
}
