// Medians and spreads of the rounds, as a table for people and for bench/RESULTS.md.
import type { Measured } from './process.ts';
import type { Load } from './load.ts';

export interface Round {
  readonly load: Load;
  /** CPU of the proxy, all threads, per request, in µs. */
  readonly cpuMicros: number;
  readonly memory: Measured;
}

export interface Row {
  readonly subject: string;
  readonly connections: number;
  readonly rounds: readonly Round[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function medianCpu(row: Row): number {
  return median(row.rounds.map((round) => round.cpuMicros));
}

/** A Markdown table; `base` is the subject that ratios are taken against, within the same connections. */
export function table(rows: readonly Row[], base: string): string {
  const lines = [
    '| connections | proxy | CPU per request, µs (min–max) | × ' +
      base +
      ' | requests/s | p50 ms | p99 ms | RSS MiB (private) |',
    '|--:|--|--:|--:|--:|--:|--:|--:|',
  ];
  for (const row of rows) {
    const reference = rows.find((other) => other.subject === base && other.connections === row.connections);
    const cpu = row.rounds.map((round) => round.cpuMicros);
    const of = (pick: (round: Round) => number): number => median(row.rounds.map(pick));
    const cells = [
      String(row.connections),
      row.subject,
      `${medianCpu(row).toFixed(1)} (${Math.min(...cpu).toFixed(1)}–${Math.max(...cpu).toFixed(1)})`,
      reference === undefined ? '' : (medianCpu(row) / medianCpu(reference)).toFixed(2),
      of((round) => round.load.requests / round.load.seconds).toFixed(0),
      of((round) => round.load.p50Ms).toFixed(2),
      of((round) => round.load.p99Ms).toFixed(2),
      `${of((round) => round.memory.rssMiB).toFixed(0)} (${of((round) => round.memory.anonMiB).toFixed(0)})`,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}
