// Who may call each service: `calls` of services and routes of edges ask, `allow` of the callee decides.
import { edgeAccount, ruleId, spiffeId, type RuleId, type SpiffeId } from '../model/brand.ts';
import type { Edge, Mesh, Service, WorkloadService } from '../model/mesh.ts';
import type { AuthorizationPolicy, Caller } from '../model/view.ts';
import { targetsOfEdge } from './edge-targets.ts';
import { sameList, sameValue } from './share.ts';

export function identityOf(mesh: Mesh, account: string): SpiffeId {
  return spiffeId(mesh.trustDomain, mesh.namespace, account);
}

export type Callers = ReadonlyMap<string, ReadonlyMap<string, RuleId>>;

/** Service → who says in config that it calls it, with that line. An edge says so by its first route there. */
export function collectCallers(mesh: Mesh): Callers {
  const callers = new Map<string, Map<string, RuleId>>();
  const add = (callee: string, account: string, rule: RuleId) => {
    const accounts = callers.get(callee) ?? new Map<string, RuleId>();
    callers.set(callee, accounts);
    if (!accounts.has(account)) accounts.set(account, rule);
  };
  for (const service of mesh.services.values()) {
    if (service.kind === 'static') continue;
    for (const call of service.calls) add(call.service, service.name, call.ruleId);
  }
  for (const edge of mesh.edges.values()) {
    for (const { to, ruleId: rule } of targetsOfEdge(edge)) {
      for (const target of to) add(target.service, edgeAccount(edge.name), rule);
    }
  }
  return callers;
}

/** True only where `collectCallers` gives the same for both; cheap where they share what did not change. */
export function sayTheSameCalls(before: Mesh, mesh: Mesh): boolean {
  const same = (a: Service | undefined, b: Service): boolean =>
    a === b || (a?.kind === 'workload' && b.kind === 'workload' && sameValue(a.calls, b.calls));
  if (before.services.size !== mesh.services.size || before.edges.size !== mesh.edges.size) return false;
  for (const [name, service] of mesh.services) if (!same(before.services.get(name), service)) return false;
  for (const [name, edge] of mesh.edges) {
    const known = before.edges.get(name);
    if (known !== edge && (known === undefined || !sameTargets(known, edge))) return false;
  }
  return true;
}

function sameTargets(before: Edge, edge: Edge): boolean {
  const { routes, passthrough, listeners } = edge;
  return (
    sameList(before.routes, routes, (a, b) => a === b || (a.ruleId === b.ruleId && sameValue(a.to, b.to))) &&
    sameValue(before.passthrough, passthrough) &&
    sameValue(before.listeners, listeners)
  );
}

export function compilePolicy(
  mesh: Mesh,
  service: WorkloadService,
  accounts: ReadonlyMap<string, RuleId>,
): AuthorizationPolicy {
  const callers: Caller[] = [...accounts].map(([account, rule]) => ({
    identity: identityOf(mesh, account),
    ruleId: rule,
  }));
  // The order in which services stand in the file means nothing.
  callers.sort((a, b) => (a.identity < b.identity ? -1 : 1));
  const allow = service.allow ?? (mesh.authorization === 'explicit' ? [] : null);
  return {
    callers,
    allow:
      allow?.map((rule) => ({
        from: rule.from.map((account) => identityOf(mesh, account)),
        methods: rule.methods,
        paths: rule.paths,
        ruleId: rule.ruleId,
      })) ?? null,
    denyRuleId: service.allow === null ? service.ruleId : ruleId(`${service.ruleId}.allow`),
  };
}
