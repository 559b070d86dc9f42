// The tables that suites of comparisons have in common.
import type { TableSpec } from '../suite.ts';

const BEHIND = [
  { title: 'p50 ms', measure: 'p50', digits: 2 },
  { title: 'p99 ms', measure: 'p99', digits: 2 },
  { title: 'RSS MiB', measure: 'rss', digits: 0 },
  { title: 'private MiB', measure: 'anon', digits: 0 },
] as const;

/** CPU per request at saturation, then latency at the fixed rate. */
export function costTables(base: string, of: string): readonly TableSpec[] {
  return [
    {
      title: '',
      base,
      of,
      includes: (row) => row.rate === null,
      columns: [
        { title: 'CPU per request, µs', measure: 'cpu', digits: 1, main: true },
        { title: 'requests/s', measure: 'rps', digits: 0 },
        ...BEHIND,
      ],
    },
    {
      title: `At a fixed rate, half of what the slower of the two managed`,
      base,
      of,
      includes: (row) => row.rate !== null,
      columns: [
        { title: 'p99 ms', measure: 'p99', digits: 2, main: true },
        { title: 'p50 ms', measure: 'p50', digits: 2, main: true },
        { title: 'CPU per request, µs', measure: 'cpu', digits: 1 },
        { title: 'generator late by, p99 ms', measure: 'lag', digits: 2 },
      ],
    },
  ];
}

export function throughputTable(base: string): TableSpec {
  return {
    title: '',
    base,
    of: 'bodies',
    includes: () => true,
    columns: [
      { title: 'MiB per CPU second', measure: 'mibPerCpuSecond', digits: 0, main: true },
      { title: 'MiB/s', measure: 'mibPerSecond', digits: 0 },
      ...BEHIND.slice(2),
    ],
  };
}
