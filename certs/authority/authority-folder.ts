// The authority on disk: `root.pem`, `root.key`, `intermediate.pem`, `intermediate.key`, all 0600 in a 0700
// folder. Made once by `weft ca init`, opened by the control plane and by standalone edges.
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { MeshError } from '../../core/kit/error.ts';
import { ensureDir, exists, isErrno, readTextBounded, SECRET_MODE, writeFileAtomic } from '../../host/files.ts';
import type { Clock, RandomBytes } from '../ambient.ts';
import { isTrustDomain, parseSpiffeId } from '../spiffe/spiffe-id.ts';
import { issueCertificate, readCertificate, selfIssuer, type CertificateFields } from '../x509/certificate.ts';
import { generateKeyPair, keyIdOf, privateKeyPem, readPrivateKey, sameKey, type KeyPair } from '../x509/key.ts';
import { encodeName } from '../x509/name.ts';
import { certificatesOf, certificatesPem } from '../x509/pem.ts';
import { Authority, BACKDATE } from './authority.ts';
import { localSigner } from './signer.ts';

const YEAR = 365 * 24 * 3_600_000;
const ROOT_LIFE = 10 * YEAR;
const INTERMEDIATE_LIFE = YEAR;

const FILES = {
  rootKey: 'root.key',
  root: 'root.pem',
  intermediateKey: 'intermediate.key',
  intermediate: 'intermediate.pem',
} as const;

