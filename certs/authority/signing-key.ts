// A private key that signs and is never seen: one in this process, or one behind a command that somebody runs for a
// hardware module or a cloud's key service.
import { sign, type KeyObject } from 'node:crypto';
import type { KeyPair } from '../x509/key.ts';
import { hashFor } from '../x509/signature.ts';

export interface SigningKey {
  readonly publicKey: KeyObject;
  /** Signature over `content` as `signatureAlgorithm` of the public key names it; ECDSA as DER. Throws MeshError `signing-failed`. */
  sign(content: Uint8Array): Promise<Uint8Array>;
}

/** The key of a file, held in memory. */
export function fileSigningKey(keys: KeyPair): SigningKey {
  const hash = hashFor(keys.privateKey);
  return { publicKey: keys.publicKey, sign: async (content) => sign(hash, content, keys.privateKey) };
}
