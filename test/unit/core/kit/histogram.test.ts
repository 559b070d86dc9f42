import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BUCKET_BOUNDS,
  BUCKET_COUNT,
  BUCKET_RATIO,
  bucketOf,
  mergeHistogram,
  quantile,
  record,
  totalCount,
} from '../../../../core/kit/histogram.ts';

const row = (): Uint32Array => new Uint32Array(BUCKET_COUNT);

test('a value falls into the one bucket whose bounds hold it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (value) => {
      const bucket = bucketOf(value);
      assert.ok(value <= (BUCKET_BOUNDS[bucket] as number));
      assert.ok(bucket === 0 || value > (BUCKET_BOUNDS[bucket - 1] as number));
    }),
    { numRuns: 10_000 },
  );
});

test('every bound belongs to its own bucket', () => {
  for (const [index, bound] of BUCKET_BOUNDS.entries()) assert.equal(bucketOf(bound), index);
});

test('what is no duration counts as none, what is longer than all as the longest', () => {
  for (const value of [Number.NaN, -1, -0]) assert.equal(bucketOf(value), 0);
  assert.equal(bucketOf(Number.POSITIVE_INFINITY), BUCKET_COUNT - 1);
  assert.equal(bucketOf(1e300), BUCKET_COUNT - 1);
});

test('the bounds grow from below 0.1 ms to beyond a minute', () => {
  assert.ok((BUCKET_BOUNDS[0] as number) < 0.1 && (BUCKET_BOUNDS[BUCKET_COUNT - 2] as number) > 60_000);
  assert.equal(BUCKET_BOUNDS.length, BUCKET_COUNT);
});

test('a quantile is never below the true one and at most one bucket above it', () => {
  const durations = fc.array(fc.double({ min: 0.05, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(durations, fc.constantFrom(0, 0.5, 0.9, 0.99, 1), (values, q) => {
      const counts = row();
      for (const value of values) record(counts, value);
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] as number;
      const found = quantile(counts, q);
      assert.ok(found >= exact && found <= exact * BUCKET_RATIO * 1.000001, `${exact} → ${found}`);
    }),
  );
});

test('nothing counted has no quantile', () => assert.ok(Number.isNaN(quantile(row(), 0.5))));

test('rows that lie side by side do not touch each other, and merge', () => {
  const rows = new Float64Array(3 * BUCKET_COUNT);
  for (const value of [1, 2, 3]) record(rows, value, BUCKET_COUNT);
  record(rows, 100, 2 * BUCKET_COUNT);
  assert.deepEqual(
    [0, 1, 2].map((index) => totalCount(rows, index * BUCKET_COUNT)),
    [0, 3, 1],
  );
  mergeHistogram(rows, rows, 0, BUCKET_COUNT);
  mergeHistogram(rows, rows, 0, 2 * BUCKET_COUNT);
  assert.equal(totalCount(rows), 4);
  assert.equal(quantile(rows, 1), quantile(rows, 1, 2 * BUCKET_COUNT));
});
