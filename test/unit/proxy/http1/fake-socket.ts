// A socket without a network, for the codec's tests: bytes are fed in by hand, and what is written, paused,
// ended and cut can be looked at. Everything is synchronous, so a test can try thousands of splits.
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

export class FakeSocket extends EventEmitter {
  writable = true;
  readable = true;
  destroyed = false;
  ended = false;
  wasReset = false;
  paused = false;
  writableNeedDrain = false;
  /** Every call of `write`, which is a system call on a real one unless corked. */
  readonly writes: Buffer[] = [];
  readonly #queued: Buffer[] = [];

  /** What the codec takes it for; it uses no more of a socket than this class has. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  get written(): string {
    return Buffer.concat(this.writes).toString('latin1');
  }

  /** Bytes from the peer. They wait while the codec has paused reading. */
  feed(bytes: Buffer | string): void {
    this.#queued.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    this.#deliver();
  }

  /** The peer ends its side. */
  feedEnd(): void {
    this.readable = false;
    this.emit('end');
  }

  drain(): void {
    this.writableNeedDrain = false;
    this.emit('drain');
  }

  write(data: Buffer | string): boolean {
    if (this.writable) this.writes.push(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return !this.writableNeedDrain;
  }

  end(flushed?: () => void): void {
    this.ended = true;
    this.writable = false;
    if (this.writableNeedDrain) this.once('drain', () => flushed?.());
    else flushed?.();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.writable = false;
    this.readable = false;
    process.nextTick(() => this.emit('close'));
  }

  destroySoon(): void {
    this.ended = true;
    this.destroy();
  }

  resetAndDestroy(): void {
    this.wasReset = true;
    this.destroy();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#deliver();
  }

  setNoDelay(): void {}

  cork(): void {}

  uncork(): void {}

  #deliver(): void {
    while (!this.paused && !this.destroyed && this.#queued.length > 0) this.emit('data', this.#queued.shift());
  }
}
