// One upstream HTTP/1.1 connection: sends one request at a time and reads its answer (RFC 9112). It is
// used again only where every byte on it is accounted for.
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { RequestHead, ResponseHead, Upstream, UpstreamHandler } from '../exchange.ts';
import { abort } from '../kit/abort.ts';
import { WriteBatch } from '../kit/buffers.ts';
import { flushAfterRead, kept, SocketInput } from '../kit/socket-input.ts';
import { SocketTunnel } from '../kit/socket-tunnel.ts';
import { type TimerWheel, WheelTimer } from '../kit/timer-wheel.ts';
import { BodyReader, type BodySink, MORE, REFUSED } from './body-reader.ts';
import { ClientExchange, type ClientExchangeHost, requestText } from './client-exchange.ts';
import { FieldParser } from './fields.ts';
import { HeadReader } from './head-reader.ts';
import { ignore } from './later.ts';
import type { Http1Limits } from './limits.ts';
import { ResponseHeadParser } from './response-head.ts';

export interface Http1ClientOptions {
  readonly limits: Http1Limits;
  readonly timers: TimerWheel;
  /** The exchange is over and the connection may carry the next one; called before the exchange's `onEnd`. */
  readonly onIdle: (connection: Http1ClientConnection) => void;
  /** Called once, when the connection is gone, will take no more requests, or was handed over by an upgrade. */
  readonly onClose: (connection: Http1ClientConnection) => void;
}

/** A pooled connection is given up so long before the server would close it, in milliseconds. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** Informational answers to one request; they are passed on whether or not the client reads. */
const MOST_INFORMATIONAL = 32;

export class Http1ClientConnection implements ClientExchangeHost, BodySink {
  readonly batch: WriteBatch;

  readonly #socket: Socket;
  readonly #reads: SocketInput;
  readonly #options: Http1ClientOptions;
  readonly #fields: FieldParser;
  readonly #heads: HeadReader;
  readonly #parser: ResponseHeadParser;
  readonly #body: BodyReader;
  readonly #timer: WheelTimer;
  #state: 'new' | 'idle' | 'head' | 'body' | 'closed' = 'new';
  #exchange: ClientExchange | null = null;
  /** Bytes of the request went to the socket. */
  #written = false;
  /** Bytes of an answer came back. */
  #answered = false;
  #informational = 0;
  /** An informational answer said `Connection: close`. */
  #closeAnnounced = false;
  #announcedIdle = -1;
  #endedByPeer = false;
  /** Milliseconds that the connection may idle after this exchange; 0: it is not used again. */
  #idleMs = 0;
  #paused = false;
  #flushDue = false;

  /** `socket` is connected (and its TLS handshake done) already. */
  constructor(socket: Socket, options: Http1ClientOptions) {
    this.batch = new WriteBatch(socket);
    this.#socket = socket;
    this.#reads = new SocketInput(socket, this.#onData);
    this.#options = options;
    this.#fields = new FieldParser(options.limits);
    this.#heads = new HeadReader('response', options.limits);
    this.#parser = new ResponseHeadParser(this.#fields, options.limits);
    this.#body = new BodyReader(this.#fields, options.limits);
    this.#timer = new WheelTimer(this.#onExpire);
  }

  /** Idle, open and not about to be closed: `request` may be called. */
  get usable(): boolean {
    return this.#state === 'idle' && this.#socket.writable && this.#socket.readable;
  }

  /** What the last answer said in `Keep-Alive: timeout`, in milliseconds; -1: nothing. */
  get announcedIdle(): number {
    return this.#announcedIdle;
  }

  /** The upstream ended it while it was idle, or with a request on it and not a byte of an answer. */
  get endedByPeer(): boolean {
    return this.#endedByPeer;
  }

  /** Attaches to the socket; the connection is usable and idle from here on. */
  start(): void {
    const socket = this.#socket;
    this.#state = 'idle';
    socket.setNoDelay(true);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onEnd);
    socket.on('error', ignore);
    socket.on('close', this.#onClosed);
    this.#reads.start();
    this.#schedule(this.#options.limits.idleTimeoutMs);
  }

