// One comparison: contenders that do the same work, measured in interleaved rounds.
import { runLoad } from './load.ts';
import { type Measured, measure, type Subject } from './process.ts';
import type { Round, Row } from './report.ts';

/** The proxy, or the pair of proxies, under test has core 0 to itself; load and upstream share core 1. */
export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

export interface Contender {
  readonly name: string;
  /** Where load is sent. */
  readonly url: string;
  /** The processes whose cost counts. */
  readonly pids: readonly number[];
}

export interface Suite {
  /** Name of its part of RESULTS.md. */
  readonly name: string;
  /** Against whom ratios are taken. */
  readonly base: string;
  readonly connections: readonly number[];
  /** CPU per request of `subject` over that of `base`, at `connections`. */
  readonly target: { readonly subject: string; readonly connections: number; readonly ratio: number };
  /** Starts everything and adds it to `running`, which is stopped in reverse order whatever happens. */
  start(work: string, running: Stoppable[]): Promise<Contender[]>;
}

export type Stoppable = Pick<Subject, 'stop'>;

export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
}

export async function compare(suite: Suite, contenders: readonly Contender[], effort: Effort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const connections of suite.connections) {
    const results = new Map<Contender, Round[]>(contenders.map((contender) => [contender, []]));
    for (const contender of contenders) await measureRound(contender, connections, Math.min(effort.seconds, 3));
    for (let i = 0; i < effort.rounds; i++) {
      for (const [contender, list] of results) list.push(await measureRound(contender, connections, effort.seconds));
      process.stderr.write(`${suite.name}: ${connections} connections, round ${i + 1} of ${effort.rounds}\n`);
    }
    for (const [contender, rounds] of results) rows.push({ subject: contender.name, connections, rounds });
  }
  return rows;
}

async function measureRound(contender: Contender, connections: number, seconds: number): Promise<Round> {
  const before = total(contender);
  const load = await runLoad({ url: contender.url, connections, seconds, core: LOAD_CORE });
  const after = total(contender);
  if (load.failures > 0) {
    throw new Error(`${contender.name}: ${load.failures} failed requests at ${connections} connections`);
  }
  return { load, cpuMicros: ((after.cpuMs - before.cpuMs) * 1_000) / load.requests, memory: after };
}

function total(contender: Contender): Measured {
  return contender.pids.map(measure).reduce((a, b) => ({
    cpuMs: a.cpuMs + b.cpuMs,
    rssMiB: a.rssMiB + b.rssMiB,
    anonMiB: a.anonMiB + b.anonMiB,
  }));
}
