// The beginning of a request body, kept so that another endpoint can be given it. Above the cap nothing
// is kept and the exchange is not retried (source: Linkerd, 64 KiB).
import { REPLAY_BYTES } from '../../core/decide/retry.ts';
import type { Upstream } from '../exchange.ts';
import { PieceList } from '../kit/buffers.ts';
import { hold, release } from '../kit/slab.ts';

export class ReplayBuffer {
  #kept: PieceList | null = null;
  #overflowed = false;
  /** Chunks of it that are to be released. */
  #held: Buffer[] | null = null;

  /** False: the body began and not all of it is here. */
  get whole(): boolean {
    return !this.#overflowed;
  }

  /** `unsent`: it waits for a connection, kept there too, and the sender is told to stop: then it is kept above the cap. */
  keep(chunk: Buffer, unsent = false): void {
    if (this.#overflowed) return;
    this.#kept ??= new PieceList();
    if (!unsent && this.#kept.length + chunk.length > REPLAY_BYTES) this.drop();
    else this.#add(this.#kept, chunk);
  }

  /** Nothing will be sent again. */
  drop(): void {
    this.#overflowed = true;
    this.#kept = null;
    const held = this.#held;
    this.#held = null;
    if (held !== null) for (const chunk of held) release(chunk);
  }

  /** False: stop until the upstream drains. */
  sendTo(upstream: Upstream): boolean {
    let ready = true;
    for (const chunk of this.#kept?.pieces ?? []) {
      // The upstream lets go of what it was given.
      hold(chunk);
      ready = upstream.sendData(chunk);
    }
    return ready;
  }

  #add(kept: PieceList, chunk: Buffer): void {
    kept.add(chunk);
    if (!hold(chunk)) return;
    this.#held ??= [];
    this.#held.push(chunk);
  }
}
