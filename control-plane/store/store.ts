// What the control plane remembers, as an interface: values by key with revisions, and logs that only grow. One
// engine keeps them in files; one for several control planes can take its place.
import type { Result } from '../../core/kit/result.ts';

export interface Stored {
  readonly value: string;
  /** From 1, one more with each put. A key that was deleted begins again. */
  readonly revision: number;
}

/** Somebody else was faster. */
export interface Conflict {
  /** Where the key is now; 0: it is not there. */
  readonly revision: number;
}

/** Keys and names of logs are lower-case words, digits and dashes, in folders: `history/0000000042`. */
export interface Store {
  /** null: it is not there, or damaged beyond use. */
  get(key: string): Promise<Stored | null>;
  /** Every key below a folder, sorted. */
  keys(folder: string): Promise<readonly string[]>;
  /**
   * Resolves with the new revision once the value would survive a power cut. `expected`: only if the key is at that
   * revision, 0 for not there. Throws MeshError `file-unreadable`, with the old value in place.
   */
  put(key: string, value: string, expected?: number): Promise<Result<number, Conflict>>;
  delete(key: string): Promise<void>;
  /** Resolves once the entry would survive a power cut. Throws MeshError `file-unreadable`, with no part of it left. */
  append(log: string, entry: object): Promise<void>;
  /** The last entries of a log, oldest first. */
  tail(log: string, most: number): Promise<readonly unknown[]>;
  /** Waits for what is being written. */
  close(): Promise<void>;
}
