// Keys: Weft makes ECDSA P-256 pairs only. A private key is a KeyObject in memory and PKCS#8 PEM on disk, in a
// file that its owner alone can read.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { childrenOf, readDer, readWholeBits } from './der-reader.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function generateKeyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** PKCS#8 PEM, unencrypted: write it with mode 0600. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The error says only that it is no key: nothing of the text may get into a log. */
export function readPrivateKey(pem: string): Result<KeyPair, string> {
  try {
    const privateKey = createPrivateKey(pem);
    return ok({ privateKey, publicKey: createPublicKey(privateKey) });
  } catch {
    return err('not an unencrypted private key in PEM');
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
