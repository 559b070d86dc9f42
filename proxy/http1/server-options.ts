// What the server side of a HTTP/1.1 connection is given by whoever accepted it.
import type { Downstream, RefusalListener, RequestHead, RequestListener } from '../exchange.ts';
import type { TimerWheel } from '../kit/timer-wheel.ts';
import type { Http1Limits } from './limits.ts';

export interface Http1ServerOptions {
  readonly onRequest: RequestListener;
  readonly onRefused: RefusalListener;
  /** Called once, when the connection is gone or was handed over by an upgrade. */
  readonly onClose: () => void;
  readonly limits: Http1Limits;
  readonly timers: TimerWheel;
  /**
   * The client began with the preface of HTTP/2, which is made to look like a request (RFC 9113 §3.4): the codec lets
   * go of the socket, which is paused, and of all the bytes that it has read. Null: such a client is refused.
   */
  readonly onPreface: ((bytes: Buffer) => void) | null;
  /** Default: CONNECT is not spoken here. */
  readonly onConnect?: ConnectListener;
}

/**
 * The client asks for a tunnel (RFC 9110 §9.3.6). Null: it was answered through `downstream`. Else the client is told yes, and
 * what is returned goes on: the codec has let go of the socket, which is paused; `early` was read behind the head.
 */
export type ConnectListener = (downstream: Downstream, head: RequestHead) => ((early: Buffer | null) => void) | null;
