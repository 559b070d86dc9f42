// A server connection on a fake socket, with every event written down as one line of text.
import { ERRORS } from '../../../../core/kit/error-table.ts';
import type { MeshError } from '../../../../core/kit/error.ts';
import type { Downstream, DownstreamHandler, RequestHead } from '../../../../proxy/exchange.ts';
import { type Http1Limits, SERVER_LIMITS } from '../../../../proxy/http1/limits.ts';
import { Http1ServerConnection } from '../../../../proxy/http1/server-connection.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { TimerWheel } from '../../../../proxy/kit/timer-wheel.ts';
import { FakeSocket } from './fake-socket.ts';

export interface SeenRequest {
  head: RequestHead;
  body: string;
  trailers: readonly string[] | null;
  ended: boolean;
  aborted: MeshError | null;
  downstream: Downstream;
}

export interface ServerHarnessOptions {
  readonly limits?: Partial<Http1Limits>;
  /** Answers a request as soon as it is whole, with 200 and no body; true by default. */
  readonly answer?: boolean;
  readonly scheme?: 'http' | 'https';
  readonly onData?: (request: SeenRequest) => void;
  readonly onHead?: (request: SeenRequest) => void;
  /** Default: a client that begins with HTTP/2 is refused. */
  readonly onPreface?: (bytes: Buffer) => void;
}

export class ServerHarness {
  readonly socket = new FakeSocket();
  readonly requests: SeenRequest[] = [];
  readonly refusals: MeshError[] = [];
  readonly connection: Http1ServerConnection;
  readonly timers: TimerWheel;
  drains = 0;
  closes = 0;
  #now = 0;
  readonly #options: ServerHarnessOptions;

  constructor(options: ServerHarnessOptions = {}) {
    this.#options = options;
    this.timers = new TimerWheel({ now: () => this.#now });
    const info = {
      listener: 'test',
      peer: null,
      remoteAddress: '192.0.2.1',
      remotePort: 5,
      scheme: options.scheme ?? ('http' as const),
      serverName: '',
    };
    this.connection = new Http1ServerConnection(this.socket.asSocket, info, {
      onRequest: this.#onRequest,
      onRefused: (downstream, error) => {
        this.refusals.push(error);
        respond(downstream, 400, '');
      },
      onClose: () => void this.closes++,
      limits: { ...SERVER_LIMITS, ...options.limits },
      timers: this.timers,
      onPreface: options.onPreface ?? null,
    });
    this.connection.start();
  }

  get last(): SeenRequest {
    const request = this.requests.at(-1);
    if (request === undefined) throw new Error('there was no request');
    return request;
  }

  /** What a listener saw, comparable between two runs: not how bodies were cut into chunks. */
  get transcript(): unknown {
    return {
      requests: this.requests.map(({ head, body, trailers, ended, aborted }) => ({
        ...head,
        headers: head.headers.fields,
        body,
        trailers,
        ended,
        aborted: aborted?.code,
      })),
      refusals: this.refusals.map((error) => error.code),
      written: this.socket.written,
      ended: this.socket.ended,
    };
  }

  /** Moves the clock and lets timers fire. */
  pass(milliseconds: number): void {
    this.#now += milliseconds;
    this.timers.advance();
  }

  readonly #onRequest = (downstream: Downstream, head: RequestHead): DownstreamHandler => {
    const request: SeenRequest = { head, body: '', trailers: null, ended: false, aborted: null, downstream };
    this.requests.push(request);
    this.#options.onHead?.(request);
    return {
      onData: (chunk) => {
        request.body += chunk.toString('latin1');
        this.#options.onData?.(request);
      },
      onEnd: (trailers) => {
        request.ended = true;
        request.trailers = trailers === null ? null : trailers.fields;
        if (this.#options.answer !== false) respond(downstream, 200, '');
      },
      onDrain: () => void this.drains++,
      onAbort: (error) => {
        request.aborted = error;
        if (error.code !== 'downstream-closed') respond(downstream, ERRORS[error.code].http, '');
      },
    };
  };
}

export function respond(downstream: Downstream, status: number, body: string): void {
  const head = { status, reason: 'Ok', headers: new HeaderList(), bodyLength: body.length, declaredLength: -1 };
  downstream.sendHead(head);
  if (body !== '') downstream.sendData(Buffer.from(body, 'latin1'));
  downstream.sendEnd(null);
}
