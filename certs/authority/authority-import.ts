// Takes over an authority that exists already: a root, under which an intermediate is made, or an intermediate with
// what it leads to. What it can sign is tried before anything is written: a trial SVID has to verify.
import type { KeyObject } from 'node:crypto';
import { MeshError } from '../../core/kit/error.ts';
import { isTrustDomain } from '../spiffe/spiffe-id.ts';
import { verifySvid } from '../spiffe/chain.ts';
import type { Secret } from '../token/secret.ts';
import { identityOf } from '../policy/names.ts';
import { issueCertificate, readCertificate, type CertificateFields } from '../x509/certificate.ts';
import { generateKeyPair, keyIdOf, readPublicKey, sameKey, type KeyKind, type KeyPair } from '../x509/key.ts';
import { describeName } from '../x509/name.ts';
import { Authority } from './authority.ts';
import { type AuthorityAmbient, INTERMEDIATE_LIFE, intermediateTemplate } from './authority-folder.ts';
import { isSvidLife, USUAL_SETTINGS } from './authority-settings.ts';
import { writeAuthority, type NewAuthority } from './authority-writer.ts';
import { commandSigningKey } from './command-signing-key.ts';
import { signerWith } from './signer.ts';
import { fileSigningKey } from './signing-key.ts';

export interface ImportOptions extends AuthorityAmbient {
  readonly trustDomain: string;
  /** What was brought, in any order; DER. */
  readonly certificates: readonly Uint8Array[];
  /** Of one of them; null: a command signs for the first that is no root. */
  readonly keys: KeyPair | null;
  readonly signCommand: readonly string[] | null;
  /** Of an intermediate that is made; default P-256. */
  readonly keyKind?: KeyKind;
  /** Whether the key of a root is kept in the folder. */
  readonly keepRootKey: boolean;
  readonly svidLife?: number;
  /** Encrypts the keys in the folder. */
  readonly passphrase: Secret | null;
}

interface Brought extends CertificateFields {
  readonly der: Buffer;
  readonly key: KeyObject;
}

const MOST = 16;

/** Throws MeshError `usage` (what was brought cannot sign for this trust domain), `authority-exists` or `signing-failed`. */
export async function importAuthority(dir: string, options: ImportOptions): Promise<'root' | 'intermediate'> {
  const { trustDomain, keys, signCommand, clock, random, svidLife = USUAL_SETTINGS.svidLife } = options;
  if (!isTrustDomain(trustDomain)) throw usage(`"${trustDomain}" cannot be a trust domain`, 'as in shop.test');
  if (!isSvidLife(svidLife)) throw usage('SVIDs live between 1 h and 90 d', 'in whole hours, as in 24h');
  const brought = readAll(options.certificates);
  const own = ownOf(brought, keys);
  const isRoot = isSelfIssued(own);
  if (isRoot && keys === null) throw usage('a command signs for an intermediate, and here is only a root');
  const made = isRoot && keys !== null ? beneath(own, keys, options) : asBrought(own, brought, keys);
  const signing = isRoot ? made.keys : keys;
  const key = signCommand === null ? signing && fileSigningKey(signing) : commandSigningKey(signCommand, own.key);
  if (key === null) throw usage('neither a key nor a command to sign with');
  const [issuing] = made.authority.chain;
  const fields = issuing === undefined ? null : readCertificate(issuing);
  if (fields?.ok !== true) throw new TypeError('it was read before');
  const { chain, roots: bundle } = made.authority;
  const signer = signerWith(
    { trustDomain, key, issuing: fields.value, chain, bundle, notAfter: fields.value.notAfter },
    random,
  );
  await tryOut(new Authority(signer, clock, { svid: svidLife }), options);
  await writeAuthority(dir, signCommand === null ? made.authority : { ...made.authority, key: null }, {
    settings: { trustDomain, svidLife, signCommand },
    ...{ passphrase: options.passphrase, random },
  });
  return isRoot ? 'root' : 'intermediate';
}

