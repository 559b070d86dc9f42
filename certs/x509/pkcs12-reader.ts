// Reads PKCS#12 files of others: what is DER and encrypted as today is read here; BER and the ciphers of before 2005 go
// through node-forge, which is loaded for nothing else. Source: RFC 7292.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { asn1, cipher } from 'node-forge';
import { err, ok, type Result } from '../../core/kit/result.ts';
import {
  childrenOf,
  DerError,
  expectTag,
  MAX_DER_SIZE,
  readDer,
  readOid,
  readSmallInteger,
  TAG,
  type Tlv,
} from './der-reader.ts';
import type { KeyPair } from './key.ts';
import { OID } from './oids.ts';
import { decryptWith } from './pbes2.ts';
import { macHolds } from './pkcs12-mac.ts';

export interface Pkcs12Content {
  readonly keys: readonly KeyPair[];
  /** In the order of the file; DER. */
  readonly certificates: readonly Buffer[];
}

const MOST_ROUNDS = 1_000_000;
/** OCTET STRING in parts, which BER allows. */
const IN_PARTS = 0x24;
const IMPLICIT_0 = 0x80;
const EXPLICIT_0 = 0xa0;

interface PasswordCiphers {
  getCipher(oid: string, parameters: asn1.Asn1, password: string): cipher.BlockCipher;
}

class WrongPassword extends Error {}

/** Whether the bytes look like a PKCS#12 file: a version 3, then content of the type `data`. */
export async function isPkcs12(bytes: Uint8Array): Promise<boolean> {
  try {
    const [version, content] = childrenOf(await readBer(bytes));
    return readSmallInteger(version) === 3 && readOid(childrenOf(content as Tlv)[0]) === OID.data;
  } catch {
    return false;
  }
}

/** The error says what is wrong with the file, or that another password opens it; nothing of its content. */
export async function readPkcs12(bytes: Uint8Array, password: string): Promise<Result<Pkcs12Content, string>> {
  try {
    return ok(await contentOf(bytes, password));
  } catch (error) {
    if (error instanceof WrongPassword) return err('another password opens it');
    if (error instanceof DerError) return err(`not a PKCS#12 file that can be read: ${error.message}`);
    throw error;
  }
}

async function contentOf(bytes: Uint8Array, password: string): Promise<Pkcs12Content> {
  const [version, authSafe, macData] = childrenOf(expectTag(await readBer(bytes), TAG.sequence));
  if (readSmallInteger(version) !== 3) throw new DerError('of an unknown version');
  const safe = dataOf(authSafe);
  if (macData !== undefined && !macHolds(password, safe, macData)) throw new WrongPassword();
  const keys: KeyPair[] = [];
  const certificates: Buffer[] = [];
  for (const info of childrenOf(expectTag(await readBer(safe), TAG.sequence))) {
    const plain = readOid(childrenOf(info)[0]) === OID.encryptedData ? await decrypted(info, password) : dataOf(info);
    for (const bag of childrenOf(expectTag(await readBer(plain), TAG.sequence))) {
      const [type, value] = childrenOf(expectTag(bag, TAG.sequence));
      const [inner] = childrenOf(expectTag(value, EXPLICIT_0));
      switch (readOid(type)) {
        case OID.keyBag:
          keys.push(keyOf(expectTag(inner, TAG.sequence).raw));
          break;
        case OID.shroudedKeyBag: {
          const [algorithm, data] = childrenOf(expectTag(inner, TAG.sequence));
          keys.push(keyOf(await decrypt(password, expectTag(algorithm, TAG.sequence), octetsOf(data))));
          break;
        }
        case OID.certificateBag: {
          const [kind, certificate] = childrenOf(expectTag(inner, TAG.sequence));
          if (readOid(kind) !== OID.x509Certificate) break;
          certificates.push(Buffer.from(octetsOf(childrenOf(expectTag(certificate, EXPLICIT_0))[0])));
          break;
        }
        default:
        // CRLs and secrets are nothing that is asked for here.
      }
    }
  }
  return { keys, certificates };
}

/** `ContentInfo` of the type data. */
function dataOf(info: Tlv | undefined): Buffer {
  const [type, content] = childrenOf(expectTag(info, TAG.sequence));
  if (readOid(type) !== OID.data) throw new DerError('signed or enveloped by a certificate, not by a password');
  return octetsOf(childrenOf(expectTag(content, EXPLICIT_0))[0]);
}

async function decrypted(info: Tlv, password: string): Promise<Buffer> {
  const [data] = childrenOf(expectTag(childrenOf(info)[1], EXPLICIT_0));
  const [, encrypted] = childrenOf(expectTag(data, TAG.sequence));
  const [, algorithm, content] = childrenOf(expectTag(encrypted, TAG.sequence));
  return decrypt(password, expectTag(algorithm, TAG.sequence), octetsOf(content));
}

async function decrypt(password: string, algorithm: Tlv, data: Buffer): Promise<Buffer> {
  const [scheme, parameters] = childrenOf(algorithm);
  const plain =
    readOid(scheme) === OID.pbes2
      ? decryptWith(password, algorithm, data)
      : await decryptAsBefore(password, readOid(scheme), expectTag(parameters, TAG.sequence), data);
  if (plain === null) throw new WrongPassword();
  return plain;
}

/** 3DES and RC2 under SHA-1, which today's OpenSSL does not open any more. Source: RFC 7292 appendix C. */
async function decryptAsBefore(
  password: string,
  scheme: string,
  parameters: Tlv,
  data: Buffer,
): Promise<Buffer | null> {
  const rounds = readSmallInteger(childrenOf(parameters)[1]);
  if (rounds < 1 || rounds > MOST_ROUNDS) throw new DerError(`encrypted with ${rounds} rounds`);
  const { default: forge } = await import('node-forge');
  const binary = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  let opened: cipher.BlockCipher;
  try {
    // The package's types leave it out.
    const { pbe } = forge.pki as typeof forge.pki & { readonly pbe: PasswordCiphers };
    opened = pbe.getCipher(scheme, forge.asn1.fromDer(binary(parameters.raw)), password);
  } catch {
    throw new DerError('encrypted in a way that is not known here');
  }
  opened.update(forge.util.createBuffer(binary(data)));
  return opened.finish() ? Buffer.from(opened.output.getBytes(), 'latin1') : null;
}

function keyOf(pkcs8: Buffer): KeyPair {
  try {
    const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch {
    throw new DerError('a private key that cannot be read');
  }
}

function octetsOf(value: Tlv | undefined): Buffer {
  if (value === undefined) throw new DerError('a value is missing');
  if (value.tag === TAG.octetString || value.tag === IMPLICIT_0) return value.content;
  if (value.tag !== IN_PARTS && value.tag !== EXPLICIT_0) throw new DerError('no bytes where bytes belong');
  return Buffer.concat(childrenOf(value).map(octetsOf));
}

/** As DER where it is that; else BER, made DER. */
async function readBer(bytes: Uint8Array): Promise<Tlv> {
  try {
    return readDer(bytes);
  } catch (error) {
    if (!(error instanceof DerError) || bytes.length > MAX_DER_SIZE) throw error;
  }
  const { default: forge } = await import('node-forge');
  const binary = Buffer.from(bytes).toString('latin1');
  let canonical: string;
  try {
    canonical = forge.asn1.toDer(forge.asn1.fromDer(binary, true)).getBytes();
  } catch {
    throw new DerError('neither DER nor BER');
  }
  return readDer(Buffer.from(canonical, 'latin1'));
}
