// One downstream HTTP/1.1 connection: reads requests in order, one exchange at a time (RFC 9112), refuses
// what is ambiguous, and closes so that a last answer still arrives.
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { ConnectionInfo, DownstreamHandler, RequestHead } from '../exchange.ts';
import { abort } from '../kit/abort.ts';
import { WriteBatch } from '../kit/buffers.ts';
import { flushAfterRead, kept, SocketInput } from '../kit/socket-input.ts';
import { SocketTunnel } from '../kit/socket-tunnel.ts';
import { WheelTimer } from '../kit/timer-wheel.ts';
import type { Tunnel } from '../kit/tunnel.ts';
import { BodyReader, type BodySink, MORE, REFUSED } from './body-reader.ts';
import { FieldParser } from './fields.ts';
import { HeadReader } from './head-reader.ts';
import { ignore } from './later.ts';
import { isForHttp2 } from './preface.ts';
import { RequestHeadParser } from './request-head.ts';
import { NOBODY, ServerExchange, type ServerExchangeHost } from './server-exchange.ts';
import type { Http1ServerOptions } from './server-options.ts';

/** How long a drained connection waits for its first request, in milliseconds. */
const FIRST_REQUEST_MS = 1_000;

export class Http1ServerConnection implements ServerExchangeHost, BodySink {
  readonly info: ConnectionInfo;
  readonly batch: WriteBatch;
  readonly body: BodyReader;
  draining = false;

  readonly #socket: Socket;
  readonly #reads: SocketInput;
  readonly #options: Http1ServerOptions;
  readonly #heads: HeadReader;
  readonly #parser: RequestHeadParser;
  readonly #timer: WheelTimer;
  #exchange: ServerExchange | null = null;
  #handler: DownstreamHandler = NOBODY;
  /** Bytes that were read and not yet taken; held while an earlier request is being answered. */
  #input: Buffer | null = null;
  #inputAt = 0;
  #state: 'head' | 'body' | 'deaf' | 'closed' = 'head';
  #pumping = false;
  #handlerPaused = false;
  #socketPaused = false;
  #flushDue = false;
  /** A request came. */
  #used = false;
  #discardLeft = 0;
  /** A head was read. */
  #served = false;

  constructor(socket: Socket, info: ConnectionInfo, options: Http1ServerOptions) {
    this.info = info;
    this.batch = new WriteBatch(socket);
    this.#socket = socket;
    this.#reads = new SocketInput(socket, this.#onData);
    this.#options = options;
    const fields = new FieldParser(options.limits);
    this.#heads = new HeadReader('request', options.limits);
    this.#parser = new RequestHeadParser(fields, options.limits, info.scheme, options.onConnect !== undefined);
    this.body = new BodyReader(fields, options.limits);
    this.#timer = new WheelTimer(this.#onExpire);
  }

