// What a fuzz run is made of: a target makes inputs from random numbers and throws where something is wrong with one.

/** Numbers in [0, 1). */
export type Random = () => number;

export interface FuzzTarget {
  readonly name: string;
  /** Inputs that are looked at side by side; 1 where a target is synchronous. */
  readonly batch: number;
  make(random: Random): Buffer;
  /** Throws where the input shows a fault. `random` may be used for how the input is fed. */
  check(input: Buffer, random: Random): Promise<void> | void;
  /** Milliseconds of processor time that one batch may take; more is a hang. */
  readonly limit: number;
  close?(): void;
}

export interface FuzzFault {
  readonly target: string;
  /** The run that shows it again: with this seed it is the first batch. */
  readonly seed: number;
  /** latin1. */
  readonly input: string;
  readonly error: unknown;
}

export interface FuzzRun {
  readonly count: number;
  readonly seed: number;
  /** Now and then, with the number of inputs so far. */
  readonly onProgress?: (done: number) => void;
}
