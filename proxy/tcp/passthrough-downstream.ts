// A TLS client whose TLS is not ended here: its hello is read for the name that it asks for, and sent on as it came.
import type { Socket } from 'node:net';
import { MeshError } from '../../core/kit/error.ts';
import { abort } from '../kit/abort.ts';
import { SocketTunnel } from '../kit/socket-tunnel.ts';
import { type TimerWheel, WheelTimer } from '../kit/timer-wheel.ts';
import type { Tunnel } from '../kit/tunnel.ts';
import { readClientHello } from './client-hello.ts';
import type { OpeningHandler, TcpDownstream } from './downstream.ts';

/** Longest that a client may take for its hello, in ms. Source: as the TLS handshake of an edge. */
const HELLO_TIMEOUT = 10_000;
/** Fatal alert unrecognized_name (RFC 6066 §3), in plaintext as everything before the ServerHello is. */
const UNRECOGNIZED_NAME = Buffer.from('1503010002' + '0270', 'hex');

export class PassthroughDownstream implements TcpDownstream {
  readonly #socket: Socket;
  readonly #timers: TimerWheel;
  readonly #timer = new WheelTimer(() => this.#fail('request-timeout', 'its hello did not come in time'));
  #read: Buffer = Buffer.alloc(0);
  /** Before there are so many bytes it is not looked at again: a client may send them one by one. */
  #least = 0;
  #handler: OpeningHandler | null = null;

  constructor(socket: Socket, timers: TimerWheel) {
    this.#socket = socket;
    this.#timers = timers;
    socket.on('error', ignore);
  }

  begin(handler: OpeningHandler): void {
    this.#handler = handler;
    const socket = this.#socket;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    this.#timers.schedule(this.#timer, HELLO_TIMEOUT);
    socket.resume();
  }

  accept(): Tunnel {
    this.#letGo();
    return new SocketTunnel(this.#socket, this.#read);
  }

  refuse(error: MeshError): void {
    this.#letGo();
    // Who asks for a name that nobody has is told so in its own words.
    if (error.code !== 'no-route' || this.#socket.destroyed) return abort(this.#socket);
    this.#socket.write(UNRECOGNIZED_NAME);
    this.#socket.destroySoon();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#read = this.#read.length === 0 ? chunk : Buffer.concat([this.#read, chunk]);
    if (this.#read.length < this.#least) return;
    const hello = readClientHello(this.#read);
    if (hello.kind === 'more') {
      this.#least = hello.least;
      return;
    }
    if (hello.kind === 'invalid') return this.#fail('bad-request', hello.reason);
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#timers.cancel(this.#timer);
    this.#handler?.onOpening({ serverName: hello.serverName, pair: null });
  };

  readonly #onEnd = (): void => this.#fail('bad-request', 'it ended the connection within its hello');

  readonly #onClose = (): void => {
    this.#timers.cancel(this.#timer);
    this.#handler?.onGone(false);
  };

  #fail(code: 'bad-request' | 'request-timeout', detail: string): void {
    this.#handler?.onFailed(new MeshError(code, { origin: 'downstream', detail }));
  }

  #letGo(): void {
    const socket = this.#socket;
    this.#handler = null;
    this.#timers.cancel(this.#timer);
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
  }
}

function ignore(): void {}
