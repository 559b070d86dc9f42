// What one round of one contender gave, and the rows that rounds make.

/**
 * cpu: µs of CPU per request, all threads; rps: requests a second; p50, p99: ms; rss, anon, file: MiB at the end of the
 * round; perCpuSecond: things done per second of CPU; mibPerCpuSecond: MiB of bodies moved per second of CPU; perConnection: KiB of RSS; growth: MiB of RSS since
 * minute two; others: share of the proxy's core that other programs took, in percent; lag: how late the generator of a fixed rate was, ms at p99.
 */
export type Measure =
  | 'cpu'
  | 'rps'
  | 'p50'
  | 'p99'
  | 'rss'
  | 'anon'
  | 'file'
  | 'failures'
  | 'mibPerCpuSecond'
  | 'perCpuSecond'
  | 'mibPerSecond'
  | 'perConnection'
  | 'perConnectionAnon'
  | 'growth'
  | 'others'
  | 'lag';

export type Sample = Readonly<Partial<Record<Measure, number>>>;

export interface Row {
  /** What was asked: `32 connections`. */
  readonly point: string;
  /** Requests a second where the rate was fixed; null at saturation. */
  readonly rate: number | null;
  readonly subject: string;
  /** One per round, in the order of the rounds: those of two subjects with the same index were neighbours in time. */
  readonly samples: readonly Sample[];
}

export function valuesOf(row: Row, measure: Measure): number[] {
  return row.samples.map((sample) => sample[measure] ?? Number.NaN).filter((value) => !Number.isNaN(value));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** Median and quartiles. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), lower: quantile(values, 0.25), upper: quantile(values, 0.75) };
}

/** Round by round, as neighbours in time share what the machine did to them. */
export function ratios(row: Row, base: Row, measure: Measure): number[] {
  return row.samples
    .map((sample, i) => (sample[measure] ?? Number.NaN) / (base.samples[i]?.[measure] ?? Number.NaN))
    .filter((ratio) => !Number.isNaN(ratio));
}

export function rowOf(rows: readonly Row[], subject: string, like: Pick<Row, 'point' | 'rate'>): Row | undefined {
  return rows.find(
    (row) => row.subject === subject && row.point === like.point && (row.rate === null) === (like.rate === null),
  );
}

/** Linear between neighbours. */
function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * at;
  const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
  return low + (high - low) * (place - Math.floor(place));
}
