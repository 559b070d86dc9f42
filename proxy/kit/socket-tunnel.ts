// A socket as a tunnel: plain TCP, TLS, or what an HTTP/1.1 codec handed over after a 101.
import type { Socket } from 'node:net';
import { abort } from './abort.ts';
import type { Tunnel, TunnelHandler } from './tunnel.ts';

export class SocketTunnel implements Tunnel {
  readonly #socket: Socket;
  /** Read before the tunnel began. */
  #early: Buffer | null;
  #paused = false;

  /** `socket` is paused, and nobody else listens to it. */
  constructor(socket: Socket, early: Buffer | null) {
    this.#socket = socket;
    this.#early = early;
    // What a broken connection still has to say is not worth more than its close.
    socket.on('error', ignore);
  }

  start(handler: TunnelHandler): void {
    const socket = this.#socket;
    // Either side may go on when the other has ended, on sockets that we opened too.
    socket.allowHalfOpen = true;
    socket.on('data', (chunk: Buffer) => handler.onData(chunk));
    socket.on('end', () => handler.onEnd());
    socket.on('drain', () => handler.onDrain());
    socket.on('close', () => handler.onClose(socket.errored !== null));
    const early = this.#early;
    this.#early = null;
    if (early !== null) handler.onData(early);
    if (socket.closed) {
      handler.onClose(true);
      return;
    }
    // Node says so once, however little anybody listened.
    if (socket.readableEnded) handler.onEnd();
    else if (!this.#paused) socket.resume();
  }

  write(chunk: Buffer): boolean {
    return !this.#socket.writable || this.#socket.write(chunk);
  }

  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroySoon();
  }

  destroy(): void {
    abort(this.#socket);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }
}

function ignore(): void {}