  /** On a connection that is not usable the handler gets `upstream-closed`, unprocessed, on the next tick. */
  request(head: RequestHead, handler: UpstreamHandler): Upstream {
    const exchange = new ClientExchange(this, head, handler);
    const bytes = this.usable ? requestText(head) : upstreamError('upstream-closed', 'not usable', true);
    if (bytes instanceof MeshError) {
      exchange.abandon();
      process.nextTick(() => handler.onError(bytes));
      return exchange;
    }
    this.#exchange = exchange;
    this.#state = 'head';
    this.#written = false;
    this.#answered = false;
    this.#informational = 0;
    this.batch.add(bytes);
    this.flush(exchange.sent);
    return exchange;
  }

  /** Closes now; an exchange in hand gets `upstream-reset` or `upstream-closed`. */
  close(): void {
    this.#fail('the connection was shut down');
  }

  flush(now: boolean): void {
    if (now) {
      this.#flush();
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
    if (this.#state !== 'closed') this.#flush();
  }

  writable(): boolean {
    return !this.#socket.writableNeedDrain;
  }

  cut(exchange: ClientExchange, fault: MeshError | null): void {
    if (exchange !== this.#exchange) return;
    this.#letGo();
    abort(this.#socket);
    // The exchange is in the middle of a call of its own.
    if (fault !== null) process.nextTick(() => exchange.handler.onError(fault));
  }

  pauseBody(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }

  resumeBody(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#state === 'body') this.#schedule(this.#options.limits.bodyTimeoutMs);
    this.#socket.resume();
  }

  /** From the body reader. */
  onData(chunk: Buffer): void {
    this.#exchange?.handler.onData(kept(chunk));
  }

  #flush(): void {
    if (this.batch.length > 0 && this.#socket.writable) this.#written = true;
    this.batch.flush();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#answered = true;
    for (let at = 0; at < chunk.length; ) {
      if (this.#state === 'head') at = this.#readHead(chunk, at);
      else if (this.#state === 'body') at = this.#readBody(chunk, at);
      else if (this.#state === 'idle') return this.#fail('bytes that no request asked for');
      else return;
      if (at < 0) return;
    }
  };

  readonly #onDrain = (): void => {
    this.#exchange?.handler.onDrain();
  };

  readonly #onEnd = (): void => {
    this.#endedByPeer = this.#state === 'idle' || (this.#state === 'head' && !this.#answered);
    if (this.#state === 'body' && this.#body.end()) this.#complete(true);
    else this.#fail('the upstream closed the connection');
  };

  readonly #onClosed = (): void => {
    this.#reads.closed();
    this.#endedByPeer ||= this.#state === 'idle' || (this.#state === 'head' && !this.#answered);
    this.#fail('the connection was reset');
  };

  readonly #onExpire = (): void => {
    if (this.#state === 'body') {
      if (!this.#paused) this.#end('upstream-timeout', 'the body stopped coming');
    } else if (this.#state === 'idle') {
      this.#fail('the connection was idle for too long');
    }
  };

  #readHead(chunk: Buffer, at: number): number {
    const exchange = this.#exchange as ClientExchange;
    const after = this.#heads.read(chunk, at);
    if (after === MORE) return MORE;
    if (after === REFUSED) return this.#protocol(this.#heads.detail);
    const head = this.#parser.parse(this.#heads.text, this.#heads.end, exchange.method);
    if (head === null) return this.#protocol(this.#parser.detail);
    if (head.status === 101) return this.#switch(head, chunk, after);
    if (head.status < 200) {
      this.#closeAnnounced ||= this.#fields.close;
      if (++this.#informational > MOST_INFORMATIONAL) return this.#protocol('too many informational answers');
      exchange.handler.onInformational(head.status, head.headers);
      return after;
    }
    this.#announcedIdle = this.#fields.keepAliveTimeout < 0 ? -1 : this.#fields.keepAliveTimeout * 1_000;
    this.#idleMs = this.#mayIdleFor();
    this.#state = 'body';
    if (this.#parser.untilClose) this.#body.beginUntilClose();
    else this.#body.begin(head.bodyLength);
    this.#reads.expected = this.#body.left;
    exchange.handler.onHead(head);
    if (this.#exchange !== exchange) return MORE;
    if (this.#body.done) this.#complete(after === chunk.length);
    else if (after === chunk.length) this.#schedule(this.#options.limits.bodyTimeoutMs);
    return after;
  }

  #readBody(chunk: Buffer, at: number): number {
    // A callback that cancels stops the reader: `MORE`.
    const after = this.#body.read(chunk, at, this);
    this.#reads.expected = this.#body.left;
    if (after === REFUSED) return this.#protocol(this.#body.detail);
    if (this.#body.done) this.#complete(after === chunk.length);
    else this.#schedule(this.#options.limits.bodyTimeoutMs);
    return after;
  }

  /** The answer is whole. Anything left over, on either side, ends the connection. */
  #complete(clean: boolean): void {
    const exchange = this.#exchange as ClientExchange;
    const { trailers } = this.#body;
    if (clean && this.#idleMs > 0 && exchange.sent && this.#socket.writable) {
      exchange.abandon();
      this.#exchange = null;
      this.#state = 'idle';
      this.#heads.forget();
      this.#parser.forget();
      this.resumeBody();
      this.#schedule(this.#idleMs);
      this.#options.onIdle(this);
    } else {
      this.#letGo();
      this.#socket.destroy();
    }
    exchange.handler.onEnd(trailers);
  }

  /** Read with the head: trailers overwrite its fields. HTTP/1.0 connections are not kept (RFC 9112 §9.3). */
  #mayIdleFor(): number {
    if (this.#parser.version === 10 || this.#closeAnnounced || this.#fields.close || this.#parser.untilClose) return 0;
    const idleMs = this.#options.limits.idleTimeoutMs || Number.POSITIVE_INFINITY;
    const hint = this.#announcedIdle;
    return hint < 0 ? idleMs : Math.min(idleMs, Math.max(hint - KEEP_ALIVE_MARGIN_MS, hint / 2));
  }

  /**
   * 101: only for what was asked for (RFC 9110 §7.8). The socket is handed over paused; of this codec's
   * listeners only the one that swallows errors stays.
   */
  #switch(head: ResponseHead, chunk: Buffer, after: number): number {
    const exchange = this.#exchange as ClientExchange;
    const agreed = this.#fields.connectionUpgrade && this.#fields.upgrade === exchange.upgrade;
    if (exchange.upgrade === '' || !agreed) return this.#protocol('a switch of protocols that was not asked for');
    const socket = this.#socket;
    this.#reads.stop();
    socket.off('drain', this.#onDrain);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClosed);
    this.#letGo();
    const early = after < chunk.length ? kept(chunk.subarray(after)) : null;
    exchange.handler.onUpgrade(head, new SocketTunnel(socket, early));
    return MORE;
  }

  #protocol(detail: string): number {
    this.#end('upstream-protocol', detail);
    return REFUSED;
  }

  /** The connection is gone or given up. */
  #fail(detail: string): void {
    this.#end(this.#answered ? 'upstream-reset' : 'upstream-closed', detail);
  }

  #end(code: ErrorCode, detail: string): void {
    if (this.#state === 'closed') return;
    const exchange = this.#exchange;
    const unprocessed = code === 'upstream-closed' && !this.#written;
    this.#letGo();
    this.#socket.destroy();
    exchange?.handler.onError(upstreamError(code, detail, unprocessed));
  }

  #letGo(): void {
    this.#state = 'closed';
    this.#exchange?.abandon();
    this.#exchange = null;
    this.#body.stop();
    this.batch.clear();
    this.#options.timers.cancel(this.#timer);
    this.#options.onClose(this);
  }

  #schedule(delayMs: number): void {
    if (this.#state === 'closed') return;
    if (delayMs > 0 && delayMs < Number.POSITIVE_INFINITY) this.#options.timers.schedule(this.#timer, delayMs);
    else this.#options.timers.cancel(this.#timer);
  }
}

function upstreamError(code: ErrorCode, detail: string, unprocessed: boolean): MeshError {
  return new MeshError(code, { origin: 'upstream', detail, unprocessed });
}
