// Which cluster of a weighted split an exchange goes to.
import type { WeightedCluster } from '../model/view.ts';

/**
 * @param split at least one, with a weight above 0 among them
 * @param random in [0, 1)
 */
export function chooseSplit(split: readonly WeightedCluster[], random: number): WeightedCluster {
  if (split.length === 1) return split[0] as WeightedCluster;
  let total = 0;
  for (let i = 0; i < split.length; i++) total += (split[i] as WeightedCluster).weight;
  let left = random * total;
  let chosen = split[0] as WeightedCluster;
  for (let i = 0; i < split.length; i++) {
    const candidate = split[i] as WeightedCluster;
    // Weight 0 gets nothing, also where rounding leaves a rest at the end.
    if (candidate.weight === 0) continue;
    chosen = candidate;
    left -= candidate.weight;
    if (left < 0) return chosen;
  }
  return chosen;
}
