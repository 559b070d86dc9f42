// Calls that a sidecar cannot serve by plain name alone: the callee's port is one that the caller's app binds on every
// address, the callee's included. `weft validate` says so; it hinders nobody who calls by variable.
import { portsOf } from '../compile/ports.ts';
import type { Mesh, SourceMap } from '../model/mesh.ts';
import { quote, type ConfigError } from './problem.ts';

export function findOwnPortCalls(mesh: Mesh, sources: SourceMap): readonly ConfigError[] {
  const warnings: ConfigError[] = [];
  for (const caller of mesh.services.values()) {
    if (caller.kind !== 'workload') continue;
    const own = new Set(portsOf(caller).map(({ port }) => port));
    for (const { service, ruleId } of caller.calls) {
      const callee = mesh.services.get(service);
      const shared = callee === undefined ? [] : portsOf(callee).filter(({ port }) => own.has(port));
      for (const { port } of shared) {
        warnings.push({
          ...(sources.get(ruleId) ?? { file: '', line: 1, column: 1 }),
          path: ruleId,
          message: `${quote(service)} is on port ${port}, as ${quote(caller.name)} itself: its plain name needs netns`,
          hint: `in containers \`weft compose\` writes it, else \`weft netns --app-port ${port}\`; by variable it works anywhere`,
          severity: 'warning',
        });
      }
    }
  }
  return warnings;
}
