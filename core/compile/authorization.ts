// Who may call each service: `calls` of services and routes of edges ask, `allow` of the callee decides.
import { edgeAccount, ruleId, spiffeId, type RuleId, type SpiffeId } from '../model/brand.ts';
import type { Mesh, WorkloadService } from '../model/mesh.ts';
import type { AuthorizationPolicy, Caller } from '../model/view.ts';
import { targetsOfEdge } from './edge-targets.ts';

export function identityOf(mesh: Mesh, account: string): SpiffeId {
  return spiffeId(mesh.trustDomain, mesh.namespace, account);
}

/** Service → who says in config that it calls it, with that line. An edge says so by its first route there. */
export function collectCallers(mesh: Mesh): ReadonlyMap<string, ReadonlyMap<string, RuleId>> {
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
