// A certificate as it is, for people to look at: what `readCertificate` refuses is shown here, and what is wrong with it is
// listed. Nothing decides by it.
import type { KeyObject } from 'node:crypto';
import type { Result } from '../../core/kit/result.ts';
import { readCertificate } from './certificate.ts';
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
import { interpretExtensions, listExtensions, UNDERSTOOD, type Extensions, type RawExtension } from './extensions.ts';
import { readPublicKey } from './key.ts';
import { describeName } from './name.ts';
import { describeAlgorithm, readSigned, type SignedParts } from './signature.ts';

export interface CertificateView extends Extensions {
  readonly version: number;
  readonly serial: string;
  readonly issuer: string;
  readonly subject: string;
  /** Issuer and subject are the same name. */
  readonly isSelfIssued: boolean;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** null: of a kind that cannot be read. */
  readonly key: KeyObject | null;
  /** `ECDSA with SHA-256`. */
  readonly algorithm: string;
  readonly signed: SignedParts;
  /** Those that are not understood, by identifier. */
  readonly otherExtensions: readonly Pick<RawExtension, 'id' | 'critical'>[];
  /** Why it would be refused, whoever signed it. */
  readonly problems: readonly string[];
}

/** An error where it is no certificate at all. */
export function viewCertificate(der: Uint8Array): Result<CertificateView, string> {
  return decoding(() => viewOf(der));
}

function viewOf(der: Uint8Array): CertificateView {
  const signed = readSigned(readDer(der));
  const fields = childrenOf(signed.content);
  const [first] = fields;
  const hasVersion = first?.tag === 0xa0;
  const version = hasVersion ? readSmallInteger(childrenOf(first)[0]) + 1 : 1;
  const [serial, , issuer, validity, subject, spki, ...rest] = hasVersion ? fields.slice(1) : fields;
  const [notBefore, notAfter] = childrenOf(expectTag(validity, TAG.sequence));
  const key = readPublicKey(expectTag(spki, TAG.sequence).raw);
  const extensions = rest.find(({ tag }) => tag === 0xa3);
  const strict = readCertificate(der);
  const problems = strict.ok ? [] : [strict.error];
  const list = extensions === undefined ? [] : listExtensions(onlyOf(extensions));
  return {
    version,
    serial: readSerial(serial),
    issuer: describeName(expectTag(issuer, TAG.sequence).raw),
    subject: describeName(expectTag(subject, TAG.sequence).raw),
    isSelfIssued: issuer !== undefined && subject !== undefined && issuer.raw.equals(subject.raw),
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    key: key.ok ? key.value : null,
    algorithm: describeAlgorithm(signed.algorithm),
    signed,
    ...extensionsOf(list, problems),
    otherExtensions: list.filter(({ id }) => !UNDERSTOOD.has(id)).map(({ id, critical }) => ({ id, critical })),
    problems,
  };
}

function onlyOf(value: Tlv): Tlv {
  const [only] = childrenOf(value);
  if (only === undefined) throw new DerError('no extensions where there should be some');
  return only;
}

/** One that cannot be read hides none of the others. */
function extensionsOf(list: readonly RawExtension[], problems: string[]): Extensions {
  let read = interpretExtensions(new Map());
  for (const { id, value } of list) {
    const next = decoding(() => interpretExtensions(new Map([[id, value]])));
    if (!next.ok) {
      if (!problems.includes(next.error)) problems.push(next.error);
      continue;
    }
    const { names, isAuthority, pathLength, ...rest } = next.value;
    read = {
      names: names.length > 0 ? names : read.names,
      isAuthority: isAuthority || read.isAuthority,
      pathLength: pathLength ?? read.pathLength,
      keyUsage: rest.keyUsage ?? read.keyUsage,
      extendedKeyUsage: rest.extendedKeyUsage ?? read.extendedKeyUsage,
      nameConstraints: rest.nameConstraints ?? read.nameConstraints,
      subjectKeyId: rest.subjectKeyId ?? read.subjectKeyId,
      authorityKeyId: rest.authorityKeyId ?? read.authorityKeyId,
    };
  }
  return read;
}
