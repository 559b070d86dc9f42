// A denial of the past, as the ring of a proxy keeps it: which rule it was, what would admit it, and whether the
// configuration of today would still say no, by the function with which the proxy did.
import { authorize, authorizeConnection, compileAuthorizer } from '../decide/authorize.ts';
import { identityOf } from '../compile/authorization.ts';
import type { Known } from './known.ts';
import { type Placed, placed } from './place.ts';
import { inboundOf } from './targets.ts';

/** As a proxy tells it; nothing of it is believed to be well formed. */
export interface ToldDecision {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly rule: string;
  /** Who called, as mutual TLS has proven it; '': nobody. */
  readonly peer: string;
  /** TCP: a connection of bytes. */
  readonly method: string;
  readonly path: string;
  readonly hint: string;
  readonly snapshot: string;
}

export interface ExplainedDecision {
  readonly decision: ToldDecision;
  /** The proxy that decided. */
  readonly instance: string;
  readonly account: string;
  readonly rule: Placed;
  /** What the configuration in force says of the same; null: it cannot be asked. */
  readonly now: { readonly allowed: boolean; readonly rule: Placed; readonly hint: string } | null;
  /** Whether that is still the configuration of then; null: nothing is known of today's. */
  readonly same: boolean | null;
}

const MOST_TEXT = 8_192;

/** null: it is none. */
export function readDecision(value: unknown): ToldDecision | null {
  if (typeof value !== 'object' || value === null) return null;
  const fields = new Map<string, unknown>(Object.entries(value));
  const text = (name: string): string => {
    const field = fields.get(name);
    // It goes onto terminals.
    return typeof field === 'string' ? field.slice(0, MOST_TEXT).replaceAll(/\p{Cc}/gu, ' ') : '';
  };
  const at = fields.get('at');
  const id = text('id');
  if (id === '' || typeof at !== 'number' || !Number.isFinite(at)) return null;
  return {
    ...{ id, at, rule: text('rule'), peer: text('peer'), method: text('method'), path: text('path') },
    ...{ hint: text('hint'), snapshot: text('snapshot') },
  };
}

/** `known`: what is in force now; null: nobody was asked. */
export function explainDecision(
  known: Known | null,
  decision: ToldDecision,
  where: { readonly instance: string; readonly account: string },
): ExplainedDecision {
  return {
    decision,
    ...where,
    rule: known === null ? { rule: decision.rule, at: '' } : placed(known.locate, decision.rule),
    now: known === null ? null : again(known, decision, where.account),
    same: known === null ? null : known.hash === decision.snapshot,
  };
}

/** Where the caller's own proxy said no, the ring does not say what was called. */
function again(known: Known, { rule, peer, method, path }: ToldDecision, account: string): ExplainedDecision['now'] {
  const policy = inboundOf(known, account)?.policy;
  if (policy === undefined || rule === `services.${account}.calls`) return null;
  const authorizer = compileAuthorizer(policy);
  const identity = peer === '' ? null : identityOf(known.snapshot.mesh, peer.slice(peer.lastIndexOf('/') + 1));
  // An identity of another trust domain or namespace is nobody here.
  const caller = identity === peer ? identity : null;
  const { allowed, ruleId, hint } =
    method === 'TCP' ? authorizeConnection(authorizer, caller) : authorize(authorizer, caller, method, path);
  return { allowed, rule: placed(known.locate, ruleId), hint };
}

/** `time`: a moment in words. */
export function decisionLines(explained: ExplainedDecision, time: (ms: number) => string): readonly string[] {
  const { decision, instance, account, rule, now, same } = explained;
  const { id, at, peer, method, path, hint, snapshot } = decision;
  const who = instance === account ? instance : `${instance} (${account})`;
  return [
    `decision ${id}: ${method}${path === '' ? '' : ` ${path}`} was denied by ${who}, ${time(at)}`,
    `  caller         ${peer === '' ? 'nobody: it proved no identity' : peer}`,
    `  rule           ${where(rule)}`,
    ...(hint === '' ? [] : [`  remedy         ${hint}`]),
    `  then           snapshot ${snapshot}${same === true ? ', which is in force still' : ''}`,
    ...(same === false ? [`  now            ${nowWords(now)}`] : []),
  ];
}

function nowWords(now: ExplainedDecision['now']): string {
  if (now === null) return 'another configuration is in force';
  if (now.allowed) return `another configuration is in force, and admits it: ${where(now.rule)}`;
  return `another configuration is in force, and denies it too: ${where(now.rule)}; ${now.hint}`;
}

function where({ rule, at }: Placed): string {
  return at === '' ? rule : `${rule} (${at})`;
}