function readAll(certificates: readonly Uint8Array[]): readonly Brought[] {
  if (certificates.length > MOST) throw usage(`more than ${MOST} certificates`);
  return certificates.map((der) => {
    const fields = readCertificate(der);
    if (!fields.ok)
      throw usage(`a certificate cannot be read: ${fields.error}`, 'see what it is with `weft ca inspect`');
    const key = readPublicKey(fields.value.spki);
    if (!key.ok) throw usage(`a certificate has a key that cannot be read: ${key.error}`);
    return { ...fields.value, der: Buffer.from(der), key: key.value };
  });
}

/** The certificate that is to sign. */
function ownOf(brought: readonly Brought[], keys: KeyPair | null): Brought {
  const own =
    keys === null
      ? (brought.find((each) => !isSelfIssued(each)) ?? brought[0])
      : brought.find(({ key }) => sameKey(key, keys.publicKey));
  if (own === undefined) {
    throw usage(keys === null ? 'no certificate' : 'the key is that of none of the certificates');
  }
  if (own.extensions.isAuthority) return own;
  throw usage(
    `${describeName(own.subject)} is not the certificate of an authority`,
    'see what it is with `weft ca inspect`',
  );
}

interface Made {
  readonly authority: NewAuthority;
  readonly keys: KeyPair | null;
}

function beneath(root: Brought, rootKeys: KeyPair, options: ImportOptions): Made {
  const { trustDomain, clock, random, keyKind } = options;
  const keys = generateKeyPair(keyKind);
  const notAfter = Math.min(clock() + INTERMEDIATE_LIFE, root.notAfter);
  const keyId = root.extensions.subjectKeyId ?? keyIdOf(root.key);
  const intermediate = issueCertificate(
    intermediateTemplate(trustDomain, keys.publicKey, clock(), notAfter),
    { ...rootKeys, subject: root.subject, keyId },
    random,
  );
  const rootKey = options.keepRootKey ? rootKeys.privateKey : null;
  return { authority: { roots: [root.der], chain: [intermediate.der], rootKey, key: keys.privateKey }, keys };
}

function asBrought(own: Brought, brought: readonly Brought[], keys: KeyPair | null): Made {
  const roots = brought.filter(isSelfIssued);
  if (roots.length === 0) throw usage('an intermediate needs the root that it leads to', 'name it with --roots');
  const chain = [own];
  for (let last = own; chain.length < MOST; ) {
    const next = brought.find(
      (each) => !isSelfIssued(each) && !chain.includes(each) && each.subject.equals(last.issuer),
    );
    if (next === undefined) break;
    chain.push(next);
    last = next;
  }
  // The one that it leads to is pinned by tokens, and comes first.
  const anchor = roots.find(({ subject }) => subject.equals(chain.at(-1)?.issuer ?? subject));
  const ordered = anchor === undefined ? roots : [anchor, ...roots.filter((root) => root !== anchor)];
  return {
    authority: {
      roots: ordered.map(({ der }) => der),
      chain: chain.map(({ der }) => der),
      rootKey: null,
      key: keys?.privateKey ?? null,
    },
    keys,
  };
}

/** Whatever a peer would refuse is found here: dates, names, depth, purposes, strength, a chain that leads nowhere. */
async function tryOut(authority: Authority, { trustDomain, clock }: ImportOptions): Promise<void> {
  const { publicKey } = generateKeyPair();
  const identity = identityOf(trustDomain, 'trial');
  const { chain, bundle } = await authority.signSvid({ publicKey, identity });
  for (const role of ['client', 'server'] as const) {
    const peer = verifySvid({ chain, bundle, now: clock(), trustDomain, identity, role });
    if (!peer.ok) throw usage(`what it signs would be refused: ${peer.error}`, 'nothing was written');
  }
}

function isSelfIssued({ issuer, subject }: Brought): boolean {
  return issuer.equals(subject);
}

function usage(detail: string, hint = ''): MeshError {
  return new MeshError('usage', { detail, hint });
}
