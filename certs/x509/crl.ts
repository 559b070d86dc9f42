// Lists of revoked certificates, version 2: written for the world outside the mesh, and read where somebody verifies a
// chain by hand. Source: RFC 5280 §5.
import { sign } from 'node:crypto';
import type { Result } from '../../core/kit/result.ts';
import type { Issuer, IssuerName } from './certificate.ts';
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
import { authorityKeyIdentifier, crlNumber, crlReason, listExtensions } from './extensions.ts';
import { OID } from './oids.ts';
import { hashFor, readSigned, signatureAlgorithm, withSignature, type SignedParts } from './signature.ts';

/** About 40 bytes an entry. */
const MAX_CRL_SIZE = 2 * 1024 * 1024;
const MAX_ENTRIES = 50_000;

/** The names that RFC 5280 §5.3.1 gives, with their numbers. */
export const CRL_REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  caCompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;
export type CrlReason = keyof typeof CRL_REASONS;

export interface RevokedCertificate {
  /** Lower-case hex. */
  readonly serial: string;
  /** Milliseconds since 1970. */
  readonly revokedAt: number;
  readonly reason: CrlReason;
}

export interface CrlTemplate {
  /** Greater than that of the list before. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revoked: readonly RevokedCertificate[];
}

export interface PreparedCrl {
  readonly tbs: Buffer;
  /** DER of the list. */
  finish(signature: Uint8Array): Buffer;
}

export interface CrlFields extends Omit<CrlTemplate, 'nextUpdate' | 'number' | 'revoked'> {
  /** Raw DER of the issuer's name. */
  readonly issuer: Buffer;
  readonly nextUpdate: number | null;
  /** null where there is none. */
  readonly number: number | null;
  readonly revoked: ReadonlyMap<string, RevokedCertificate>;
  readonly signed: SignedParts;
}

export function issueCrl(template: CrlTemplate, issuer: Issuer): Buffer {
  const prepared = prepareCrl(template, issuer);
  return prepared.finish(sign(hashFor(issuer.privateKey), prepared.tbs, issuer.privateKey));
}

/** For a signature that is made elsewhere. */
export function prepareCrl(template: CrlTemplate, issuer: IssuerName): PreparedCrl {
  const { number, thisUpdate, nextUpdate, revoked } = template;
  const entries = revoked.map(({ serial, revokedAt, reason }) =>
    sequence(
      unsigned(Buffer.from(serial, 'hex')),
      time(revokedAt),
      // "unspecified" is said by saying nothing (§5.3.1).
      reason !== 'unspecified' && sequence(crlReason(CRL_REASONS[reason])),
    ),
  );
  const tbs = sequence(
    smallInteger(1),
    signatureAlgorithm(issuer.publicKey),
    issuer.subject,
    time(thisUpdate),
    time(nextUpdate),
    // §5.1.2.6: absent where nothing is revoked.
    entries.length > 0 && sequence(...entries),
    explicit(0, sequence(authorityKeyIdentifier(issuer.keyId), crlNumber(number))),
  );
  return { tbs, finish: (signature) => withSignature(tbs, issuer.publicKey, signature) };
}

/** The signature is in `signed` and not verified. */
export function readCrl(der: Uint8Array): Result<CrlFields, string> {
  return decoding(() => fieldsOf(der));
}

function fieldsOf(der: Uint8Array): CrlFields {
  const signed = readSigned(readDer(der, MAX_CRL_SIZE));
  const [version, algorithm, issuer, thisUpdate, ...rest] = childrenOf(signed.content);
  if (readSmallInteger(version) !== 1) throw new DerError('not a version 2 list');
  if (!signed.algorithm.raw.equals(expectTag(algorithm, TAG.sequence).raw)) {
    throw new DerError('two different signature algorithms');
  }
  const next = rest.find(({ tag }) => tag === TAG.utcTime || tag === TAG.generalizedTime);
  const entries = rest.find(({ tag }) => tag === TAG.sequence);
  const extensions = rest.find(({ tag }) => tag === 0xa0);
  const revoked = entries === undefined ? [] : childrenOf(entries, MAX_ENTRIES).map(readEntry);
  return {
    issuer: expectTag(issuer, TAG.sequence).raw,
    thisUpdate: readTime(thisUpdate),
    nextUpdate: next === undefined ? null : readTime(next),
    number: extensions === undefined ? null : readNumber(childrenOf(extensions)[0]),
    revoked: new Map(revoked.map((entry) => [entry.serial, entry])),
    signed,
  };
}

function readEntry(entry: Tlv): RevokedCertificate {
  const [serial, at, extensions] = childrenOf(expectTag(entry, TAG.sequence));
  let reason: CrlReason = 'unspecified';
  for (const { id, critical, value } of extensions === undefined ? [] : listExtensions(extensions)) {
    if (id === OID.crlReason) reason = reasonOf(value);
    else if (critical) throw new DerError('a critical extension that is not understood');
  }
  return { serial: readSerial(serial), revokedAt: readTime(at), reason };
}

function reasonOf(value: Tlv): CrlReason {
  const [number] = expectTag(value, TAG.enumerated).content;
  // Object.entries widens the key to string; the table holds no others.
  const known = Object.entries(CRL_REASONS).find(([, each]) => each === number) as [CrlReason, number] | undefined;
  return known?.[0] ?? 'unspecified';
}

function readNumber(extensions: Tlv | undefined): number | null {
  let number: number | null = null;
  for (const { id, critical, value } of extensions === undefined ? [] : listExtensions(extensions)) {
    // A list for some certificates only, or one of changes, says so critically (§5.2.4, §5.2.5).
    if (critical) throw new DerError('a critical extension that is not understood');
    if (id === OID.crlNumber) number = value.content.length <= 4 ? readSmallInteger(value) : null;
  }
  return number;
}
