// What a suite of the bench is.
import type { Effort } from './effort.ts';
import type { Measured, Subject } from './process.ts';
import { measure } from './process.ts';
import type { Measure, Row } from './sample.ts';

export interface Contender {
  readonly name: string;
  /** `subject`: what is judged; `base`: what it is judged against. */
  readonly role: 'subject' | 'base' | 'peer';
  /** Warms up as long as Weft does. */
  readonly jit: boolean;
  /** Base URLs by the name of a listener. */
  readonly urls: Readonly<Record<string, string>>;
  /** What names the service in `Host`. */
  readonly host: string;
  /** The processes whose cost counts. */
  readonly pids: readonly number[];
}

export interface Suite {
  /** Name of its part of RESULTS.md. */
  readonly name: string;
  readonly title: string;
  /** What was run, for RESULTS.md. */
  readonly about: string;
  readonly tables: readonly TableSpec[];
  /** Seconds that it takes, about. */
  estimate(effort: Effort): number;
  run(context: SuiteContext): Promise<void>;
}

export interface TableSpec {
  readonly title: string;
  readonly base: string | null;
  /** Heading of the first column. */
  readonly of: string;
  includes(row: Row): boolean;
  readonly columns: readonly Column[];
}

export interface Column {
  readonly title: string;
  readonly measure: Measure;
  readonly digits: number;
  /** With least and greatest, and the ratio to the base where there is one. */
  readonly main?: boolean;
}

export interface SuiteContext {
  /** A folder for files, removed afterwards. */
  readonly work: string;
  readonly effort: Effort;
  /** What is stopped afterwards, in reverse order. */
  readonly running: Stoppable[];
  /** Rows are added as they are measured. */
  readonly rows: Row[];
  /** What a reader of the rows must know. */
  readonly notes: string[];
  /** Null: all. */
  readonly only: ReadonlySet<string> | null;
  /** Parts of names of points; null: all. */
  readonly points: readonly string[] | null;
  say(line: string): void;
}

export type Stoppable = Pick<Subject, 'stop'>;

export function wanted(context: SuiteContext, name: string): boolean {
  return context.only === null || context.only.has(name);
}

/** Sums over the processes of a contender. */
export function cost(contender: Contender): Measured {
  return contender.pids.map(measure).reduce((a, b) => ({
    cpuMs: a.cpuMs + b.cpuMs,
    rssMiB: a.rssMiB + b.rssMiB,
    anonMiB: a.anonMiB + b.anonMiB,
    fileMiB: a.fileMiB + b.fileMiB,
  }));
}
