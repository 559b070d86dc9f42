// What tells a right password of a PKCS#12 file from a wrong one: an HMAC under a key that the format derives in its own
// way. Source: RFC 7292 §4 and appendix B.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '../ambient.ts';
import { childrenOf, DerError, expectTag, readOid, readSmallInteger, TAG, type Tlv } from './der-reader.ts';
import { nothing, octets, oid, sequence, smallInteger } from './der-writer.ts';
import { OID } from './oids.ts';

const ROUNDS = 100_000;
const MOST_ROUNDS = 2_000_000;
/** "3" derives keys of a MAC. */
const FOR_MAC = 3;

/** OID → hash and its block, in bytes. */
const HASHES: ReadonlyMap<string, { readonly name: string; readonly block: number }> = new Map([
  [OID.sha1, { name: 'sha1', block: 64 }],
  [OID.sha256, { name: 'sha256', block: 64 }],
  [OID.sha384, { name: 'sha384', block: 128 }],
  [OID.sha512, { name: 'sha512', block: 128 }],
]);

/** `MacData` over the content of the file. */
export function makeMac(password: string, content: Uint8Array, random: RandomBytes): Buffer {
  const salt = Buffer.from(random(16));
  const key = macKey('sha256', 64, passwordBytes(password), salt, ROUNDS);
  const mac = createHmac('sha256', key).update(content).digest();
  const algorithm = sequence(oid(OID.sha256), nothing());
  return sequence(sequence(algorithm, octets(mac)), octets(salt), smallInteger(ROUNDS));
}

/** Throws DerError for a MAC of another kind, and for one that would take too much work. */
export function macHolds(password: string, content: Uint8Array, macData: Tlv): boolean {
  const [digestInfo, salt, rounds] = childrenOf(expectTag(macData, TAG.sequence));
  const [algorithm, mac] = childrenOf(expectTag(digestInfo, TAG.sequence));
  const known = HASHES.get(readOid(childrenOf(expectTag(algorithm, TAG.sequence))[0]));
  if (known === undefined) throw new DerError('a check value of a kind that is not known here');
  const count = rounds === undefined ? 1 : readSmallInteger(rounds);
  if (count < 1 || count > MOST_ROUNDS) throw new DerError(`a check value of ${count} rounds`);
  const expected = expectTag(mac, TAG.octetString).content;
  const saltBytes = expectTag(salt, TAG.octetString).content;
  if (saltBytes.length === 0 || saltBytes.length > 1_024) throw new DerError('a salt of a strange length');
  // Some programs write no password as no bytes, others as an empty text.
  const candidates = password === '' ? [passwordBytes(''), Buffer.alloc(0)] : [passwordBytes(password)];
  return candidates.some((bytes) => {
    const key = macKey(known.name, known.block, bytes, saltBytes, count);
    const found = createHmac(known.name, key).update(content).digest();
    return found.length === expected.length && timingSafeEqual(found, expected);
  });
}

/** UTF-16, big-endian, with two zero bytes at its end. */
function passwordBytes(password: string): Buffer {
  return Buffer.concat([Buffer.from(password, 'utf16le').swap16(), Buffer.alloc(2)]);
}

/** As long as the hash, so that one block of the derivation is all. */
function macKey(name: string, block: number, password: Buffer, salt: Buffer, rounds: number): Buffer {
  let key: Buffer = Buffer.concat([Buffer.alloc(block, FOR_MAC), filled(salt, block), filled(password, block)]);
  for (let round = 0; round < rounds; round += 1) key = hash(name, key, 'buffer');
  return key;
}

/** Repeated up to a whole number of blocks. */
function filled(bytes: Buffer, block: number): Buffer {
  return bytes.length === 0 ? bytes : Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes);
}