  start(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onClosed);
    this.#reads.start();
    this.#schedule(this.#options.limits.idleTimeoutMs);
  }

  /** Finishes the exchange in hand, or the first one, with `Connection: close`; an idle connection is closed now. */
  drain(): void {
    this.draining = true;
    if (this.#state !== 'head' || this.#exchange !== null || this.#input !== null || this.#heads.started) return;
    // Whoever has just connected has a request on the way: it is answered, as the last one.
    if (this.#used) this.#finish();
    else this.#schedule(FIRST_REQUEST_MS);
  }

  /** Cuts the connection; an exchange in hand is aborted. */
  destroy(): void {
    if (this.#state !== 'closed') this.#abort('downstream-closed', 'the connection was shut down');
  }

  flush(now: boolean): void {
    if (now) {
      this.batch.flush();
    } else if (!this.#flushDue) {
      this.#flushDue = true;
      flushAfterRead(this);
    }
  }

  get held(): number {
    return this.batch.length;
  }

  /** Only for what `flush` asked for. */
  flushDue(): void {
    this.#flushDue = false;
    if (this.#state !== 'closed') this.batch.flush();
  }

  writable(): boolean {
    if (!this.#socket.writableNeedDrain) return true;
    this.#schedule(this.#options.limits.bodyTimeoutMs);
    return false;
  }

  finished(exchange: ServerExchange): void {
    if (exchange !== this.#exchange) return;
    this.#exchange = null;
    this.#handler = NOBODY;
    this.#handlerPaused = false;
    this.#heads.forget();
    this.#parser.forget();
    const { limits } = this.#options;
    if (exchange.close || this.draining) return this.#finish();
    if (this.#state === 'body') {
      this.#discardLeft = limits.discardBytes;
      if (this.body.tooLong) return this.#finish();
      this.#schedule(limits.headTimeoutMs);
    } else {
      this.#schedule(limits.idleTimeoutMs);
    }
    this.#pump();
  }

  cut(exchange: ServerExchange, fault: MeshError | null): void {
    if (exchange !== this.#exchange) return;
    const untilClose = exchange.endsWithConnection;
    if (!untilClose) this.batch.flush();
    this.#close();
    // A reset may destroy what the client has not read yet: only where an end would look like the proper one.
    if (untilClose) abort(this.#socket);
    else this.#socket.destroy();
    // The exchange is in the middle of a call of its own.
    if (fault !== null) process.nextTick(() => exchange.handler.onAbort(fault));
  }

  /** The socket is handed over paused. */
  handOver(): Tunnel {
    const early = this.#letGo();
    this.#options.onClose();
    return new SocketTunnel(this.#socket, early);
  }

  #handToHttp2(): void {
    const rest = this.#letGo();
    const seen = Buffer.from(`${this.#heads.text.slice(0, this.#heads.end)}\r\n`, 'latin1');
    this.#options.onPreface?.(rest === null ? seen : Buffer.concat([seen, rest]));
  }

  /** Of this codec's listeners only the one that swallows errors stays; what was read and not taken, or null. */
  #letGo(): Buffer | null {
    const socket = this.#socket;
    const early = this.#input === null ? null : kept(this.#input.subarray(this.#inputAt));
    this.#close();
    this.#reads.stop();
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClosed);
    return early;
  }

  pauseBody(): void {
    if (this.#state !== 'body') return;
    this.#handlerPaused = true;
    this.#pauseSocket(true);
  }

  resumeBody(): void {
    if (!this.#handlerPaused) return;
    this.#handlerPaused = false;
    if (this.#state === 'body') this.#schedule(this.#options.limits.bodyTimeoutMs);
    if (this.#input === null) this.#pauseSocket(false);
  }

  /** From the body reader: an exchange that has ended in the middle of a read gets nothing more. */
  onData(chunk: Buffer): void {
    this.#handler.onData(kept(chunk));
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#state === 'deaf' || this.#state === 'closed') return;
    this.#input = this.#input === null ? chunk : Buffer.concat([this.#input.subarray(this.#inputAt), chunk]);
    this.#inputAt = 0;
    this.#pump();
    this.#reads.expected = this.body.left;
    if (this.#input === null) return;
    this.#input = kept(this.#input.subarray(this.#inputAt));
    this.#inputAt = 0;
  };

  readonly #onDrain = (): void => {
    this.#handler.onDrain();
  };

  /** A client that ends its side is gone, as for Envoy: what it asked for is not worth finishing. */
  readonly #onEnd = (): void => {
    if (this.#exchange === null) this.#socket.destroySoon();
    else this.#abort('downstream-closed', 'the client closed the connection');
  };

  readonly #onClosed = (): void => {
    this.#reads.closed();
    if (this.#state !== 'closed') this.#abort('downstream-closed', 'the connection was reset');
    this.#options.onClose();
  };

  /** The last answer is with the kernel. */
  readonly #onFlushed = (): void => {
    this.#schedule(Math.max(this.#options.limits.closeDelayMs, 1));
  };

  readonly #onExpire = (): void => {
    const { limits } = this.#options;
    if (this.#exchange === null) {
      if (this.#state === 'head' && this.#heads.started) this.#refuse('request-timeout', 'the head is not complete');
      else this.destroy();
    } else if (this.#state === 'body' && !this.#handlerPaused) {
      this.#abort('request-timeout', 'the body stopped coming');
    } else if (this.#socket.writableNeedDrain) {
      this.#abort('stream-idle', 'the client stopped reading');
    } else {
      // Waiting for the exchange, which has timeouts of its own.
      this.#schedule(limits.bodyTimeoutMs);
    }
  };

  /** Takes what was read, until an exchange is in hand or nothing is left. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#input !== null) {
      if (this.#state === 'body') this.#readBody(this.#input);
      else if (this.#state === 'head' && this.#exchange === null) this.#readHead(this.#input);
      else break;
    }
    this.#pumping = false;
    if (this.#state === 'head' || this.#state === 'body')
      this.#pauseSocket(this.#input !== null || this.#handlerPaused);
  }

  #readHead(input: Buffer): void {
    const fresh = !this.#heads.started;
    const after = this.#heads.read(input, this.#inputAt);
    if (after === REFUSED) return this.#refuse(this.#heads.code, this.#heads.detail);
    this.#take(after);
    if (after === MORE) {
      if (fresh) this.#schedule(this.#options.limits.headTimeoutMs);
      return;
    }
    const first = !this.#served;
    this.#served = true;
    this.#used = true;
    const head = this.#parser.parse(this.#heads.text, this.#heads.end);
    if (head === null) {
      if (first && this.#options.onPreface !== null && isForHttp2(this.#heads)) return this.#handToHttp2();
      const source = this.#heads.audit() ? this.#parser : this.#heads;
      return this.#refuse(source.code, source.detail);
    }
    // A proxy keeps no HTTP/1.0 connection, whatever it asks for (RFC 9112 §9.3).
    const close = head.version === 10 || this.#parser.close || this.draining;
    const exchange = new ServerExchange(this, head, close);
    this.#exchange = exchange;
    this.body.begin(head.bodyLength);
    this.#state = this.body.done ? 'head' : 'body';
    if (head.method === 'CONNECT') return this.#tunnel(exchange, head);
    const handler = this.#options.onRequest(exchange, head);
    exchange.handler = handler;
    // It may have answered, or cut the connection, already.
    if (this.#exchange !== exchange) return;
    this.#handler = handler;
    if (this.body.done) handler.onEnd(null);
    else if (this.#input === null) this.#schedule(this.#options.limits.bodyTimeoutMs);
  }

  #tunnel(exchange: ServerExchange, head: RequestHead): void {
    const goOn = this.#options.onConnect?.(exchange, head) ?? null;
    if (goOn === null) return;
    exchange.abandon();
    // RFC 9110 §9.3.6: no Content-Length, no Transfer-Encoding.
    this.#socket.write('HTTP/1.1 200 Connection established\r\n\r\n', 'latin1');
    goOn(this.#letGo());
  }

  #readBody(input: Buffer): void {
    const before = this.#inputAt;
    const after = this.body.read(input, before, this);
    // A callback may have closed the connection.
    if (this.#state !== 'body') return;
    if (after === REFUSED) return this.#abort(this.body.code, this.body.detail);
    this.#take(after);
    if (this.body.done) {
      this.#state = 'head';
      if (this.#exchange === null) this.#schedule(this.#options.limits.idleTimeoutMs);
      else this.#handler.onEnd(this.body.trailers);
      return;
    }
    if (this.#exchange !== null) return this.#schedule(this.#options.limits.bodyTimeoutMs);
    this.#discardLeft -= input.length - before;
    if (this.#discardLeft < 0) this.#finish();
  }

  #take(after: number): void {
    if (after >= 0 && this.#input !== null && after < this.#input.length) {
      this.#inputAt = after;
    } else {
      this.#input = null;
      this.#inputAt = 0;
    }
  }

  /** Has a refused head answered, then closes: where the next request would begin is not known. */
  #refuse(code: ErrorCode, detail: string): void {
    const exchange = new ServerExchange(this, REFUSED_REQUEST, true);
    this.#exchange = exchange;
    this.#handler = NOBODY;
    this.#goDeaf();
    this.#options.onRefused(exchange, new MeshError(code, { origin: 'downstream', detail }));
  }

  /** The exchange ends by the client's doing; where nothing was answered yet, it may still answer. */
  #abort(code: ErrorCode, detail: string): void {
    const handler = this.#handler;
    const exchange = this.#exchange;
    const error = exchange === null ? null : new MeshError(code, { origin: 'downstream', detail });
    if (exchange !== null && error !== null && !exchange.headSent && code !== 'downstream-closed') {
      exchange.close = true;
      this.#handler = NOBODY;
      this.#goDeaf();
      handler.onAbort(error);
      // Nobody answered: it is an end like any other.
      if (this.#exchange === exchange) this.cut(exchange, null);
      return;
    }
    this.#close();
    if (exchange?.endsWithConnection === true) abort(this.#socket);
    else this.#socket.destroy();
    if (error !== null) handler.onAbort(error);
  }

  /**
   * Ends our side and goes on reading for a moment: closing with unread input would make the kernel send a
   * reset, which can destroy the answer before the client has read it (RFC 9112 §9.6).
   */
  #finish(): void {
    this.batch.flush();
    this.#goDeaf();
    this.#schedule(this.#options.limits.bodyTimeoutMs);
    this.#socket.end(this.#onFlushed);
  }

  #goDeaf(): void {
    this.#state = 'deaf';
    this.#input = null;
    this.body.stop();
    this.#pauseSocket(false);
  }

  #close(): void {
    this.#state = 'closed';
    this.#exchange?.abandon();
    this.#exchange = null;
    this.#handler = NOBODY;
    this.#input = null;
    this.body.stop();
    this.batch.clear();
    this.#options.timers.cancel(this.#timer);
  }

  #schedule(delayMs: number): void {
    if (this.#state === 'closed') return;
    if (delayMs > 0) this.#options.timers.schedule(this.#timer, delayMs);
    else this.#options.timers.cancel(this.#timer);
  }

  #pauseSocket(paused: boolean): void {
    if (paused === this.#socketPaused) return;
    this.#socketPaused = paused;
    if (paused) this.#socket.pause();
    else this.#socket.resume();
  }
}

const REFUSED_REQUEST = { method: '', version: 11, upgrade: '', expectContinue: false };
