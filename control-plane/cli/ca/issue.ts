// `weft ca issue`: a certificate for whatever cannot join by itself: a service, a server, a person or a machine outside
// the mesh, an operator of the API. Signed in the authority's folder, without a control plane, and logged there first.
import type { KeyObject } from 'node:crypto';
import { dirname } from 'node:path';
import { exists, readTextBounded, SECRET_MODE, writeFileAtomic } from '../../../host/files.ts';
import { openAuthority } from '../../../certs/authority/authority-folder.ts';
import type { Authority, IssuedCertificate } from '../../../certs/authority/authority.ts';
import { recordIssuance } from '../../../certs/authority/issuance-log.ts';
import { admitRequest } from '../../../certs/policy/request-policy.ts';
import { certificateFingerprint } from '../../../certs/x509/certificate.ts';
import { generateKeyPair, keyFingerprint, privateKeyPem, type KeyKind, type KeyPair } from '../../../certs/x509/key.ts';
import { certificatesPem, requestOf } from '../../../certs/x509/pem.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { whoAmI } from '../who.ts';
import { ambient, moment, secretOf, span } from './flags.ts';
import { subjectOf, type SubjectFlags, type Wanted } from './subject.ts';

type Print = (line: string) => void;

export interface CaIssueArgs extends SubjectFlags {
  readonly dir: string;
  /** Files are PREFIX.pem, PREFIX.key, PREFIX.ca.pem or PREFIX.p12. */
  readonly out: string;
  readonly keyKind: KeyKind;
  /** PEM file of a request for a key that stays where it is. */
  readonly csr?: string;
  readonly format: 'pem' | 'pkcs12';
  /** Of the PKCS#12 file. */
  readonly passwordFile?: string;
  readonly passphraseFile?: string;
  /** Write over files that are there. */
  readonly force: boolean;
  readonly json: boolean;
}

/** Throws MeshError `usage`, `csr-refused`, `authority-missing`, `authority-expired`, `key-locked` or `signing-failed`. */
export async function runCaIssue(args: CaIssueArgs, out: Print): Promise<void> {
  const wanted = subjectOf(args);
  const files = filesOf(args);
  await checkPlaces(files, args.force);
  const passphrase = await secretOf('--passphrase-file', args.passphraseFile);
  const authority = await openAuthority(args.dir, { ...ambient, passphrase });
  const keys = args.csr === undefined ? generateKeyPair(args.keyKind) : null;
  const publicKey = keys?.publicKey ?? (await requestedKey(args.csr ?? '', authority, wanted));
  const issued = await wanted.sign(authority, publicKey);
  await recordIssuance(args.dir, {
    ...{ issuedAt: ambient.clock(), by: whoAmI(), purpose: wanted.purpose, subject: wanted.subject(authority) },
    ...{ serial: issued.serial, key: keyFingerprint(publicKey), notAfter: issued.notAfter },
  });
  await write(files, issued, keys, args);
  report(files, issued, wanted.subject(authority), args, out);
  // Shorter than was asked for, and the next one will be shorter still.
  if (!args.json && issued.notAfter === authority.notAfter)
    out('it ends with the authority itself: see `weft ca status`');
}

interface Files {
  readonly certificate: string | null;
  readonly key: string | null;
  readonly roots: string | null;
  readonly pkcs12: string | null;
}

function filesOf({ out, format, csr, passwordFile }: CaIssueArgs): Files {
  if (format === 'pem') {
    if (passwordFile !== undefined) throw usage('--password-file goes with --format pkcs12');
    return {
      certificate: `${out}.pem`,
      key: csr === undefined ? `${out}.key` : null,
      roots: `${out}.ca.pem`,
      pkcs12: null,
    };
  }
  if (csr !== undefined) throw usage('a PKCS#12 file holds a key, and with --csr there is none here');
  if (passwordFile === undefined) throw usage('a PKCS#12 file needs a password', 'name a file with --password-file');
  return { certificate: null, key: null, roots: null, pkcs12: `${out}.p12` };
}

async function checkPlaces(files: Files, force: boolean): Promise<void> {
  const folder = dirname(files.certificate ?? files.pkcs12 ?? '.');
  // Before anything is signed: what is logged should be handed out.
  if (!(await exists(folder))) throw usage(`there is no folder ${folder}`, 'make it first');
  if (force) return;
  for (const file of Object.values(files)) {
    if (file !== null && (await exists(file))) throw usage(`${file} is there already`, '--force writes over it');
  }
}

async function requestedKey(file: string, authority: Authority, wanted: Wanted): Promise<KeyObject> {
  const der = requestOf(await readTextBounded(file, 64 * 1024));
  if (!der.ok) throw usage(`${file}: ${der.error}`, 'a CERTIFICATE REQUEST in PEM');
  const key = admitRequest(der.value, wanted.names(authority));
  if (!key.ok) throw key.error;
  return key.value;
}

async function write(files: Files, issued: IssuedCertificate, keys: KeyPair | null, args: CaIssueArgs): Promise<void> {
  // The key first: a certificate without its key is of no use, and says that it is there.
  if (files.key !== null && keys !== null) {
    await writeFileAtomic(files.key, privateKeyPem(keys.privateKey), SECRET_MODE);
  }
  if (files.certificate !== null) await writeFileAtomic(files.certificate, certificatesPem(issued.chain));
  if (files.roots !== null) await writeFileAtomic(files.roots, certificatesPem(issued.bundle));
  if (files.pkcs12 === null || keys === null) return;
  const password = await secretOf('--password-file', args.passwordFile);
  if (password === null) throw new TypeError('the flags were checked before');
  const { makePkcs12 } = await import('../../../certs/x509/pkcs12-writer.ts');
  const chain = [...issued.chain, ...issued.bundle];
  const bytes = makePkcs12({ key: keys.privateKey, chain, password: password.reveal(), name: 'weft' }, ambient.random);
  await writeFileAtomic(files.pkcs12, bytes, SECRET_MODE);
}

function report(files: Files, issued: IssuedCertificate, subject: string, args: CaIssueArgs, out: Print): void {
  const { serial, notBefore, notAfter } = issued;
  const [leaf] = issued.chain;
  const sha256 = leaf === undefined ? '' : Buffer.from(certificateFingerprint(leaf), 'base64url').toString('hex');
  if (args.json) {
    out(JSON.stringify({ subject, serial, sha256, ...times(notBefore, notAfter), files: present(files) }, null, 2));
    return;
  }
  const { certificate, key, roots, pkcs12 } = files;
  out(`${certificate ?? pkcs12 ?? ''}: ${subject}, until ${moment(notAfter)} (${span(notAfter - ambient.clock())})`);
  if (key !== null) out(`${key}: its private key, mode 0600`);
  if (pkcs12 !== null) out('it holds the private key too, under the password of the file');
  if (roots !== null) out(`${roots}: the root of the mesh, with which its peers are verified`);
}

function times(notBefore: number, notAfter: number): { notBefore: string; notAfter: string } {
  return { notBefore: new Date(notBefore).toISOString(), notAfter: new Date(notAfter).toISOString() };
}

function present(files: Files): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([, file]) => file !== null));
}

function usage(detail: string, hint = ''): MeshError {
  return new MeshError('usage', { detail, hint });
}
