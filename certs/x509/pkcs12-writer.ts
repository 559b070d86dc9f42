// PKCS#12: a key with its chain in one file under a password, for programs and people that know nothing else. Keys and
// certificates are encrypted with AES-256 under PBKDF2. Source: RFC 7292.
import { createHash, type KeyObject } from 'node:crypto';
import type { RandomBytes } from '../ambient.ts';
import { explicit, implicit, octets, oid, sequence, setOf, setOfOne, smallInteger, tlv } from './der-writer.ts';
import { OID } from './oids.ts';
import { encryptWith } from './pbes2.ts';
import { makeMac } from './pkcs12-mac.ts';

export interface Pkcs12Parts {
  readonly key: KeyObject;
  /** Leaf first; DER. */
  readonly chain: readonly Buffer[];
  readonly password: string;
  /** What programs show it as. */
  readonly name: string;
}

const BMP_STRING = 0x1e;

export function makePkcs12(parts: Pkcs12Parts, random: RandomBytes): Buffer {
  const { key, chain, password } = parts;
  const [leaf] = chain;
  if (leaf === undefined) throw new TypeError('a chain has a leaf');
  // The same two attributes tell programs which certificate belongs to the key.
  const attributes = setOf(
    attribute(OID.friendlyName, tlv(BMP_STRING, Buffer.from(parts.name, 'utf16le').swap16())),
    attribute(OID.localKeyId, octets(createHash('sha1').update(leaf).digest())),
  );
  const certificates = chain.map((der, index) => {
    const bag = sequence(oid(OID.x509Certificate), explicit(0, octets(der)));
    return sequence(oid(OID.certificateBag), explicit(0, bag), index === 0 && attributes);
  });
  const shrouded = encryptWith(password, key.export({ type: 'pkcs8', format: 'der' }), 'pbkdf2', random);
  const keyBag = sequence(
    oid(OID.shroudedKeyBag),
    explicit(0, sequence(shrouded.algorithm, octets(shrouded.data))),
    attributes,
  );
  const content = sequence(
    encryptedContent(sequence(...certificates), password, random),
    plainContent(sequence(keyBag)),
  );
  return sequence(smallInteger(3), plainContent(content), makeMac(password, content, random));
}

function plainContent(content: Uint8Array): Buffer {
  return sequence(oid(OID.data), explicit(0, octets(content)));
}

function encryptedContent(content: Uint8Array, password: string, random: RandomBytes): Buffer {
  const { algorithm, data } = encryptWith(password, content, 'pbkdf2', random);
  const info = sequence(oid(OID.data), algorithm, implicit(0, data));
  return sequence(oid(OID.encryptedData), explicit(0, sequence(smallInteger(0), info)));
}

function attribute(type: string, value: Uint8Array): Buffer {
  return sequence(oid(type), setOfOne(value));
}
