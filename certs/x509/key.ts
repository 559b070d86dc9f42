// Keys: ECDSA P-256 unless another kind is asked for. A private key is a KeyObject in memory and PKCS#8 PEM on disk,
// in a file that its owner alone can read.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { err, ok, type Result } from '../../core/kit/result.ts';
import type { RandomBytes } from '../ambient.ts';
import { childrenOf, readDer, readWholeBits } from './der-reader.ts';
import { octets, sequence } from './der-writer.ts';
import { encryptWith } from './pbes2.ts';
import { pemOf } from './pem.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Kinds that can be made. RSA is for peers that know nothing else: its signatures cost twenty times as much. */
export const KEY_KINDS = ['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072', 'rsa4096'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** Default P-256: every TLS stack has it. RSA takes up to some seconds. */
export function generateKeyPair(kind: KeyKind = 'p256'): KeyPair {
  switch (kind) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'ed25519':
      return generateKeyPairSync('ed25519');
    case 'rsa2048':
    case 'rsa3072':
    case 'rsa4096':
      return generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(3)) });
  }
}

/** As people call it: `ECDSA P-256`, `Ed25519`, `RSA 2048 bits`. */
export function describeKey(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec':
      return `ECDSA ${CURVE_NAMES.get(namedCurve ?? '') ?? namedCurve ?? 'on a curve without a name'}`;
    case 'ed25519':
      return 'Ed25519';
    case 'rsa':
      return `RSA ${modulusLength ?? 0} bits`;
    default:
      return key.asymmetricKeyType ?? 'of an unknown kind';
  }
}

const CURVE_NAMES: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

/** PKCS#8 PEM, unencrypted: write it with mode 0600. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** PKCS#8 PEM under a passphrase, by scrypt and AES-256. Source: RFC 5958 §3, RFC 7914 §7. */
export function encryptedKeyPem(key: KeyObject, passphrase: string, random: RandomBytes): string {
  const plain = key.export({ type: 'pkcs8', format: 'der' });
  const { algorithm, data } = encryptWith(passphrase, plain, 'scrypt', random);
  return pemOf('ENCRYPTED PRIVATE KEY', sequence(algorithm, octets(data)));
}

/** Whether a PEM text holds a private key that needs a passphrase. */
export function isEncryptedKey(pem: string): boolean {
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem);
}

/** The error says only that it is no key: nothing of the text may get into a log. */
export function readPrivateKey(pem: string, passphrase: string | null = null): Result<KeyPair, string> {
  if (isEncryptedKey(pem) && passphrase === null) return err('an encrypted private key, and no passphrase for it');
  try {
    const privateKey = createPrivateKey(passphrase === null ? pem : { key: pem, passphrase });
    return ok({ privateKey, publicKey: createPublicKey(privateKey) });
  } catch {
    return err(isEncryptedKey(pem) ? 'another passphrase opens it' : 'not an unencrypted private key in PEM');
  }
}

/** From a SubjectPublicKeyInfo of a stranger; OpenSSL checks that a point is on its curve. */
export function readPublicKey(spki: Buffer): Result<KeyObject, string> {
  try {
    return ok(createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  } catch {
    return err('not a public key');
  }
}

export function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** Key identifier: the first 160 bits of SHA-256 over the key's bits. Source: RFC 7093 §2 (1). */
export function keyIdOf(publicKey: KeyObject): Buffer {
  const [, bits] = childrenOf(readDer(spkiOf(publicKey)));
  return createHash('sha256').update(readWholeBits(bits)).digest().subarray(0, 20);
}

/** SHA-256 of the SubjectPublicKeyInfo, base64url: names a key in records. Source: RFC 7469 §2.4. */
export function keyFingerprint(publicKey: KeyObject): string {
  return createHash('sha256').update(spkiOf(publicKey)).digest('base64url');
}

/** Compares public parts, so that a certificate and a key file can be held against each other. */
export function sameKey(one: KeyObject, other: KeyObject): boolean {
  return spkiOf(one).equals(spkiOf(other));
}
