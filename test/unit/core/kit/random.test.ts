import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../../core/kit/random.ts';

const draw = (seed: number, count: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random());
};

test('the same seed gives the same numbers, another seed others', () => {
  assert.deepEqual(draw(42, 50), draw(42, 50));
  assert.notDeepEqual(draw(42, 5), draw(43, 5));
  assert.deepEqual(draw(1, 3), [0.7879820661619306, 0.9315966202411801, 0.09453149023465812]);
});

test('numbers lie in [0, 1) and are spread evenly, from every seed', () => {
  for (const seed of [0, 1, 2, -1, 4_294_967_295, 1e15]) {
    const numbers = draw(seed, 20_000);
    assert.ok(numbers.every((one) => one >= 0 && one < 1));
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const one of numbers) tenths[Math.floor(one * 10)] = (tenths[Math.floor(one * 10)] as number) + 1;
    for (const count of tenths) assert.ok(Math.abs(count - 2000) < 250, `seed ${seed}: ${tenths.join()}`);
  }
});
