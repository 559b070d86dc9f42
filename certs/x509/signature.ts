// Signatures over DER: which algorithm a key signs with, how it is named, and verification over raw bytes.
// Only the algorithms of the table below are ever accepted.
import { sign, verify, type KeyObject } from 'node:crypto';
import { childrenOf, DerError, expectTag, readOid, readWholeBits, TAG, type Tlv } from './der-reader.ts';
import { nothing, oid, sequence, wholeBits } from './der-writer.ts';
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

/** `SEQUENCE { content, algorithm, signature }`, the shape of certificates, CSRs and CRLs. */
export function signed(content: Uint8Array, key: KeyObject): Buffer {
  return withSignature(content, key, sign(hashFor(key), content, key));
}

/** The same with a signature that somebody else has made. `key`: public or private, of the signer. */
export function withSignature(content: Uint8Array, key: KeyObject, signature: Uint8Array): Buffer {
  return sequence(content, signatureAlgorithm(key), wholeBits(signature));
}

/**
 * How a key signs: ECDSA by the strength of its curve, its parameters absent (RFC 5758 §3.2); RSA PKCS#1 with SHA-256,
 * its parameters NULL (RFC 4055 §5); Ed25519 (RFC 8410 §3). Throws TypeError for other keys.
 */
export function signatureAlgorithm(key: KeyObject): Buffer {
  const id = algorithmOf(key);
  return sequence(oid(id), id === OID.rsaWithSha256 && nothing());
}

/** Hash of `sign` and `verify`; null where the algorithm hashes by itself. Throws TypeError for a key that signs nothing here. */
export function hashFor(key: KeyObject): string | null {
  return ALGORITHMS.get(algorithmOf(key))?.hash ?? null;
}

function algorithmOf(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? OID.ecdsaWithSha384 : OID.ecdsaWithSha256;
    case 'rsa':
      return OID.rsaWithSha256;
    case 'ed25519':
      return OID.ed25519;
    default:
      throw new TypeError(`a key of the kind ${key.asymmetricKeyType ?? 'unknown'} signs nothing here`);
  }
}

/** What somebody signed; none of it is verified. */
export interface SignedParts {
  /** Its raw bytes are what the signature is over. */
  readonly content: Tlv;
  readonly algorithm: Tlv;
  readonly signature: Tlv;
}

/** Takes `SEQUENCE { content, algorithm, signature }` apart. Throws DerError. */
export function readSigned(value: Tlv): SignedParts {
  const [content, algorithm, signature, ...rest] = childrenOf(expectTag(value, TAG.sequence));
  if (rest.length > 0) throw new DerError('bytes after the signature');
  return {
    content: expectTag(content, TAG.sequence),
    algorithm: expectTag(algorithm, TAG.sequence),
    signature: expectTag(signature, TAG.bitString),
  };
}

/** Whether `publicKey` signed exactly these bytes. Throws DerError where the algorithm is not one of ours. */
export function signatureHolds({ content, algorithm, signature }: SignedParts, publicKey: KeyObject): boolean {
  const name = readOid(childrenOf(algorithm)[0]);
  const known = ALGORITHMS.get(name);
  if (known === undefined) throw new DerError(`a signature by ${describeAlgorithm(algorithm)}, which is not accepted`);
  if (publicKey.asymmetricKeyType !== known.keyType) throw new DerError('a signature of another kind than its key');
  return verify(known.hash, content.raw, publicKey, readWholeBits(signature));
}

/** As people call it: `ECDSA with SHA-256`; the dotted identifier of one that is not known. Throws DerError. */
export function describeAlgorithm(algorithm: Tlv): string {
  const name = readOid(childrenOf(algorithm)[0]);
  return ALGORITHM_NAMES.get(name) ?? name;
}

const ALGORITHM_NAMES: ReadonlyMap<string, string> = new Map([
  [OID.ecdsaWithSha256, 'ECDSA with SHA-256'],
  [OID.ecdsaWithSha384, 'ECDSA with SHA-384'],
  [OID.ecdsaWithSha512, 'ECDSA with SHA-512'],
  [OID.rsaWithSha256, 'RSA with SHA-256'],
  [OID.rsaWithSha384, 'RSA with SHA-384'],
  [OID.rsaWithSha512, 'RSA with SHA-512'],
  [OID.ed25519, 'Ed25519'],
  ['1.2.840.10045.4.1', 'ECDSA with SHA-1'],
  ['1.2.840.113549.1.1.4', 'RSA with MD5'],
  ['1.2.840.113549.1.1.5', 'RSA with SHA-1'],
  ['1.2.840.113549.1.1.10', 'RSA-PSS'],
  ['1.2.840.10040.4.3', 'DSA with SHA-1'],
]);