export interface AuthorityAmbient {
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/**
 * Makes a root (10 years) and an intermediate (1 year, path length 0), each P-256.
 * Throws MeshError `authority-exists` or `usage` (a trust domain that is none).
 */
export async function initAuthority(
  dir: string,
  options: AuthorityAmbient & { readonly trustDomain: string },
): Promise<void> {
  const { trustDomain, clock, random } = options;
  if (!isTrustDomain(trustDomain)) {
    throw new MeshError('usage', {
      detail: `"${trustDomain}" cannot be a trust domain`,
      hint: 'lower-case letters, digits, dots, hyphens, as in shop.test',
    });
  }
  const rootKeys = generateKeyPair();
  const keys = generateKeyPair();
  const now = clock();
  const names = [{ kind: 'uri' as const, value: `spiffe://${trustDomain}` }];
  const rootSubject = { organization: 'Weft', commonName: `${trustDomain} root` };
  const rootIssuer = selfIssuer(rootKeys.privateKey, rootKeys.publicKey, rootSubject);
  const common = { names, notBefore: now - BACKDATE };
  const root = issueCertificate(
    {
      ...common,
      publicKey: rootKeys.publicKey,
      subject: rootSubject,
      notAfter: now + ROOT_LIFE,
      usage: { kind: 'authority', pathLength: 1 },
    },
    rootIssuer,
    random,
  );
  const intermediate = issueCertificate(
    {
      ...common,
      publicKey: keys.publicKey,
      subject: { organization: 'Weft', commonName: `${trustDomain} issuing 1` },
      notAfter: now + INTERMEDIATE_LIFE,
      usage: { kind: 'authority', pathLength: 0 },
    },
    { privateKey: rootKeys.privateKey, subject: encodeName(rootSubject), keyId: keyIdOf(rootKeys.publicKey) },
    random,
  );
  await ensureDir(dir);
  await createExclusively(dir, privateKeyPem(rootKeys.privateKey));
  await writeFileAtomic(join(dir, FILES.root), certificatesPem([root.der]), SECRET_MODE);
  await writeFileAtomic(join(dir, FILES.intermediateKey), privateKeyPem(keys.privateKey), SECRET_MODE);
  await writeFileAtomic(join(dir, FILES.intermediate), certificatesPem([intermediate.der]), SECRET_MODE);
}

/** Throws MeshError `authority-missing`, or `state-corrupt` where the files do not belong together. */
export async function openAuthority(dir: string, ambient: AuthorityAmbient): Promise<Authority> {
  const missing: string[] = [];
  for (const name of [FILES.root, FILES.intermediate, FILES.intermediateKey]) {
    if (!(await exists(join(dir, name)))) missing.push(name);
  }
  // A root key alone is what an interrupted `weft ca init` leaves.
  if (missing.length === 3 && !(await exists(join(dir, FILES.rootKey)))) {
    throw new MeshError('authority-missing', { detail: dir, hint: 'make one with `weft ca init`' });
  }
  if (missing.length > 0) throw corrupt(dir, `${missing.join(' and ')} missing`);
  const root = await readOneCertificate(dir, FILES.root);
  const intermediate = await readOneCertificate(dir, FILES.intermediate);
  const keys = await readKeys(dir);
  if (!sameKey(intermediate.parsed.publicKey, keys.publicKey)) {
    throw corrupt(dir, `${FILES.intermediateKey} is not the key of ${FILES.intermediate}`);
  }
  if (!intermediate.parsed.verify(root.parsed.publicKey) || !intermediate.fields.issuer.equals(root.fields.subject)) {
    throw corrupt(dir, `${FILES.intermediate} is not signed by ${FILES.root}`);
  }
  const signer = localSigner(
    {
      trustDomain: trustDomainOf(dir, root.fields),
      ...keys,
      subject: intermediate.fields.subject,
      chain: [intermediate.der],
      bundle: [root.der],
      notAfter: Math.min(intermediate.fields.notAfter, root.fields.notAfter),
    },
    ambient.random,
  );
  return new Authority(signer, ambient.clock);
}

/** The first file is the lock: of two that make an authority at once, one is told that there is one already. */
async function createExclusively(dir: string, rootKey: string): Promise<void> {
  const path = join(dir, FILES.rootKey);
  if (await exists(join(dir, FILES.root))) throw alreadyThere(dir);
  try {
    const file = await open(path, 'wx', SECRET_MODE);
    try {
      await file.writeFile(rootKey);
      await file.sync();
    } catch (cause) {
      await rm(path, { force: true });
      throw cause;
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isErrno(cause, 'EEXIST')) throw alreadyThere(dir);
    throw new MeshError('file-unreadable', { detail: path, cause });
  }
}

function alreadyThere(dir: string): MeshError {
  return new MeshError('authority-exists', {
    detail: dir,
    hint: 'nothing was changed; another folder can be named with --dir',
  });
}

function corrupt(dir: string, what: string): MeshError {
  return new MeshError('state-corrupt', {
    detail: `${dir}: ${what}`,
    hint: 'restore the folder from a backup, or remove it, run `weft ca init` and let every proxy join again',
  });
}

interface StoredCertificate {
  readonly der: Buffer;
  readonly parsed: X509Certificate;
  readonly fields: CertificateFields;
}

async function readOneCertificate(dir: string, name: string): Promise<StoredCertificate> {
  const list = certificatesOf(await readTextBounded(join(dir, name), 64 * 1024));
  if (!list.ok) throw corrupt(dir, `${name}: ${list.error}`);
  const [der] = list.value;
  if (der === undefined || list.value.length !== 1) throw corrupt(dir, `${name} holds more than one certificate`);
  const fields = readCertificate(der);
  if (!fields.ok) throw corrupt(dir, `${name}: ${fields.error}`);
  if (!fields.value.extensions.isAuthority) throw corrupt(dir, `${name} is not an authority's certificate`);
  try {
    return { der, parsed: new X509Certificate(der), fields: fields.value };
  } catch {
    throw corrupt(dir, `${name} is not a certificate`);
  }
}

async function readKeys(dir: string): Promise<KeyPair> {
  const keys = readPrivateKey(await readTextBounded(join(dir, FILES.intermediateKey), 64 * 1024));
  if (!keys.ok) throw corrupt(dir, `${FILES.intermediateKey}: ${keys.error}`);
  return keys.value;
}

function trustDomainOf(dir: string, root: CertificateFields): string {
  const [name, ...others] = root.extensions.names;
  const id = name?.kind === 'uri' && others.length === 0 ? parseSpiffeId(name.value) : null;
  if (id === null || !id.ok || id.value.segments.length > 0) throw corrupt(dir, `${FILES.root} names no trust domain`);
  return id.value.trustDomain;
}
