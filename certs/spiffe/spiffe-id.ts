// SPIFFE ids as text: parsed strictly, so that one workload has one spelling. Source: SPIFFE-ID §2.
import type { SpiffeId } from '../../core/model/brand.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';

export interface SpiffeIdParts {
  readonly id: SpiffeId;
  readonly trustDomain: string;
  /** Empty for a trust domain itself. */
  readonly segments: readonly string[];
}

/** `ns/<namespace>/sa/<account>`: how Weft, like Istio, names a workload. */
export interface WorkloadName {
  readonly namespace: string;
  readonly account: string;
}

const SCHEME = 'spiffe://';
/** Source: SPIFFE-ID §2.3: an id has at most 2,048 bytes, a trust domain at most 255. */
const MAX_ID = 2048;
const MAX_TRUST_DOMAIN = 255;

/** No port, user, query or fragment, no empty, `.` or `..` segment, no percent-encoding, lower-case authority. */
export function parseSpiffeId(text: string): Result<SpiffeIdParts, string> {
  if (text.length > MAX_ID) return err(`longer than ${MAX_ID} bytes`);
  if (!text.startsWith(SCHEME)) return err('does not begin with spiffe://');
  const [trustDomain = '', ...segments] = text.slice(SCHEME.length).split('/');
  if (!isTrustDomain(trustDomain)) return err('its trust domain is not valid');
  for (const segment of segments) {
    if (!/^[A-Za-z0-9._-]+$/.test(segment)) return err('a path segment is empty or holds a forbidden character');
    if (segment === '.' || segment === '..') return err('a path segment is relative');
  }
  // Checked above: the text has the one allowed spelling.
  return ok({ id: text as SpiffeId, trustDomain, segments });
}

export function isTrustDomain(text: string): boolean {
  return text.length <= MAX_TRUST_DOMAIN && /^[a-z0-9._-]+$/.test(text);
}

/** The workload that an id names; null where its path has another form. */
export function workloadOf(parts: SpiffeIdParts): WorkloadName | null {
  const [ns, namespace, sa, account, ...rest] = parts.segments;
  if (ns !== 'ns' || sa !== 'sa' || namespace === undefined || account === undefined || rest.length > 0) return null;
  return { namespace, account };
}
