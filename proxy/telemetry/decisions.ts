// The last denials of this proxy, in a ring of fixed size that only operators can read.
import type { RuleId, SnapshotHash, SpiffeId } from '../../core/model/brand.ts';

export interface Decision {
  /** Opaque and random: what the caller was given. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly rule: RuleId;
  readonly peer: SpiffeId | null;
  readonly method: string;
  readonly path: string;
  /** Which line of the config would admit it. */
  readonly hint: string;
  readonly snapshot: SnapshotHash;
}

const RING_SIZE = 4_096;

export class DecisionRing {
  readonly #ring: (Decision | undefined)[];
  #next = 0;

  constructor(size = RING_SIZE) {
    this.#ring = new Array<Decision | undefined>(size).fill(undefined);
  }

  add(decision: Decision): void {
    this.#ring[this.#next] = decision;
    this.#next = (this.#next + 1) % this.#ring.length;
  }

  find(id: string): Decision | null {
    return this.#ring.find((decision) => decision?.id === id) ?? null;
  }

  /** Newest first. */
  list(limit: number): Decision[] {
    const found: Decision[] = [];
    const size = this.#ring.length;
    for (let step = 1; step <= size && found.length < limit; step++) {
      const decision = this.#ring[(this.#next - step + size) % size];
      if (decision === undefined) break;
      found.push(decision);
    }
    return found;
  }
}
