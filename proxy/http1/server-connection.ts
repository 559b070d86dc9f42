// One downstream HTTP/1.1 connection: reads requests in order, one exchange at a time (RFC 9112).
import type { Socket } from 'node:net';
import type { ConnectionInfo, RefusalListener, RequestListener } from '../exchange.ts';
import type { TimerWheel } from '../kit/timer-wheel.ts';
import type { Http1Limits } from './limits.ts';

export interface Http1ServerOptions {
  readonly onRequest: RequestListener;
  readonly onRefused: RefusalListener;
  /** Called once, when the connection is gone or was handed over by an upgrade. */
  readonly onClose: () => void;
  readonly limits: Http1Limits;
  readonly timers: TimerWheel;
}

export class Http1ServerConnection {
  readonly socket: Socket;
  readonly info: ConnectionInfo;
  readonly options: Http1ServerOptions;

  constructor(socket: Socket, info: ConnectionInfo, options: Http1ServerOptions) {
    this.socket = socket;
    this.info = info;
    this.options = options;
  }

  start(): void {
    throw new Error('not built yet');
  }

  /** Finishes the exchange in hand with `Connection: close`; an idle connection is closed now. */
  drain(): void {
    throw new Error('not built yet');
  }

  destroy(): void {
    throw new Error('not built yet');
  }
}
