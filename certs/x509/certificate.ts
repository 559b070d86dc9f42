// Certificates: issued from a template and a signing key, read into the few fields that Weft decides on.
// Source: RFC 5280 §4.1.
import { createHash, sign, type KeyObject } from 'node:crypto';
import type { Result } from '../../core/kit/result.ts';
import type { RandomBytes } from '../ambient.ts';
import {
  childrenOf,
  decoding,
  DerError,
  expectTag,
  readDer,
  readSerial,
  readSmallInteger,
  readTime,
  TAG,
  type Tlv,
} from './der-reader.ts';
import { explicit, sequence, smallInteger, time, unsigned } from './der-writer.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  readExtensions,
  subjectAltName,
  subjectKeyIdentifier,
  type ExtendedKeyUsage,
  type Extensions,
} from './extensions.ts';
import type { GeneralName } from './general-name.ts';
import { keyIdOf, spkiOf } from './key.ts';
import { encodeName, isEmptyName, type Name } from './name.ts';
import { hashFor, readSigned, signatureAlgorithm, withSignature, type SignedParts } from './signature.ts';

export interface CertificateTemplate {
  readonly publicKey: KeyObject;
  readonly subject: Name;
  readonly names: readonly GeneralName[];
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly usage:
    | { readonly kind: 'authority'; readonly pathLength: number | null }
    | { readonly kind: 'leaf'; readonly extended: readonly ExtendedKeyUsage[] };
}

/** Who signs: what of it goes into what it signs. */
export interface IssuerName {
  readonly publicKey: KeyObject;
  /** DER of the issuer's subject, byte for byte. */
  readonly subject: Buffer;
  readonly keyId: Buffer;
}

/** One whose private key is in this process. */
export interface Issuer extends IssuerName {
  readonly privateKey: KeyObject;
}

export interface CertificateFields {
  /** Lower-case hex without leading zero bytes. */
  readonly serial: string;
  /** Raw DER, to be compared byte for byte. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly spki: Buffer;
  readonly extensions: Extensions;
  readonly signed: SignedParts;
}

export interface SignedCertificate {
  readonly der: Buffer;
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What is to be signed, and what becomes of it with the signature. */
export interface PreparedCertificate {
  readonly tbs: Buffer;
  finish(signature: Uint8Array): SignedCertificate;
}

/** DER of the certificate. Its serial is random, 128 bits, positive. Source: CA/B baseline requirements §7.1. */
export function issueCertificate(
  template: CertificateTemplate,
  issuer: Issuer,
  random: RandomBytes,
): SignedCertificate {
  const prepared = prepareCertificate(template, issuer, random);
  return prepared.finish(sign(hashFor(issuer.privateKey), prepared.tbs, issuer.privateKey));
}

/** For a signature that is made elsewhere: over `tbs`, as `signatureAlgorithm` of the issuer's key says. */
export function prepareCertificate(
  template: CertificateTemplate,
  issuer: IssuerName,
  random: RandomBytes,
): PreparedCertificate {
  const serial = positiveSerial(random);
  const tbs = sequence(
    explicit(0, smallInteger(2)),
    unsigned(serial),
    signatureAlgorithm(issuer.publicKey),
    issuer.subject,
    sequence(time(template.notBefore), time(template.notAfter)),
    encodeName(template.subject),
    spkiOf(template.publicKey),
    explicit(3, encodeExtensions(template, issuer)),
  );
  return {
    tbs,
    finish: (signature) => ({
      der: withSignature(tbs, issuer.publicKey, signature),
      serial: serial.toString('hex'),
      notBefore: wholeSeconds(template.notBefore),
      notAfter: wholeSeconds(template.notAfter),
    }),
  };
}

/** The issuer of a certificate that signs itself. */
export function selfIssuer(privateKey: KeyObject, publicKey: KeyObject, subject: Name): Issuer {
  return { privateKey, publicKey, subject: encodeName(subject), keyId: keyIdOf(publicKey) };
}

export function readCertificate(der: Uint8Array): Result<CertificateFields, string> {
  return decoding(() => fieldsOf(der));
}

/** SHA-256 over the DER: what a join token pins. Base64url. */
export function certificateFingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('base64url');
}

/** As the certificate can say it. */
function wholeSeconds(at: number): number {
  return Math.floor(at / 1000) * 1000;
}

function encodeExtensions(template: CertificateTemplate, issuer: IssuerName): Buffer {
  const { usage } = template;
  const isAuthority = usage.kind === 'authority';
  return sequence(
    basicConstraints(isAuthority, isAuthority ? usage.pathLength : null),
    keyUsage(isAuthority ? ['keyCertSign', 'cRLSign'] : ['digitalSignature']),
    usage.kind === 'leaf' && extendedKeyUsage(usage.extended),
    subjectKeyIdentifier(keyIdOf(template.publicKey)),
    authorityKeyIdentifier(issuer.keyId),
    template.names.length > 0 && subjectAltName(template.names, isEmptyName(template.subject)),
  );
}

/** 128 random bits: the first is 0 so that it is positive, the second 1 so that all serials have one length. */
function positiveSerial(random: RandomBytes): Buffer {
  const serial = Buffer.from(random(16));
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function fieldsOf(der: Uint8Array): CertificateFields {
  const signed = readSigned(readDer(der));
  const [version, serial, algorithm, issuer, validity, subject, spki, ...rest] = childrenOf(signed.content);
  if (readSmallInteger(childrenOf(expectTag(version, 0xa0))[0]) !== 2)
    throw new DerError('not a version 3 certificate');
  // RFC 5280 §4.1.1.2: else one could be swapped outside of what is signed.
  if (!signed.algorithm.raw.equals(expectTag(algorithm, TAG.sequence).raw)) {
    throw new DerError('two different signature algorithms');
  }
  const [notBefore, notAfter] = childrenOf(expectTag(validity, TAG.sequence));
  return {
    serial: readSerial(serial),
    issuer: expectTag(issuer, TAG.sequence).raw,
    subject: expectTag(subject, TAG.sequence).raw,
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    spki: expectTag(spki, TAG.sequence).raw,
    extensions: readExtensions(only(childrenOf(expectTag(rest.at(-1), 0xa3)))),
    signed,
  };
}

function only(values: readonly Tlv[]): Tlv {
  const [value] = values;
  if (value === undefined || values.length !== 1) throw new DerError('not exactly one value');
  return value;
}
