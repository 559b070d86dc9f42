// Certificates that no authority of ours would make, byte by byte as a test wants them.
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import {
  explicit,
  octets,
  oid,
  sequence,
  smallInteger,
  time,
  unsigned,
  wholeBits,
  yes,
} from '../../certs/x509/der-writer.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from '../../certs/x509/extensions.ts';
import type { GeneralName } from '../../certs/x509/general-name.ts';
import { generateKeyPair, keyIdOf, spkiOf, type KeyPair } from '../../certs/x509/key.ts';
import { encodeName } from '../../certs/x509/name.ts';
import { OID } from '../../certs/x509/oids.ts';

export interface Crafted {
  readonly der: Buffer;
  readonly keys: KeyPair;
  /** Raw DER. */
  readonly subject: Buffer;
  readonly serial: string;
}

export interface Craft {
  /** Whose key signs; left out: its own. */
  readonly issuer?: Crafted;
  readonly keys?: KeyPair;
  /** Common name; '' for none. */
  readonly name?: string;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly extensions?: readonly Buffer[];
  readonly hash?: 'sha1' | 'sha256';
  /** Stands inside; the one outside is true. */
  readonly innerAlgorithm?: string;
}

export const DAY = 86_400_000;
const ALGORITHMS = { sha1: '1.2.840.10045.4.1', sha256: OID.ecdsaWithSha256 } as const;

/** Signed with ECDSA. */
function craft(options: Craft): Crafted {
  const keys = options.keys ?? generateKeyPair();
  const subject = encodeName(options.name === undefined || options.name === '' ? {} : { commonName: options.name });
  const issuer = options.issuer ?? { keys, subject };
  const serial = randomBytes(16);
  serial[0] = 0x41;
  const algorithm = ALGORITHMS[options.hash ?? 'sha256'];
  const tbs = sequence(
    explicit(0, smallInteger(2)),
    unsigned(serial),
    sequence(oid(options.innerAlgorithm ?? algorithm)),
    issuer.subject,
    sequence(time(options.notBefore ?? Date.now() - DAY), time(options.notAfter ?? Date.now() + DAY)),
    subject,
    spkiOf(keys.publicKey),
    explicit(3, sequence(...(options.extensions ?? []))),
  );
  const signature = sign(options.hash ?? 'sha256', tbs, issuer.keys.privateKey);
  return {
    der: sequence(tbs, sequence(oid(algorithm)), wholeBits(signature)),
    keys,
    subject,
    serial: serial.toString('hex'),
  };
}

export interface AuthorityCraft extends Omit<Craft, 'extensions'> {
  readonly pathLength?: number | null;
  readonly extensions?: readonly Buffer[];
  readonly usage?: readonly ('keyCertSign' | 'cRLSign' | 'digitalSignature')[];
  readonly isAuthority?: boolean;
}

export function craftAuthority(name: string, options: AuthorityCraft = {}): Crafted {
  const {
    pathLength = null,
    usage = ['keyCertSign', 'cRLSign'],
    isAuthority = true,
    extensions = [],
    ...rest
  } = options;
  const keys = options.keys ?? generateKeyPair();
  const above = options.issuer?.keys.publicKey ?? keys.publicKey;
  return craft({
    ...rest,
    name,
    keys,
    extensions: [
      basicConstraints(isAuthority, isAuthority ? pathLength : null),
      keyUsage(usage),
      ...ids(keys.publicKey, above),
      ...extensions,
    ],
  });
}

export interface LeafCraft extends Omit<Craft, 'extensions'> {
  readonly names?: readonly GeneralName[];
  readonly isAuthority?: boolean;
  readonly usage?: readonly ('keyCertSign' | 'cRLSign' | 'digitalSignature')[] | null;
  readonly extended?: readonly ('serverAuth' | 'clientAuth')[];
  readonly more?: readonly Buffer[];
}

/** An SVID but for what is named. */
export function craftLeaf(issuer: Crafted, options: LeafCraft = {}): Crafted {
  const {
    names = [],
    isAuthority = false,
    usage = ['digitalSignature'],
    extended = ['serverAuth', 'clientAuth'],
    more = [],
    ...rest
  } = options;
  const keys = options.keys ?? generateKeyPair();
  return craft({
    ...rest,
    issuer,
    keys,
    extensions: [
      basicConstraints(isAuthority, null),
      ...(usage === null ? [] : [keyUsage(usage)]),
      extendedKeyUsage(extended),
      ...ids(keys.publicKey, issuer.keys.publicKey),
      ...(names.length === 0 ? [] : [subjectAltName(names, true)]),
      ...more,
    ],
  });
}

/** `permitted`, `excluded`: URI bases, as in `.other.test`. */
export function nameConstraints(permitted: readonly string[], excluded: readonly string[] = []): Buffer {
  const subtrees = (bases: readonly string[]): Buffer[] => bases.map((base) => sequence(uriBase(base)));
  const value = sequence(
    permitted.length > 0 && explicit(0, ...subtrees(permitted)),
    excluded.length > 0 && explicit(1, ...subtrees(excluded)),
  );
  return sequence(oid(OID.nameConstraints), yes(), octets(value));
}

/** Critical, and of no meaning to anybody. */
export function unknownCritical(): Buffer {
  return sequence(oid('1.3.6.1.4.1.99999.1'), yes(), octets(sequence()));
}

export function weakRsaKeys(): KeyPair {
  return generateKeyPairSync('rsa', { modulusLength: 1024 });
}

function uriBase(base: string): Buffer {
  return Buffer.concat([Uint8Array.of(0x86, base.length), Buffer.from(base, 'latin1')]);
}

function ids(own: KeyObject, above: KeyObject): readonly Buffer[] {
  return [subjectKeyIdentifier(keyIdOf(own)), authorityKeyIdentifier(keyIdOf(above))];
}
