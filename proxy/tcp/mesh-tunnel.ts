// TCP over the mesh leg as a tunnel: frames both ways on a TLS connection of their own. The end of a direction is said in
// a frame, so that one that was cut is never taken for one that ended.
import type { Socket } from 'node:net';
import type { Tunnel, TunnelHandler } from '../kit/tunnel.ts';
import { FrameReader, type FrameHandler, lengthBytes } from './frames.ts';

const END = lengthBytes(0);

export interface MeshTunnelEvents {
  /** The callee's proxy says what became of the connection. Only before `start`. */
  onStatus(status: number): void;
  /** It broke off or broke the rules. Before `start` this is the last call there is; after it the handler's `onClose` follows. */
  onBroken(reason: string): void;
}

export class MeshTunnel implements Tunnel, FrameHandler {
  readonly #socket: Socket;
  readonly #events: MeshTunnelEvents;
  readonly #reader: FrameReader;
  #handler: TunnelHandler | null = null;
  /** Payload that came along with the status. */
  #early: Buffer[] = [];
  #endSent = false;
  #endReceived = false;
  #broken = false;
  #paused = false;

  /** `wantsStatus`: on the caller's side. */
  constructor(socket: Socket, events: MeshTunnelEvents, wantsStatus: boolean) {
    this.#socket = socket;
    this.#events = events;
    this.#reader = new FrameReader(this, wantsStatus);
    socket.allowHalfOpen = true;
    socket.on('error', (error: Error) => this.#cut(error.message));
    socket.on('data', (chunk: Buffer) => this.#reader.read(chunk));
    socket.on('drain', () => this.#handler?.onDrain());
    socket.on('end', () => this.#onSocketEnd());
    socket.on('close', () => this.#onSocketClose());
  }

  /** Bytes that were read before there was a tunnel. */
  feed(chunk: Buffer): void {
    this.#reader.read(chunk);
  }

  start(handler: TunnelHandler): void {
    this.#handler = handler;
    const early = this.#early;
    this.#early = [];
    for (const chunk of early) handler.onData(chunk);
    if (this.#endReceived) handler.onEnd();
    if (this.#socket.closed) this.#onSocketClose();
    else if (!this.#paused) this.#socket.resume();
  }

  write(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (this.#endSent || !socket.writable || chunk.length === 0) return true;
    // One TLS record for both where they fit.
    socket.cork();
    socket.write(lengthBytes(chunk.length));
    const room = socket.write(chunk);
    socket.uncork();
    return room;
  }

  end(): void {
    this.#sayEnd();
    if (this.#endReceived) this.#socket.end();
  }

  close(): void {
    this.#sayEnd();
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#broken = true;
    this.#socket.destroy();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  onStatus(status: number): void {
    this.#events.onStatus(status);
  }

  onData(chunk: Buffer): void {
    if (this.#handler !== null) this.#handler.onData(chunk);
    else this.#keep(chunk);
  }

  onEnd(): void {
    this.#endReceived = true;
    this.#handler?.onEnd();
    if (this.#endSent) this.#socket.end();
  }

  onInvalid(reason: string): void {
    this.#cut(reason);
    this.#socket.destroy();
  }

  /** A server that speaks first: nothing more is read until the tunnel starts. */
  #keep(chunk: Buffer): void {
    this.#early.push(chunk);
    this.#socket.pause();
  }

  #sayEnd(): void {
    if (this.#endSent) return;
    this.#endSent = true;
    if (this.#socket.writable) this.#socket.write(END);
  }

  #onSocketEnd(): void {
    if (this.#endReceived) {
      this.#socket.end();
      return;
    }
    this.#cut('it closed the connection without an end');
    this.#socket.destroy();
  }

  #cut(reason: string): void {
    this.#broken = true;
    this.#events.onBroken(reason);
  }

  #onSocketClose(): void {
    const handler = this.#handler;
    if (handler === null) return this.#events.onBroken('it closed the connection');
    this.#handler = null;
    handler.onClose(this.#broken || !this.#endReceived);
  }
}
