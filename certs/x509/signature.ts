// Signatures over DER: which algorithm a key signs with, how it is named, and verification over raw bytes.
// Only the algorithms of the table below are ever accepted.
import { sign, verify, type KeyObject } from 'node:crypto';
import { childrenOf, DerError, expectTag, readOid, readWholeBits, TAG, type Tlv } from './der-reader.ts';
import { oid, sequence, wholeBits } from './der-writer.ts';
import { OID } from './oids.ts';

interface Algorithm {
  readonly keyType: 'ec' | 'rsa' | 'ed25519';
  /** null: the algorithm hashes by itself. */
  readonly hash: string | null;
}

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  [OID.ecdsaWithSha256, { keyType: 'ec', hash: 'sha256' }],
  [OID.ecdsaWithSha384, { keyType: 'ec', hash: 'sha384' }],
  [OID.ecdsaWithSha512, { keyType: 'ec', hash: 'sha512' }],
  [OID.rsaWithSha256, { keyType: 'rsa', hash: 'sha256' }],
  [OID.rsaWithSha384, { keyType: 'rsa', hash: 'sha384' }],
  [OID.rsaWithSha512, { keyType: 'rsa', hash: 'sha512' }],
  [OID.ed25519, { keyType: 'ed25519', hash: null }],
]);

/** `SEQUENCE { content, algorithm, signature }`, the shape of certificates, CSRs and CRLs. P-256 keys only. */
export function signed(content: Uint8Array, key: KeyObject): Buffer {
  return sequence(content, signatureAlgorithm(), wholeBits(sign('sha256', content, key)));
}

/** ECDSA with SHA-256; its parameters must be absent, not NULL. Source: RFC 5758 §3.2. */
export function signatureAlgorithm(): Buffer {
  return sequence(oid(OID.ecdsaWithSha256));
}

/** Whether `publicKey` signed exactly these bytes. Throws DerError where the algorithm is not one of ours. */
export function signatureHolds(content: Buffer, algorithm: Tlv, signature: Tlv, publicKey: KeyObject): boolean {
  expectTag(algorithm, TAG.sequence);
  const name = readOid(childrenOf(algorithm)[0]);
  const known = ALGORITHMS.get(name);
  if (known === undefined) throw new DerError('a signature algorithm that is not accepted');
  if (publicKey.asymmetricKeyType !== known.keyType) throw new DerError('a signature of another kind than its key');
  return verify(known.hash, content, publicKey, readWholeBits(signature));
}
