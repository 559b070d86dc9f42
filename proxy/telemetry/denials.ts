// A denial is always said: a line in the log and a place in the ring. The caller learns its id only.
import type { Log } from '../../core/kit/log.ts';
import type { RuleId, SnapshotHash, SpiffeId } from '../../core/model/brand.ts';
import type { DecisionRing } from './decisions.ts';

export interface Denial {
  readonly id: string;
  readonly rule: RuleId;
  readonly peer: SpiffeId | null;
  readonly method: string;
  readonly path: string;
  readonly hint: string;
}

/** Where denials are said. */
export interface DenialSink {
  record(denial: Denial, snapshot: SnapshotHash): void;
}

export class Denials implements DenialSink {
  readonly #ring: DecisionRing;
  readonly #log: Log;
  /** Milliseconds since 1970. */
  readonly #clock: () => number;

  constructor(ring: DecisionRing, log: Log, clock: () => number) {
    this.#ring = ring;
    this.#log = log;
    this.#clock = clock;
  }

  record(denial: Denial, snapshot: SnapshotHash): void {
    const { id, rule, peer, method, path, hint } = denial;
    this.#ring.add({ ...denial, at: this.#clock(), snapshot });
    this.#log.warn({ decision: id, rule, peer, method, path, hint, snapshot }, 'denied');
  }
}
