// Everything of an edge that leads somewhere: its routes, what it passes through, and listeners with a target of their own.
import type { RuleId } from '../model/brand.ts';
import type { Edge, WeightedTarget } from '../model/mesh.ts';

export interface EdgeTargets {
  readonly to: readonly WeightedTarget[];
  readonly ruleId: RuleId;
  /** What has to be spoken there. */
  readonly carries: 'http' | 'tcp';
}

/** In the order in which they count as an edge's calls. */
export function targetsOfEdge(edge: Edge): readonly EdgeTargets[] {
  return [
    ...edge.routes.map(({ to, ruleId }) => ({ to, ruleId, carries: 'http' as const })),
    ...edge.passthrough.map(({ to, ruleId }) => ({ to, ruleId, carries: 'tcp' as const })),
    ...edge.listeners
      .filter(({ protocol }) => protocol === 'tcp')
      .map(({ to, ruleId }) => ({ to, ruleId, carries: 'tcp' as const })),
  ];
}
