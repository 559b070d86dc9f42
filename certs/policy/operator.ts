// Operators: people and programs that may use the API of a control plane from afar. Who one is and what they may do stands
// in their certificate, as a SPIFFE id whose path no workload has.
import type { SpiffeId } from '../../core/model/brand.ts';
import { parseSpiffeId } from '../spiffe/spiffe-id.ts';

export const ROLES = ['reader', 'operator', 'admin'] as const;
/** `reader` sees everything; `operator` changes what is in force and drains instances; `admin` may do all. */
export type Role = (typeof ROLES)[number];

export interface Operator {
  readonly name: string;
  readonly role: Role;
}

/** Lower-case letters, digits, and dots, dashes and underscores within; at most 63. */
export function isOperatorName(text: string): boolean {
  return /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/.test(text);
}

/** `spiffe://<trust-domain>/operator/<role>/<name>`. */
export function operatorId(trustDomain: string, { name, role }: Operator): SpiffeId {
  // The name is checked by `isOperatorName`, so that the text is a SPIFFE id.
  return `spiffe://${trustDomain}/operator/${role}/${name}` as SpiffeId;
}

/** null: it names no operator. */
export function operatorOf(id: SpiffeId): Operator | null {
  const parts = parseSpiffeId(id);
  const [kind, role, name, ...rest] = parts.ok ? parts.value.segments : [];
  if (kind !== 'operator' || name === undefined || rest.length > 0 || !isOperatorName(name)) return null;
  const known = ROLES.find((each) => each === role);
  return known === undefined ? null : { name, role: known };
}

/** Whether what `needed` may do is within what `has` may. */
export function mayDo(has: Role, needed: Role): boolean {
  return ROLES.indexOf(has) >= ROLES.indexOf(needed);
}
