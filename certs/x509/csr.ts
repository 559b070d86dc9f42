// PKCS#10: the request that a proxy makes for a key that never leaves it, and how a stranger's is read. A
// request counts only if its own key signed it (proof of possession). Source: RFC 2986 §4.
import type { KeyObject } from 'node:crypto';
import { err, ok, type Result } from '../../core/kit/result.ts';
import {
  childrenOf,
  decoding,
  DerError,
  expectTag,
  readDer,
  readOid,
  readSmallInteger,
  TAG,
  type Tlv,
} from './der-reader.ts';
import { explicit, oid, sequence, setOfOne, smallInteger } from './der-writer.ts';
import { readExtensions, subjectAltName } from './extensions.ts';
import type { GeneralName } from './general-name.ts';
import { readPublicKey, spkiOf, type KeyPair } from './key.ts';
import { encodeName } from './name.ts';
import { OID } from './oids.ts';
import { readSigned, signatureHolds, signed } from './signature.ts';

export interface CertificateRequest {
  readonly publicKey: KeyObject;
  /** What it asks to be called. Policy decides; a request never does. */
  readonly names: readonly GeneralName[];
}

/** DER of a request; without names it asks for whatever policy gives. */
export function makeCsr(key: KeyPair, names: readonly GeneralName[] = []): Buffer {
  const attributes = names.length === 0 ? [] : [extensionRequest(names)];
  const info = sequence(smallInteger(0), encodeName({}), spkiOf(key.publicKey), explicit(0, ...attributes));
  return signed(info, key.privateKey);
}

/** What a request says, once its signature is checked over the bytes as they came. */
export function readCsr(der: Uint8Array): Result<CertificateRequest, string> {
  const parts = decoding(() => partsOf(der));
  if (!parts.ok) return parts;
  const publicKey = readPublicKey(parts.value.spki);
  if (!publicKey.ok) return publicKey;
  const holds = decoding(() => parts.value.holds(publicKey.value));
  if (!holds.ok) return holds;
  return holds.value
    ? ok({ publicKey: publicKey.value, names: parts.value.names })
    : err('its signature does not hold');
}

interface CsrParts {
  readonly spki: Buffer;
  readonly names: readonly GeneralName[];
  readonly holds: (key: KeyObject) => boolean;
}

function partsOf(der: Uint8Array): CsrParts {
  const signedParts = readSigned(readDer(der));
  const [version, subject, spki, attributes] = childrenOf(signedParts.content);
  if (readSmallInteger(version) !== 0) throw new DerError('a request of an unknown version');
  expectTag(subject, TAG.sequence);
  return {
    spki: expectTag(spki, TAG.sequence).raw,
    names: attributes === undefined ? [] : requestedNames(expectTag(attributes, 0xa0)),
    holds: (key) => signatureHolds(signedParts, key),
  };
}

function requestedNames(attributes: Tlv): readonly GeneralName[] {
  const names: GeneralName[] = [];
  for (const attribute of childrenOf(attributes)) {
    const [type, values] = childrenOf(expectTag(attribute, TAG.sequence));
    if (readOid(type) !== OID.extensionRequest) continue;
    for (const value of childrenOf(expectTag(values, TAG.set))) names.push(...readExtensions(value).names);
  }
  return names;
}

function extensionRequest(names: readonly GeneralName[]): Buffer {
  return sequence(oid(OID.extensionRequest), setOfOne(sequence(subjectAltName(names, true))));
}
