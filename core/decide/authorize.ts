// Who may call a service, at its inbound proxy. A request needs a caller whose config says that it calls, and, where
// the service has `allow`, one rule that admits it; anything else is denied, with the line that would have admitted it.
import type { RuleId, SpiffeId } from '../model/brand.ts';
import type { PathPattern } from '../model/mesh.ts';
import type { AuthorizationPolicy, CompiledAllow } from '../model/view.ts';
import { type CompiledPath, compilePath, pathMatches } from './path.ts';

export interface AuthorizationDecision {
  readonly allowed: boolean;
  /** The rule that admits; on a denial the one that came nearest to it. */
  readonly ruleId: RuleId;
  /** For logs and operators only: which line would admit the request. '' where it is allowed. */
  readonly hint: string;
}

interface Rule {
  readonly methods: readonly string[];
  readonly paths: readonly CompiledPath[];
  readonly admit: AuthorizationDecision;
}

interface CallerEntry {
  readonly admit: AuthorizationDecision;
  /** null: the service has no `allow`. */
  readonly rules: readonly Rule[] | null;
}

/** A compiled policy; made by `compileAuthorizer`, read by `authorize` only. */
export interface Authorizer {
  readonly service: string;
  readonly policy: AuthorizationPolicy;
  readonly callers: ReadonlyMap<SpiffeId, CallerEntry>;
}

export function compileAuthorizer(policy: AuthorizationPolicy): Authorizer {
  const rules = policy.allow?.map((allow) => ({ allow, rule: compileRule(allow) })) ?? null;
  const callers = new Map<SpiffeId, CallerEntry>();
  for (const { identity, ruleId } of policy.callers) {
    if (callers.has(identity)) continue;
    const own = rules?.filter(({ allow }) => allow.from.includes(identity)).map(({ rule }) => rule) ?? null;
    callers.set(identity, { admit: admitBy(ruleId), rules: own });
  }
  return { service: serviceOf(policy.denyRuleId), policy, callers };
}

function compileRule(allow: CompiledAllow): Rule {
  return { methods: allow.methods, paths: allow.paths.map(compilePath), admit: admitBy(allow.ruleId) };
}

function admitBy(ruleId: RuleId): AuthorizationDecision {
  return { allowed: true, ruleId, hint: '' };
}

/**
 * @param peer the identity that mutual TLS has proven; null: none, which is always denied
 * @param method as sent
 * @param path in the form of `normalizePath`, no query
 */
export function authorize(
  authorizer: Authorizer,
  peer: SpiffeId | null,
  method: string,
  path: string,
): AuthorizationDecision {
  if (peer === null) return deny(authorizer.policy.denyRuleId, 'the caller proved no identity');
  const caller = authorizer.callers.get(peer);
  if (caller === undefined) return deny(authorizer.policy.denyRuleId, callerHint(authorizer, peer));
  const { rules } = caller;
  if (rules === null) return caller.admit;
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i] as Rule;
    if (methodHolds(rule, method) && pathHolds(rule, path)) return rule.admit;
  }
  return nearestMiss(authorizer, peer, rules, method, path);
}

/** A connection of bytes: whoever may open it may say anything, so rules for certain methods or paths do not admit it. */
export function authorizeConnection(authorizer: Authorizer, peer: SpiffeId | null): AuthorizationDecision {
  if (peer === null) return deny(authorizer.policy.denyRuleId, 'the caller proved no identity');
  const caller = authorizer.callers.get(peer);
  if (caller === undefined) return deny(authorizer.policy.denyRuleId, callerHint(authorizer, peer));
  const { rules } = caller;
  if (rules === null) return caller.admit;
  const whole = rules.find(({ methods, paths }) => methods.length === 0 && paths.length === 0);
  return whole?.admit ?? nearestMiss(authorizer, peer, rules, '', '');
}

function methodHolds(rule: Rule, method: string): boolean {
  return rule.methods.length === 0 || rule.methods.includes(method);
}

function pathHolds(rule: Rule, path: string): boolean {
  if (rule.paths.length === 0) return true;
  for (let i = 0; i < rule.paths.length; i++) {
    if (pathMatches(rule.paths[i] as CompiledPath, path)) return true;
  }
  return false;
}

function deny(ruleId: RuleId, hint: string): AuthorizationDecision {
  return { allowed: false, ruleId, hint };
}

function nearestMiss(
  authorizer: Authorizer,
  peer: SpiffeId,
  rules: readonly Rule[],
  method: string,
  path: string,
): AuthorizationDecision {
  // A rule for this path with other methods is nearer than one for other paths.
  const nearest =
    rules.find((rule) => pathHolds(rule, path)) ?? rules.find((rule) => methodHolds(rule, method)) ?? rules[0];
  const account = accountOf(peer);
  if (nearest === undefined) {
    return deny(authorizer.policy.denyRuleId, `add \`${account}\` to a rule of services.${authorizer.service}.allow`);
  }
  const { ruleId } = nearest.admit;
  return deny(ruleId, `${ruleId} admits ${account} only for ${describe(nearest)}`);
}

function describe(rule: Rule): string {
  const methods = rule.methods.length === 0 ? 'any method' : rule.methods.join(', ');
  const paths = rule.paths.length === 0 ? 'on any path' : rule.paths.map(written).join(', ');
  return `${methods} ${paths}`;
}

function written(path: PathPattern): string {
  return path.kind === 'prefix' ? `${path.path} (prefix)` : path.path;
}

/** The caller's side is missing; where the callee's is missing too, both are named. */
function callerHint({ service, policy }: Authorizer, peer: SpiffeId): string {
  const account = accountOf(peer);
  const admitted = policy.allow === null || policy.allow.some((rule) => rule.from.includes(peer));
  const also = admitted ? '' : ` and \`${account}\` to a rule of services.${service}.allow`;
  if (account.startsWith('edge-')) return `add a route to \`${service}\` to edges.${account.slice(5)}.routes${also}`;
  return `add \`${service}\` to services.${account}.calls${also}`;
}

function accountOf(peer: SpiffeId): string {
  return peer.slice(peer.lastIndexOf('/') + 1);
}

/** `services.payments.allow` and `services.payments` are both about payments. */
function serviceOf(denyRuleId: RuleId): string {
  const name = denyRuleId.startsWith('services.') ? denyRuleId.slice('services.'.length) : denyRuleId;
  return name.endsWith('.allow') ? name.slice(0, -'.allow'.length) : name;
}
