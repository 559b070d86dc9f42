import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseSplit } from '../../../../core/decide/split.ts';
import { clusterName } from '../../../../core/model/brand.ts';

const split = (...weights: number[]): { cluster: ReturnType<typeof clusterName>; weight: number }[] =>
  weights.map((weight, index) => ({ cluster: clusterName('orders', `v${index}`), weight }));

function chosen(weights: number[], random: number): string {
  return chooseSplit(split(...weights), random).cluster;
}

test('each cluster gets its share of the sum', () => {
  assert.equal(chosen([95, 5], 0), 'orders@v0');
  assert.equal(chosen([95, 5], 0.9499), 'orders@v0');
  assert.equal(chosen([95, 5], 0.95), 'orders@v1');
  assert.equal(chosen([95, 5], 0.9999999), 'orders@v1');
  assert.equal(chosen([1, 1, 2], 0.3), 'orders@v1');
});

test('one cluster gets all', () => assert.equal(chosen([1], 0.7), 'orders@v0'));

test('the shares are exact over an even spread of chances', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }), (weights) => {
      const total = weights.reduce((sum, one) => sum + one, 0);
      fc.pre(total > 0);
      const counts = weights.map(() => 0);
      for (let i = 0; i < total; i++) {
        const index = Number(chosen(weights, (i + 0.5) / total).slice('orders@v'.length));
        counts[index] = (counts[index] as number) + 1;
      }
      assert.deepEqual(counts, weights);
    }),
  );
});

test('weight 0 gets nothing, first, last or where rounding would leave a rest', () => {
  assert.equal(chosen([0, 1], 0), 'orders@v1');
  assert.equal(chosen([1, 0], 1 - Number.EPSILON), 'orders@v0');
  assert.equal(chosen([0.1, 0.2, 0.3, 0], 1), 'orders@v2');
});
