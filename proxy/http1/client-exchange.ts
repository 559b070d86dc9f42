// One request on an upstream HTTP/1.1 connection: its framing, and never more or less body than its head
// declared. There is one object per exchange, so that late calls do not hit the connection's next one.
import { MeshError } from '../../core/kit/error.ts';
import type { RequestHead, Upstream, UpstreamHandler } from '../exchange.ts';
import type { WriteBatch } from '../kit/buffers.ts';
import type { HeaderList } from '../kit/header-list.ts';
import { CHUNK_END, chunkHead, lastChunk, requestHead, unwritable } from './write-head.ts';

/** What an exchange needs of its connection. */
export interface ClientExchangeHost {
  readonly batch: WriteBatch;
  /** Writes what the batch holds at the end of this turn of the event loop, or now. */
  flush(now: boolean): void;
  /** False: the socket is behind. */
  writable(): boolean;
  /** Closes the connection; `fault` is for the exchange, null where it asked for this. */
  cut(exchange: ClientExchange, fault: MeshError | null): void;
  pauseBody(exchange: ClientExchange): void;
  resumeBody(exchange: ClientExchange): void;
}

export class ClientExchange implements Upstream {
  readonly handler: UpstreamHandler;
  readonly method: string;
  readonly upgrade: string;
  /** The whole request was handed to the socket. */
  sent: boolean;

  readonly #host: ClientExchangeHost;
  readonly #chunked: boolean;
  #ended = false;
  #left: number;

  constructor(host: ClientExchangeHost, head: RequestHead, handler: UpstreamHandler) {
    this.handler = handler;
    this.method = head.method;
    this.upgrade = head.upgrade;
    this.sent = head.bodyLength === 0;
    this.#host = host;
    this.#chunked = head.bodyLength < 0;
    this.#left = head.bodyLength;
  }

  /** The connection has let go of this exchange: every further call does nothing. */
  abandon(): void {
    this.#ended = true;
  }

  sendData(chunk: Buffer): boolean {
    if (this.#ended || this.sent || chunk.length === 0) return true;
    const { batch } = this.#host;
    if (this.#chunked) {
      batch.add(chunkHead(chunk.length));
      batch.add(chunk);
      this.#host.flush(batch.add(CHUNK_END));
      return this.#host.writable();
    }
    this.#left -= chunk.length;
    if (this.#left < 0) return this.#fault('more body than declared');
    this.#host.flush(batch.add(chunk));
    return this.#host.writable();
  }

  sendEnd(trailers: HeaderList | null): void {
    if (this.#ended || this.sent) return;
    if (this.#chunked) {
      if (!this.#addLastChunk(trailers)) return;
    } else if (this.#left > 0) {
      return void this.#fault('less body than declared');
    }
    this.sent = true;
    this.#host.flush(true);
  }

  pause(): void {
    if (!this.#ended) this.#host.pauseBody(this);
  }

  resume(): void {
    if (!this.#ended) this.#host.resumeBody(this);
  }

  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#host.cut(this, null);
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

/** The head as it is written, or why it cannot be written. */
export function requestText(head: RequestHead): string | MeshError {
  try {
    return requestHead(head.method, head.target, head.authority, head.headers, requestFraming(head));
  } catch (error) {
    return new MeshError('internal', { detail: unwritable(error) });
  }
}

function requestFraming(head: RequestHead): string {
  let framing = '';
  if (head.bodyLength > 0) framing = `Content-Length: ${head.bodyLength}\r\n`;
  else if (head.bodyLength < 0) framing = 'Transfer-Encoding: chunked\r\n';
  // RFC 9110 §8.6: methods that anticipate a body say that there is none.
  else if (head.method === 'POST' || head.method === 'PUT' || head.method === 'PATCH')
    framing = 'Content-Length: 0\r\n';
  if (head.expectContinue) framing += 'Expect: 100-continue\r\n';
  const te = head.headers.get('te') === undefined ? '' : 'TE';
  if (head.upgrade !== '') return `${framing}Connection: upgrade${te && ', TE'}\r\nUpgrade: ${head.upgrade}\r\n`;
  return te === '' ? framing : `${framing}Connection: TE\r\n`;
}
