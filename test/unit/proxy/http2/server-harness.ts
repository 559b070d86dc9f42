// An HTTP/2 server connection on a fake socket, with every request kept.
import type { MeshError } from '../../../../core/kit/error.ts';
import type { Downstream, DownstreamHandler, RequestHead } from '../../../../proxy/exchange.ts';
import { PREFACE } from '../../../../proxy/http2/frames.ts';
import { HTTP2_LIMITS, type Http2Limits } from '../../../../proxy/http2/limits.ts';
import { Http2ServerConnection } from '../../../../proxy/http2/server-connection.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { TimerWheel } from '../../../../proxy/kit/timer-wheel.ts';
import { FakeSocket } from '../http1/fake-socket.ts';
import { goAwayCode, readFrames, resets, SETTINGS_ACK, type SeenFrame, settings } from './frame-bytes.ts';

export interface SeenRequest {
  readonly head: RequestHead;
  readonly downstream: Downstream;
  body: string;
  trailers: readonly string[] | null;
  ended: boolean;
  drains: number;
  aborted: MeshError | null;
}

export class Http2ServerHarness {
  readonly socket = new FakeSocket();
  readonly requests: SeenRequest[] = [];
  readonly refusals: MeshError[] = [];
  readonly timers: TimerWheel;
  readonly connection: Http2ServerConnection;
  closes = 0;
  #now = 0;
  readonly #answer: boolean;

  /** `answer`: with 200 and no body as soon as a request is whole. */
  constructor(limits: Partial<Http2Limits> = {}, answer = true) {
    this.#answer = answer;
    this.timers = new TimerWheel({ now: () => this.#now });
    const info = {
      listener: 'test',
      peer: null,
      remoteAddress: '192.0.2.1',
      remotePort: 5,
      scheme: 'http' as const,
      serverName: '',
    };
    this.connection = new Http2ServerConnection(this.socket.asSocket, info, {
      onRequest: this.#onRequest,
      onRefused: (downstream, error) => {
        this.refusals.push(error);
        respond(downstream, 400, '');
      },
      onClose: () => void this.closes++,
      limits: { ...HTTP2_LIMITS, ...limits },
      timers: this.timers,
      now: () => this.#now,
      webSocketKey: () => 'dGhlIHNhbXBsZSBub25jZQ==',
    });
    this.connection.start();
  }

  get last(): SeenRequest {
    const request = this.requests.at(-1);
    if (request === undefined) throw new Error('there was no request');
    return request;
  }

  /** Preface and settings, as every client begins. */
  greet(...pairs: readonly (readonly [number, number])[]): this {
    this.socket.feed(Buffer.concat([PREFACE, settings(...pairs), SETTINGS_ACK]));
    return this;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
    this.timers.advance();
  }

  /** What was written, once this turn of the event loop is over. */
  async frames(): Promise<readonly SeenFrame[]> {
    await turn();
    return readFrames(Buffer.concat(this.socket.writes));
  }

  get goAway(): number | null {
    return goAwayCode(Buffer.concat(this.socket.writes));
  }

  async resets(): Promise<[number, number][]> {
    await turn();
    return resets(Buffer.concat(this.socket.writes));
  }

  readonly #onRequest = (downstream: Downstream, head: RequestHead): DownstreamHandler => {
    const request: SeenRequest = {
      head,
      downstream,
      body: '',
      trailers: null,
      ended: false,
      drains: 0,
      aborted: null,
    };
    this.requests.push(request);
    return {
      onData: (chunk) => void (request.body += chunk.toString('latin1')),
      onEnd: (trailers) => {
        request.ended = true;
        request.trailers = trailers === null ? null : trailers.fields;
        if (this.#answer) respond(downstream, 200, '');
      },
      onDrain: () => void request.drains++,
      onAbort: (error) => void (request.aborted = error),
    };
  };
}

export function respond(downstream: Downstream, status: number, body: string, bodyLength = body.length): void {
  downstream.sendHead({ status, reason: '', headers: new HeaderList(), bodyLength, declaredLength: -1 });
  if (body !== '') downstream.sendData(Buffer.from(body, 'latin1'));
  downstream.sendEnd(null);
}

/** Everything that was put off to the end of the turn has happened. */
export async function turn(): Promise<void> {
  await new Promise((done) => setImmediate(done));
  await new Promise((done) => setImmediate(done));
}
