// How large a part each gets of what is chosen at random or by turns: asked of the very functions that choose, with every
// chance once, so that nothing here can differ from them.
import { type Balancer, leastRequest, roundRobin, smoothWeighted } from '../decide/balance.ts';
import { chooseSplit } from '../decide/split.ts';
import type { WeightedCluster } from '../model/view.ts';

/** Picks that are counted at most; beyond that a share is near enough. */
const MOST = 10_000;

/** Of a split, in its order; together 1. */
export function sharesOfSplit(split: readonly WeightedCluster[]): readonly number[] {
  const total = split.reduce((sum, { weight }) => sum + weight, 0);
  const picks = Math.min(Math.max(total, 1), MOST);
  const counts = new Map<WeightedCluster, number>();
  for (let pick = 0; pick < picks; pick++) {
    const chosen = chooseSplit(split, (pick + 0.5) / picks);
    counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
  }
  return split.map((one) => (counts.get(one) ?? 0) / picks);
}

/** Of the endpoints of a cluster, in their order. `active`: requests in flight, per endpoint. */
export function sharesOfEndpoints(
  balancer: Balancer,
  weights: readonly number[],
  active: readonly number[],
): readonly number[] {
  const count = weights.length;
  if (count === 0) return [];
  const counts = new Array<number>(count).fill(0);
  const usable = new Uint8Array(count).fill(1);
  const [row, busy] = [Uint32Array.from(weights), Uint32Array.from(active)];
  const take = (index: number): void => {
    counts[index] = (counts[index] ?? 0) + 1;
  };
  switch (balancer) {
    case 'least-request': {
      // Every pair that can be drawn; of very many endpoints a part of them.
      const step = Math.max(1, Math.ceil((count * count) / MOST));
      const others = Math.max(count - 1, 1);
      for (let first = 0; first < count; first++) {
        for (let second = first % step; second < others; second += step) {
          take(leastRequest(row, busy, usable, -1, (first + 0.5) / count, (second + 0.5) / others));
        }
      }
      break;
    }
    case 'smooth-weighted': {
      const current = new Float64Array(count);
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (let pick = 0; pick < Math.min(total, MOST); pick++) take(smoothWeighted(row, current, usable, -1));
      break;
    }
    case 'round-robin': {
      const cursor = new Uint32Array(1);
      for (let pick = 0; pick < count; pick++) take(roundRobin(cursor, usable, -1));
      break;
    }
  }
  const all = counts.reduce((sum, each) => sum + each, 0);
  return counts.map((each) => each / all);
}
