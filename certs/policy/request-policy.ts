// What may be signed: a strong key, and a request that asks for nothing but what its sender gets anyway.
import type { KeyObject } from 'node:crypto';
import { MeshError } from '../../core/kit/error.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { readCsr } from '../x509/csr.ts';
import type { GeneralName } from '../x509/general-name.ts';

const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1']);
const MIN_RSA_BITS = 2048;
// Verifying with a huge modulus is slow, and nobody needs one.
const MAX_RSA_BITS = 8192;

/**
 * The key of a request that may be signed for `permitted` names; else MeshError `csr-refused`, whose detail
 * is for the log. A request without names asks for whatever policy gives.
 */
export function admitRequest(csr: Uint8Array, permitted: readonly GeneralName[]): Result<KeyObject, MeshError> {
  const request = readCsr(csr);
  if (!request.ok) return refused(`the request cannot be read: ${request.error}`);
  const { publicKey, names } = request.value;
  const key = admitKey(publicKey);
  if (!key.ok) return refused(key.error);
  for (const name of names) {
    if (permitted.some((one) => one.kind === name.kind && one.value === name.value)) continue;
    return refused(`it asks for ${name.kind} ${name.value}, which its sender is not`);
  }
  return ok(publicKey);
}

/** P-256, P-384, Ed25519 or RSA of 2,048 to 8,192 bits. */
export function admitKey(key: KeyObject): Result<void, string> {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return ok(undefined);
    case 'ec':
      return CURVES.has(namedCurve ?? '') ? ok(undefined) : err(`a key on the curve ${namedCurve ?? 'without a name'}`);
    case 'rsa': {
      const bits = modulusLength ?? 0;
      return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS ? ok(undefined) : err(`an RSA key of ${bits} bits`);
    }
    default:
      return err(`a key of the kind ${key.asymmetricKeyType ?? 'unknown'}`);
  }
}

function refused(detail: string): Result<never, MeshError> {
  return err(
    new MeshError('csr-refused', {
      detail,
      hint: 'ask without names, for the identity of the token or certificate, with a P-256 key',
    }),
  );
}
