// A tunnel that counts what passes it, both ways, and says when something did last.
import type { Tunnel, TunnelHandler } from '../kit/tunnel.ts';

export class WatchedTunnel implements Tunnel, TunnelHandler {
  /** Bytes read from the peer, and written to it. */
  received = 0;
  sent = 0;
  /** As `now` has it. */
  movedAt: number;
  readonly #tunnel: Tunnel;
  readonly #now: () => number;
  #handler: TunnelHandler | null = null;

  constructor(tunnel: Tunnel, now: () => number) {
    this.#tunnel = tunnel;
    this.#now = now;
    this.movedAt = now();
  }

  start(handler: TunnelHandler): void {
    this.#handler = handler;
    this.#tunnel.start(this);
  }

  write(chunk: Buffer): boolean {
    this.sent += chunk.length;
    this.movedAt = this.#now();
    return this.#tunnel.write(chunk);
  }

  end(): void {
    this.#tunnel.end();
  }

  close(): void {
    this.#tunnel.close();
  }

  destroy(): void {
    this.#tunnel.destroy();
  }

  pause(): void {
    this.#tunnel.pause();
  }

  resume(): void {
    this.#tunnel.resume();
  }

  onData(chunk: Buffer): void {
    this.received += chunk.length;
    this.movedAt = this.#now();
    this.#handler?.onData(chunk);
  }

  onEnd(): void {
    this.#handler?.onEnd();
  }

  onDrain(): void {
    // A slow reader that takes what was kept for it is not idle.
    this.movedAt = this.#now();
    this.#handler?.onDrain();
  }

  onClose(broken: boolean): void {
    this.#handler?.onClose(broken);
  }
}
