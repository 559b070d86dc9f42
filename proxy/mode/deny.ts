// How a plan says no for a policy's sake: an opaque id for the caller, the rule and its remedy for operators.
import { MeshError } from '../../core/kit/error.ts';
import type { RuleId, SpiffeId } from '../../core/model/brand.ts';
import type { ExchangeRecord, RequestHead } from '../exchange.ts';
import type { PlanContext } from './plan-context.ts';

/** Random bytes of a decision id: nobody can guess another caller's. */
const ID_BYTES = 12;

export interface DenyingRule {
  readonly rule: RuleId;
  /** Which line of the config would admit it. */
  readonly hint: string;
  /** Default: denied. */
  readonly code?: 'denied' | 'egress-denied';
}

/** Logs it, keeps it in the ring and fills in the record. */
export function deny(
  by: DenyingRule,
  peer: SpiffeId | null,
  head: RequestHead,
  path: string,
  record: ExchangeRecord,
  context: Pick<PlanContext, 'ids' | 'denials' | 'snapshot'>,
): MeshError {
  const { rule, hint, code = 'denied' } = by;
  const id = context.ids.hex(ID_BYTES);
  record.rule = rule;
  record.decisionId = id;
  context.denials.record({ id, rule, peer, method: head.method, path, hint }, context.snapshot);
  return new MeshError(code, { detail: `${rule}: ${hint}`, hint });
}
