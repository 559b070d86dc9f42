// Durations as counts in buckets that grow evenly: 4 to each doubling, so a quantile is at most 19 % off. A
// histogram is a row of a typed array, so rows can lie side by side and in shared memory.

const BUCKETS_PER_DOUBLING = 4;
/** Upper end of the first bucket, in ms; 21 doublings later stand 105 s. */
const SMALLEST = 0.05;
const DOUBLINGS = 21;
/** Buckets of a row: the last takes everything that is longer. */
export const BUCKET_COUNT = DOUBLINGS * BUCKETS_PER_DOUBLING + 2;

/** Upper ends in ms, inclusive; the last is Infinity. */
export const BUCKET_BOUNDS: readonly number[] = Array.from({ length: BUCKET_COUNT }, (_, index) =>
  index === BUCKET_COUNT - 1 ? Number.POSITIVE_INFINITY : SMALLEST * 2 ** (index / BUCKETS_PER_DOUBLING),
);

export type HistogramRow = Float64Array | Uint32Array;

/** Of one bucket to its neighbour. */
export const BUCKET_RATIO = 2 ** (1 / BUCKETS_PER_DOUBLING);

/** @param value in ms; what is negative or no number counts as 0 */
export function bucketOf(value: number): number {
  if (!(value > SMALLEST)) return 0;
  const guess = Math.ceil(Math.log2(value / SMALLEST) * BUCKETS_PER_DOUBLING);
  if (guess >= BUCKET_COUNT - 1)
    return value <= (BUCKET_BOUNDS[BUCKET_COUNT - 2] as number) ? BUCKET_COUNT - 2 : BUCKET_COUNT - 1;
  // The logarithm may round to the wrong side of a bound.
  if (value <= (BUCKET_BOUNDS[guess - 1] as number)) return guess - 1;
  return value > (BUCKET_BOUNDS[guess] as number) ? guess + 1 : guess;
}

/** Counts a value (ms) in the row of BUCKET_COUNT elements that begins at `offset`. */
export function record(row: HistogramRow, value: number, offset = 0): void {
  const index = offset + bucketOf(value);
  row[index] = (row[index] as number) + 1;
}

export function totalCount(row: HistogramRow, offset = 0): number {
  let total = 0;
  for (let i = 0; i < BUCKET_COUNT; i++) total += row[offset + i] as number;
  return total;
}

/**
 * The upper end of the bucket that holds the quantile, in ms; NaN where nothing was counted.
 *
 * @param q from 0 to 1
 */
export function quantile(row: HistogramRow, q: number, offset = 0): number {
  const total = totalCount(row, offset);
  if (total === 0) return Number.NaN;
  const wanted = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (let i = 0; i < BUCKET_COUNT; i++) {
    seen += row[offset + i] as number;
    if (seen >= wanted) return BUCKET_BOUNDS[i] as number;
  }
  return Number.POSITIVE_INFINITY;
}

/** Adds the counts of `from` to those of `into`. */
export function mergeHistogram(into: HistogramRow, from: HistogramRow, intoOffset = 0, fromOffset = 0): void {
  for (let i = 0; i < BUCKET_COUNT; i++) {
    into[intoOffset + i] = (into[intoOffset + i] as number) + (from[fromOffset + i] as number);
  }
}
