import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { leastRequest, roundRobin, smoothWeighted } from '../../../../core/decide/balance.ts';
import { seededRandom } from '../../../../core/kit/random.ts';

const all = (count: number): Uint8Array => new Uint8Array(count).fill(1);

/** The three as one function of (usable, previous), each with fresh state for `count` endpoints. */
function pickers(weights: readonly number[]): Record<string, (usable: Uint8Array, previous: number) => number> {
  const cursor = new Uint32Array(1);
  const weight = Uint32Array.from(weights);
  const current = new Float64Array(weights.length);
  const active = new Uint32Array(weights.length);
  const random = seededRandom(7);
  return {
    roundRobin: (usable, previous) => roundRobin(cursor, usable, previous),
    smoothWeighted: (usable, previous) => smoothWeighted(weight, current, usable, previous),
    leastRequest: (usable, previous) => {
      const index = leastRequest(weight, active, usable, previous, random(), random());
      if (index !== -1) active[index] = (active[index] as number) + 1;
      return index;
    },
  };
}

test('all three pick a usable endpoint, another one than the last where there is one, and -1 only where none is', () => {
  const endpoints = fc.array(fc.record({ weight: fc.integer({ min: 1, max: 50 }), usable: fc.boolean() }), {
    maxLength: 8,
  });
  const steps = fc.array(fc.integer({ min: -1, max: 8 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(endpoints, steps, (list, previouses) => {
      const usable = Uint8Array.from(list, (one) => Number(one.usable));
      const count = usable.reduce((sum, one) => sum + one, 0);
      for (const [name, pick] of Object.entries(pickers(list.map((one) => one.weight)))) {
        for (const previous of previouses) {
          const index = pick(usable, previous);
          if (count === 0) assert.equal(index, -1, name);
          else assert.equal(usable[index], 1, name);
          if (count > 1) assert.notEqual(index, previous, name);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('round robin takes turns, and goes on after the one it picked when some drop out', () => {
  const cursor = new Uint32Array(1);
  const usable = all(3);
  const picks = (count: number): number[] => Array.from({ length: count }, () => roundRobin(cursor, usable, -1));
  assert.deepEqual(picks(4), [0, 1, 2, 0]);
  usable[1] = 0;
  assert.deepEqual(picks(3), [2, 0, 2]);
});

test('round robin goes on when there are fewer endpoints than before', () => {
  assert.equal(roundRobin(Uint32Array.of(7), all(2), -1), 1);
  assert.equal(roundRobin(Uint32Array.of(4_294_967_295), all(1), -1), 0);
});

test('smooth weighted gives the sequence that nginx documents', () => {
  const weights = Uint32Array.of(5, 1, 1);
  const current = new Float64Array(3);
  const picks = Array.from({ length: 7 }, () => smoothWeighted(weights, current, all(3), -1));
  assert.deepEqual(picks, [0, 0, 1, 0, 2, 0, 0]);
  assert.deepEqual([...current], [0, 0, 0]);
});

test('smooth weighted is exact over every sum of weights, and never bursts', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }), (list) => {
      const weights = Uint32Array.from(list);
      const current = new Float64Array(list.length);
      const total = list.reduce((sum, one) => sum + one, 0);
      for (let round = 0; round < 3; round++) {
        const counts = list.map(() => 0);
        for (let i = 0; i < total; i++) {
          const index = smoothWeighted(weights, current, all(list.length), -1);
          counts[index] = (counts[index] ?? 0) + 1;
        }
        assert.deepEqual(counts, list);
      }
    }),
  );
});

test('smooth weighted stays exact among the others while one is out', () => {
  const weights = Uint32Array.of(3, 2, 1);
  const current = new Float64Array(3);
  const usable = Uint8Array.of(1, 0, 1);
  const counts = [0, 0, 0];
  for (let i = 0; i < 400; i++) {
    const index = smoothWeighted(weights, current, usable, -1);
    counts[index] = (counts[index] as number) + 1;
  }
  assert.deepEqual(counts, [300, 0, 100]);
});

test('least request takes the less busy of two, by weight', () => {
  const pick = (weights: number[], active: number[], random1: number, random2: number): number =>
    leastRequest(Uint32Array.from(weights), Uint32Array.from(active), all(weights.length), -1, random1, random2);
  assert.equal(pick([1, 1], [5, 4], 0, 0), 1);
  assert.equal(pick([1, 1], [4, 5], 0, 0), 0);
  assert.equal(pick([1, 1], [4, 4], 0.9, 0), 1, 'a tie goes to the first drawn');
  assert.equal(pick([3, 1], [5, 1], 0, 0), 0, '3/6 = 1/2 is a tie');
  assert.equal(pick([3, 1], [6, 1], 0, 0), 1, '3/7 < 1/2');
  assert.equal(pick([1, 1, 1], [0, 9, 9], 0.4, 0.6), 1, 'the idle one was not drawn');
});

test('least request draws two different endpoints, each pair as often as any other', () => {
  const random = seededRandom(3);
  const active = new Uint32Array(4);
  const seen = new Map<number, number>();
  for (let i = 0; i < 12_000; i++) {
    // All equally busy: the first drawn wins, so each wins a quarter.
    const index = leastRequest(Uint32Array.of(1, 1, 1, 1), active, all(4), -1, random(), random());
    seen.set(index, (seen.get(index) ?? 0) + 1);
  }
  for (const count of seen.values()) assert.ok(Math.abs(count - 3000) < 200, `${count}`);
  // The busiest of four never wins against another: it would have to be drawn twice.
  active[2] = 1;
  for (let i = 0; i < 2000; i++) {
    assert.notEqual(leastRequest(Uint32Array.of(1, 1, 1, 1), active, all(4), -1, random(), random()), 2);
  }
});

test('least request keeps a slow endpoint at about the load of the others', () => {
  const random = seededRandom(11);
  const active = new Uint32Array(3);
  const weights = Uint32Array.of(1, 1, 1);
  const finishing = [1, 1, 0.2];
  for (let i = 0; i < 20_000; i++) {
    const index = leastRequest(weights, active, all(3), -1, random(), random());
    active[index] = (active[index] as number) + 1;
    for (let j = 0; j < 3; j++) {
      if ((active[j] as number) > 0 && random() < (finishing[j] as number)) active[j] = (active[j] as number) - 1;
    }
  }
  assert.ok(Math.max(...active) <= 6, active.join());
});
