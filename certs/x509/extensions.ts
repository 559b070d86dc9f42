// The extensions of RFC 5280 §4.2 that Weft issues and understands, each with its criticality.
import {
  childrenOf,
  DerError,
  expectTag,
  insideOctets,
  readBoolean,
  readOid,
  readSmallInteger,
  TAG,
  type Tlv,
} from './der-reader.ts';
import { implicit, namedBits, octets, oid, sequence, smallInteger, tlv, yes } from './der-writer.ts';
import { encodeGeneralNames, readGeneralNames, type GeneralName } from './general-name.ts';
import { readNameConstraints, type NameConstraints } from './name-constraints.ts';
import { OID } from './oids.ts';

/** Bit numbers. Source: RFC 5280 §4.2.1.3. */
export const KEY_USAGE = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 } as const;
export type KeyUsage = keyof typeof KEY_USAGE;
export type ExtendedKeyUsage = 'serverAuth' | 'clientAuth';

/** What was read; an absent extension is null or empty. */
export interface Extensions {
  readonly names: readonly GeneralName[];
  readonly isAuthority: boolean;
  readonly pathLength: number | null;
  readonly keyUsage: ReadonlySet<KeyUsage> | null;
  readonly extendedKeyUsage: readonly string[] | null;
  /** What an authority may certify. */
  readonly nameConstraints: NameConstraints | null;
  readonly subjectKeyId: Buffer | null;
  readonly authorityKeyId: Buffer | null;
}

/** One as it stands there. */
export interface RawExtension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Tlv;
}

export function basicConstraints(isAuthority: boolean, pathLength: number | null): Buffer {
  const value = isAuthority ? sequence(yes(), pathLength !== null && smallInteger(pathLength)) : sequence();
  return extension(OID.basicConstraints, true, value);
}

export function keyUsage(usages: readonly KeyUsage[]): Buffer {
  return extension(OID.keyUsage, true, namedBits(usages.map((usage) => KEY_USAGE[usage])));
}

export function extendedKeyUsage(usages: readonly ExtendedKeyUsage[]): Buffer {
  return extension(OID.extendedKeyUsage, false, sequence(...usages.map((usage) => oid(OID[usage]))));
}

export function subjectKeyIdentifier(id: Uint8Array): Buffer {
  return extension(OID.subjectKeyIdentifier, false, octets(id));
}

export function authorityKeyIdentifier(id: Uint8Array): Buffer {
  return extension(OID.authorityKeyIdentifier, false, sequence(implicit(0, id)));
}

/** Critical if and only if the subject is empty. Source: RFC 5280 §4.2.1.6. */
export function subjectAltName(names: readonly GeneralName[], subjectIsEmpty: boolean): Buffer {
  return extension(OID.subjectAltName, subjectIsEmpty, encodeGeneralNames(names));
}

/** Number of a CRL: greater than that of the one before. Source: RFC 5280 §5.2.3. */
export function crlNumber(number: number): Buffer {
  return extension(OID.crlNumber, false, smallInteger(number));
}

/** Why a certificate was revoked. Source: RFC 5280 §5.3.1. */
export function crlReason(reason: number): Buffer {
  return extension(OID.crlReason, false, tlv(TAG.enumerated, Uint8Array.of(reason)));
}

/** `Extensions ::= SEQUENCE OF Extension`. Throws DerError; one that comes twice or is critical and unknown too. */
export function readExtensions(value: Tlv): Extensions {
  const found = new Map<string, Tlv>();
  for (const { id, critical, value: inside } of listExtensions(value)) {
    if (critical && !UNDERSTOOD.has(id)) throw new DerError('a critical extension that is not understood');
    found.set(id, inside);
  }
  return interpretExtensions(found);
}

/** Of these by their identifiers; the rest is as where there is none. Throws DerError. */
export function interpretExtensions(found: ReadonlyMap<string, Tlv>): Extensions {
  const names = found.get(OID.subjectAltName);
  const constraints = found.get(OID.basicConstraints);
  const usage = found.get(OID.keyUsage);
  const extended = found.get(OID.extendedKeyUsage);
  const nameConstraints = found.get(OID.nameConstraints);
  const subjectKey = found.get(OID.subjectKeyIdentifier);
  const authorityKey = found.get(OID.authorityKeyIdentifier);
  return {
    names: names === undefined ? [] : readGeneralNames(names),
    ...readBasicConstraints(constraints),
    keyUsage: usage === undefined ? null : readKeyUsage(usage),
    extendedKeyUsage: extended === undefined ? null : childrenOf(extended).map(readOid),
    nameConstraints: nameConstraints === undefined ? null : readNameConstraints(nameConstraints),
    subjectKeyId: subjectKey === undefined ? null : expectTag(subjectKey, TAG.octetString).content,
    authorityKeyId: authorityKey === undefined ? null : readAuthorityKeyId(authorityKey),
  };
}

/** Every extension, understood or not. Throws DerError; one that comes twice too. */
export function listExtensions(value: Tlv): readonly RawExtension[] {
  const seen = new Set<string>();
  return childrenOf(expectTag(value, TAG.sequence)).map((entry) => {
    const parts = childrenOf(expectTag(entry, TAG.sequence));
    const id = readOid(parts[0]);
    const critical = parts.length === 3 && readBoolean(parts[1]);
    if (seen.has(id)) throw new DerError('an extension that comes twice');
    seen.add(id);
    if (parts.length < 2 || parts.length > 3) throw new DerError('an extension of a strange shape');
    return { id, critical, value: insideOctets(expectTag(parts.at(-1), TAG.octetString)) };
  });
}

/** Extensions that are understood, by their identifiers. */
export const UNDERSTOOD: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
  OID.nameConstraints,
  OID.subjectKeyIdentifier,
  OID.authorityKeyIdentifier,
]);

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(id), critical && yes(), octets(value));
}

function readBasicConstraints(value: Tlv | undefined): Pick<Extensions, 'isAuthority' | 'pathLength'> {
  if (value === undefined) return { isAuthority: false, pathLength: null };
  const [first, second] = childrenOf(expectTag(value, TAG.sequence));
  const isAuthority = first !== undefined && readBoolean(first);
  return { isAuthority, pathLength: second === undefined ? null : readSmallInteger(second) };
}

/** null: it names the issuer in another way. */
function readAuthorityKeyId(value: Tlv): Buffer | null {
  const id = childrenOf(expectTag(value, TAG.sequence)).find(({ tag }) => tag === 0x80);
  return id?.content ?? null;
}

function readKeyUsage(value: Tlv): ReadonlySet<KeyUsage> {
  const bits = expectTag(value, TAG.bitString).content.subarray(1);
  const set = new Set<KeyUsage>();
  for (const [name, number] of Object.entries(KEY_USAGE)) {
    // Object.entries widens the key to string; the table above holds no others.
    if (((bits[number >> 3] ?? 0) & (0x80 >> (number & 7))) !== 0) set.add(name as KeyUsage);
  }
  return set;
}
