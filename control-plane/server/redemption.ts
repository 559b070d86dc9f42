// Redeeming a join token, apart from gRPC: is the token good, may the request be signed, is a use left; then sign.
// The order matters: a stranger without a good token costs no signature check, and a bad request uses nothing up.
import { MeshError } from '../../core/kit/error.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { issueSvid, type IssuedSvid, type IssuingParts } from '../../certs/authority/issue.ts';
import type { GrantLedger } from '../../certs/authority/ledger.ts';
import { identityOf, svidNames } from '../../certs/policy/names.ts';
import { admitRequest } from '../../certs/policy/request-policy.ts';
import { parseToken } from '../../certs/token/token-text.ts';
import { findToken, useToken, type TokenGrant } from '../../certs/token/token-store.ts';
import { keyFingerprint } from '../../certs/x509/key.ts';

export interface RedemptionParts extends IssuingParts {
  /** State folder of the control plane, in which `weft token create` puts tokens. */
  readonly stateDir: string;
}

export interface Redeemed extends IssuedSvid {
  readonly instance: string;
  readonly tokenId: string;
}

/** Throws only for faults; a refusal is a value with `token-…` or `csr-refused`. */
export async function redeem(
  parts: RedemptionParts,
  request: { readonly token: string; readonly csr: Uint8Array },
): Promise<Result<Redeemed, MeshError>> {
  const token = parseToken(request.token);
  if (!token.ok) return token;
  if (token.value.rootFingerprint !== parts.authority.rootFingerprint) {
    return err(new MeshError('token-invalid', { detail: 'it was made for another authority' }));
  }
  const grant = await findToken(parts, token.value);
  if (!grant.ok) return grant;
  const identity = identityOf(parts.authority.trustDomain, grant.value.account);
  const publicKey = admitRequest(request.csr, svidNames(identity, []));
  if (!publicKey.ok) return publicKey;
  const key = keyFingerprint(publicKey.value);
  const use = await useToken(parts, grant.value, key);
  if (!use.ok) return use;
  const { account, version, tokenId } = grant.value;
  const instance = instanceName(grant.value, key, parts.ledger);
  const issued = await issueSvid(parts, { account, version, instance, tokenId }, publicKey.value);
  return ok({ ...issued, instance, tokenId });
}

/**
 * `orders-7f3a`: by the key, so that the same key that asks again is the same instance. More digits where another
 * instance has the name already.
 */
function instanceName(grant: TokenGrant, key: string, ledger: GrantLedger): string {
  if (grant.instance !== null) return grant.instance;
  const digits = Buffer.from(key, 'base64url').toString('hex');
  for (let length = 4; length < digits.length; length += 2) {
    const name = `${grant.account}-${digits.slice(0, length)}`;
    if (!ledger.isInstanceTaken(name, key)) return name;
  }
  return `${grant.account}-${digits}`;
}
