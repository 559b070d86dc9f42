// The callee's side of a mesh leg: whose connection it is comes first, then the app is asked, then frames.
import type { Socket } from 'node:net';
import { MeshError } from '../../core/kit/error.ts';
import { readProxyHeader } from '../kit/proxy-protocol.ts';
import type { TimerWheel } from '../kit/timer-wheel.ts';
import { WheelTimer } from '../kit/timer-wheel.ts';
import type { Tunnel } from '../kit/tunnel.ts';
import type { OpeningHandler, TcpDownstream } from './downstream.ts';
import { lengthBytes, STATUS, type Status } from './frames.ts';
import { MeshTunnel } from './mesh-tunnel.ts';

/** Longest that the caller's proxy may take to say whose connection it is, in ms. */
const OPENING_TIMEOUT = 10_000;

export class MeshDownstream implements TcpDownstream {
  readonly #socket: Socket;
  readonly #timers: TimerWheel;
  readonly #timer = new WheelTimer(() => this.#fail('it did not say in time whose connection it is'));
  #read: Buffer = Buffer.alloc(0);
  /** It has said whose connection it is. */
  #begun = false;
  #handler: OpeningHandler | null = null;

  constructor(socket: Socket, timers: TimerWheel) {
    this.#socket = socket;
    this.#timers = timers;
  }

  begin(handler: OpeningHandler): void {
    this.#handler = handler;
    const socket = this.#socket;
    socket.on('error', ignore);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    this.#timers.schedule(this.#timer, OPENING_TIMEOUT);
    socket.resume();
  }

  accept(onBroken: (reason: string) => void): Tunnel {
    const socket = this.#socket;
    this.#letGo();
    socket.write(lengthBytes(STATUS.connected));
    const tunnel = new MeshTunnel(socket, { onStatus: ignore, onBroken }, false);
    if (this.#read.length > 0) tunnel.feed(this.#read);
    return tunnel;
  }

  refuse(error: MeshError): void {
    this.#letGo();
    if (this.#socket.destroyed) return;
    this.#socket.end(lengthBytes(statusOf(error)));
    this.#socket.destroySoon();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#read = this.#read.length === 0 ? chunk : Buffer.concat([this.#read, chunk]);
    const header = readProxyHeader(this.#read);
    if (header.kind === 'more') return;
    if (header.kind === 'invalid') return this.#fail(header.reason);
    // What follows belongs to the app: it waits until there is one.
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    this.#timers.cancel(this.#timer);
    this.#read = this.#read.subarray(header.length);
    this.#begun = true;
    this.#handler?.onOpening({ serverName: null, pair: header.pair });
  };

  /** Another proxy that warms up says nothing at all. */
  readonly #onEnd = (): void => {
    if (!this.#begun && this.#read.length > 0) this.#fail('it ended the connection before it began');
    else this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#timers.cancel(this.#timer);
    this.#handler?.onGone(!this.#begun && this.#read.length === 0);
  };

  #fail(detail: string): void {
    const error = new MeshError('bad-request', { origin: 'downstream', detail });
    this.#handler?.onFailed(error);
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

function statusOf(error: MeshError): Status {
  if (error.code === 'denied') return STATUS.denied;
  if (error.code === 'no-route') return STATUS.noRoute;
  return error.code === 'connect-failed' ? STATUS.unreachable : STATUS.unavailable;
}

function ignore(): void {}
