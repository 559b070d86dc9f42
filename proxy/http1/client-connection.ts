// One upstream HTTP/1.1 connection: sends one request at a time and reads its answer (RFC 9112).
import type { Socket } from 'node:net';
import type { RequestHead, Upstream, UpstreamHandler } from '../exchange.ts';
import type { TimerWheel } from '../kit/timer-wheel.ts';
import type { Http1Limits } from './limits.ts';

export interface Http1ClientOptions {
  readonly limits: Http1Limits;
  readonly timers: TimerWheel;
  /** The exchange is over and the connection may carry the next one; called before the exchange's `onEnd`. */
  readonly onIdle: (connection: Http1ClientConnection) => void;
  /** Called once, when the connection is gone, will take no more requests, or was handed over by an upgrade. */
  readonly onClose: (connection: Http1ClientConnection) => void;
}

export class Http1ClientConnection {
  readonly socket: Socket;
  readonly options: Http1ClientOptions;

  /** `socket` is connected (and its TLS handshake done) already. */
  constructor(socket: Socket, options: Http1ClientOptions) {
    this.socket = socket;
    this.options = options;
  }

  /** Idle, open and not about to be closed: `request` may be called. */
  get usable(): boolean {
    return false;
  }

  /** Attaches to the socket; the connection is usable and idle from here on. */
  start(): void {
    throw new Error('not built yet');
  }

  /** On a connection that is not usable the handler gets `upstream-closed`, unprocessed, on the next tick. */
  request(_head: RequestHead, _handler: UpstreamHandler): Upstream {
    throw new Error('not built yet');
  }

  /** Closes now; an exchange in hand gets `upstream-reset` or `upstream-closed`. */
  close(): void {
    throw new Error('not built yet');
  }
}
