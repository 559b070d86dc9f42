// The beginning of a request body, kept so that another endpoint can be given it. Above the cap nothing
// is kept and the exchange is not retried (source: Linkerd, 64 KiB).
import type { Upstream } from '../exchange.ts';
import { PieceList } from '../kit/buffers.ts';

const REPLAY_BYTES = 65_536;

export class ReplayBuffer {
  #kept: PieceList | null = null;
  #overflowed = false;

  /** False: the body began and not all of it is here. */
  get whole(): boolean {
    return !this.#overflowed;
  }

  keep(chunk: Buffer): void {
    if (this.#overflowed) return;
    this.#kept ??= new PieceList();
    if (this.#kept.length + chunk.length > REPLAY_BYTES) this.drop();
    else this.#kept.add(chunk);
  }

  /** Nothing will be sent again. */
  drop(): void {
    this.#overflowed = true;
    this.#kept = null;
  }

  /** False: stop until the upstream drains. */
  sendTo(upstream: Upstream): boolean {
    let ready = true;
    if (this.#kept !== null) for (const chunk of this.#kept.pieces) ready = upstream.sendData(chunk);
    return ready;
  }
}
