// A client connection on a fake socket, with every event written down.
import type { MeshError } from '../../../../core/kit/error.ts';
import type { RequestHead, ResponseHead, Upstream, UpstreamHandler } from '../../../../proxy/exchange.ts';
import { Http1ClientConnection } from '../../../../proxy/http1/client-connection.ts';
import { CLIENT_LIMITS, type Http1Limits } from '../../../../proxy/http1/limits.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { TimerWheel } from '../../../../proxy/kit/timer-wheel.ts';
import type { Tunnel } from '../../../../proxy/kit/tunnel.ts';
import { FakeSocket } from './fake-socket.ts';

export class SeenAnswer implements UpstreamHandler {
  informational: number[] = [];
  head: ResponseHead | null = null;
  body = '';
  trailers: readonly string[] | null = null;
  ended = false;
  error: MeshError | null = null;
  tunnel: Tunnel | null = null;
  drains = 0;
  calls = 0;
  onHeadHook: (() => void) | null = null;

  onInformational(status: number): void {
    this.informational.push(status);
  }

  onHead(head: ResponseHead): void {
    this.head = head;
    this.onHeadHook?.();
  }

  onData(chunk: Buffer): void {
    this.body += chunk.toString('latin1');
  }

  onEnd(trailers: HeaderList | null): void {
    this.ended = true;
    this.trailers = trailers === null ? null : trailers.fields;
    this.calls++;
  }

  onUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    this.head = head;
    this.tunnel = tunnel;
    this.calls++;
  }

  onDrain(): void {
    this.drains++;
  }

  onError(error: MeshError): void {
    this.error = error;
    this.calls++;
  }

  get transcript(): unknown {
    return {
      informational: this.informational,
      head: this.head === null ? null : { ...this.head, headers: this.head.headers.fields },
      body: this.body,
      trailers: this.trailers,
      ended: this.ended,
      error: this.error?.code,
      calls: this.calls,
    };
  }
}

export function requestHead(over: Partial<RequestHead> = {}, fields: string[] = []): RequestHead {
  const headers = new HeaderList();
  for (let i = 0; i < fields.length; i += 2) headers.add(fields[i] as string, fields[i + 1] as string);
  return {
    method: 'GET',
    target: '/',
    authority: 'a.test',
    scheme: 'http',
    version: 11,
    headers,
    bodyLength: 0,
    upgrade: '',
    expectContinue: false,
    ...over,
  };
}

export class ClientHarness {
  readonly socket = new FakeSocket();
  readonly connection: Http1ClientConnection;
  readonly timers: TimerWheel;
  idles = 0;
  closes = 0;
  #now = 0;

  constructor(limits: Partial<Http1Limits> = {}) {
    this.timers = new TimerWheel({ now: () => this.#now });
    this.connection = new Http1ClientConnection(this.socket.asSocket, {
      limits: { ...CLIENT_LIMITS, ...limits },
      timers: this.timers,
      onIdle: () => void this.idles++,
      onClose: () => void this.closes++,
    });
    this.connection.start();
  }

  request(over: Partial<RequestHead> = {}, fields: string[] = []): { upstream: Upstream; answer: SeenAnswer } {
    const answer = new SeenAnswer();
    return { upstream: this.connection.request(requestHead(over, fields), answer), answer };
  }

  send(head: RequestHead): { upstream: Upstream; answer: SeenAnswer } {
    const answer = new SeenAnswer();
    return { upstream: this.connection.request(head, answer), answer };
  }

  /** Sends one request, feeds these bytes as its answer, and says what came out. */
  answer(bytes: string, over: Partial<RequestHead> = {}): SeenAnswer {
    const { answer } = this.request(over);
    this.socket.feed(bytes);
    return answer;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
    this.timers.advance();
  }
}
