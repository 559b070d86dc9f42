// What is asked of a load generator, and what it saw.
import type { Fields } from '../wire/messages.ts';

export interface Job {
  readonly url: string;
  readonly connections: number;
  /** HTTP/2: requests in flight on each connection. */
  readonly streams?: number;
  readonly seconds: number;
  /** Beside Host. */
  readonly fields?: Fields;
  readonly host: string;
  /** Bytes of a body that makes it a POST. */
  readonly upload?: number;
  /** The same as a file. */
  readonly uploadFile?: string;
}

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of answers, headers included; 0 where the generator does not count them. */
  readonly bytes: number;
  /** Answers other than 2xx and 3xx, and socket errors. */
  readonly failures: number;
}

/** Of a sorted list, by the nearest rank. */
export function percentile(sorted: ArrayLike<number>, rank: number): number {
  return sorted[Math.max(0, Math.ceil((sorted.length * rank) / 100) - 1)] ?? Number.NaN;
}
