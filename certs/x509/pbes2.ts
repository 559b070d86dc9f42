// Encryption by passphrase, as PKCS#8 keys and PKCS#12 files have it: a key derived by scrypt or PBKDF2, then AES in
// CBC mode. What somebody else encrypted may ask for a bounded amount of work only. Source: RFC 8018 §6.2, RFC 7914 §7.
import { createCipheriv, createDecipheriv, pbkdf2Sync, scryptSync } from 'node:crypto';
import type { RandomBytes } from '../ambient.ts';
import { childrenOf, DerError, expectTag, readOid, readSmallInteger, TAG, type Tlv } from './der-reader.ts';
import { nothing, octets, oid, sequence, smallInteger } from './der-writer.ts';
import { OID } from './oids.ts';

/** 16 MiB and about a quarter of a second; OpenSSL reads no file that asks for more than 32 MiB. */
const SCRYPT = { N: 16_384, r: 8, p: 5 } as const;
const PBKDF2_ROUNDS = 600_000;
/** Some seconds. */
const MOST_ROUNDS = 5_000_000;
/** Bytes that scrypt may take: 128 · N · r. */
const MOST_MEMORY = 256 * 1024 * 1024;
const MOST_PARALLEL = 16;
const SALT = 16;

const HASHES: ReadonlyMap<string, string> = new Map([
  [OID.hmacWithSha1, 'sha1'],
  [OID.hmacWithSha256, 'sha256'],
  [OID.hmacWithSha384, 'sha384'],
  [OID.hmacWithSha512, 'sha512'],
]);
const CIPHERS: ReadonlyMap<string, { readonly name: string; readonly bytes: number }> = new Map([
  [OID.aes128Cbc, { name: 'aes-128-cbc', bytes: 16 }],
  [OID.aes192Cbc, { name: 'aes-192-cbc', bytes: 24 }],
  [OID.aes256Cbc, { name: 'aes-256-cbc', bytes: 32 }],
]);

/** scrypt for what Weft reads itself; PBKDF2 (HMAC-SHA-256) for PKCS#12, which many programs read. */
export type Derivation = 'scrypt' | 'pbkdf2';

export interface Encrypted {
  /** AlgorithmIdentifier, DER. */
  readonly algorithm: Buffer;
  readonly data: Buffer;
}

/** AES-256. The passphrase counts as UTF-8. */
export function encryptWith(
  passphrase: string,
  plain: Uint8Array,
  derivation: Derivation,
  random: RandomBytes,
): Encrypted {
  const salt = Buffer.from(random(SALT));
  const iv = Buffer.from(random(16));
  const { N, r, p } = SCRYPT;
  const [function_, key] =
    derivation === 'scrypt'
      ? [
          sequence(oid(OID.scrypt), sequence(octets(salt), smallInteger(N), smallInteger(r), smallInteger(p))),
          scryptSync(passphrase, salt, 32, { N, r, p }),
        ]
      : [
          sequence(
            oid(OID.pbkdf2),
            sequence(octets(salt), smallInteger(PBKDF2_ROUNDS), sequence(oid(OID.hmacWithSha256), nothing())),
          ),
          pbkdf2Sync(passphrase, salt, PBKDF2_ROUNDS, 32, 'sha256'),
        ];
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  return {
    algorithm: sequence(oid(OID.pbes2), sequence(function_, sequence(oid(OID.aes256Cbc), octets(iv)))),
    data: Buffer.concat([cipher.update(plain), cipher.final()]),
  };
}

/**
 * null: the passphrase is wrong, as far as padding tells. Throws DerError for another scheme, and for one that would
 * take too much work.
 */
export function decryptWith(passphrase: string, algorithm: Tlv, data: Uint8Array): Buffer | null {
  const [scheme, parameters] = childrenOf(expectTag(algorithm, TAG.sequence));
  if (readOid(scheme) !== OID.pbes2) throw new DerError('encrypted in a way that is not known here');
  const [derivation, encryption] = childrenOf(expectTag(parameters, TAG.sequence));
  const [cipherId, iv] = childrenOf(expectTag(encryption, TAG.sequence));
  const cipher = CIPHERS.get(readOid(cipherId));
  if (cipher === undefined) throw new DerError('encrypted with a cipher that is not known here');
  const start = expectTag(iv, TAG.octetString).content;
  if (start.length !== 16) throw new DerError('an initialisation vector of a strange length');
  const decipher = createDecipheriv(
    cipher.name,
    deriveKey(passphrase, expectTag(derivation, TAG.sequence), cipher.bytes),
    start,
  );
  try {
    return Buffer.concat([decipher.update(data), decipher.final()]);
  } catch {
    return null;
  }
}

function deriveKey(passphrase: string, derivation: Tlv, bytes: number): Buffer {
  const [id, parameters] = childrenOf(derivation);
  const [salt, ...rest] = childrenOf(expectTag(parameters, TAG.sequence));
  const { content } = expectTag(salt, TAG.octetString);
  switch (readOid(id)) {
    case OID.scrypt: {
      const [N, r, p] = rest.slice(0, 3).map(readSmallInteger);
      if (N === undefined || r === undefined || p === undefined || N < 2 || (N & (N - 1)) !== 0 || r < 1 || p < 1) {
        throw new DerError('scrypt with parameters that make no sense');
      }
      const memory = 128 * N * r;
      if (memory > MOST_MEMORY || p > MOST_PARALLEL) throw new DerError('scrypt that would take too much work');
      return scryptSync(passphrase, content, bytes, { N, r, p, maxmem: memory + 128 * r * p + 1_048_576 });
    }
    case OID.pbkdf2: {
      const rounds = readSmallInteger(rest[0]);
      if (rounds < 1 || rounds > MOST_ROUNDS) throw new DerError(`PBKDF2 with ${rounds} rounds`);
      // keyLength may stand between; SHA-1 is the default of the pseudo-random function.
      const named = rest.find(({ tag }) => tag === TAG.sequence);
      const hash = HASHES.get(named === undefined ? OID.hmacWithSha1 : readOid(childrenOf(named)[0]));
      if (hash === undefined) throw new DerError('PBKDF2 with a hash that is not known here');
      return pbkdf2Sync(passphrase, content, rounds, bytes, hash);
    }
    default:
      throw new DerError('a key derivation that is not known here');
  }
}
