import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sharesOfEndpoints, sharesOfSplit } from '../../../../core/explain/shares.ts';
import { clusterName } from '../../../../core/model/brand.ts';

const split = (...weights: readonly number[]) =>
  weights.map((weight, index) => ({ cluster: clusterName(`c${index}`), weight }));

test('shares of a split are its weights', () => {
  assert.deepEqual(sharesOfSplit(split(95, 5)), [0.95, 0.05]);
  assert.deepEqual(sharesOfSplit(split(1, 0, 2)), [1 / 3, 0, 2 / 3]);
  assert.deepEqual(sharesOfSplit(split(7)), [1]);
  const [large = 0, small = 0] = sharesOfSplit(split(999_999, 1));
  assert.ok(large > 0.9999 && small < 0.0002);
});

test('shares of endpoints are those of the balancer: turns, weights, and the lighter load of two', () => {
  assert.deepEqual(sharesOfEndpoints('round-robin', [1, 1, 1, 1], [9, 0, 0, 0]), [0.25, 0.25, 0.25, 0.25]);
  assert.deepEqual(sharesOfEndpoints('smooth-weighted', [3, 1], [0, 0]), [0.75, 0.25]);
  assert.deepEqual(sharesOfEndpoints('least-request', [1, 1], [0, 0]), [0.5, 0.5]);
  // The busiest of all loses against whomever it is drawn with; the others win against it, and half of the rest.
  assert.deepEqual(sharesOfEndpoints('least-request', [1, 1, 1], [5, 0, 0]), [0, 0.5, 0.5]);
  assert.deepEqual(sharesOfEndpoints('least-request', [1], [7]), [1]);
  assert.deepEqual(sharesOfEndpoints('least-request', [], []), []);
});

test('they add up to 1, also of thousands, in bounded time', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 3_000 });
  fc.assert(
    fc.property(weights, fc.constantFrom('least-request', 'round-robin', 'smooth-weighted'), (row, balancer) => {
      const shares = sharesOfEndpoints(
        balancer,
        row,
        row.map((weight) => weight % 3),
      );
      const sum = shares.reduce((all, share) => all + share, 0);
      assert.ok(Math.abs(sum - 1) < 1e-9, String(sum));
    }),
    { numRuns: 15 },
  );
});
