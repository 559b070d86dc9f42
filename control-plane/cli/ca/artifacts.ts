// What is in a file that somebody has: PEM of any kind, DER of any kind, PKCS#12. Told apart by content, never by name.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readCrl, type CrlFields } from '../../../certs/x509/crl.ts';
import { readCsr, type CertificateRequest } from '../../../certs/x509/csr.ts';
import { viewCertificate, type CertificateView } from '../../../certs/x509/certificate-view.ts';
import { blocksOf, type PemBlock } from '../../../certs/x509/pem.ts';
import { isPkcs12, readPkcs12 } from '../../../certs/x509/pkcs12-reader.ts';
import { err, ok, type Result } from '../../../core/kit/result.ts';
import type { Secret } from '../../../certs/token/secret.ts';

export type Artifact =
  | { readonly kind: 'certificate'; readonly der: Buffer; readonly view: CertificateView }
  | { readonly kind: 'request'; readonly der: Buffer; readonly request: CertificateRequest }
  | { readonly kind: 'crl'; readonly crl: CrlFields }
  /** `key` null: it is encrypted, and nothing opened it. Only its public part is ever shown. */
  | { readonly kind: 'private-key'; readonly encrypted: boolean; readonly key: KeyObject | null }
  | { readonly kind: 'public-key'; readonly key: KeyObject }
  /** Nothing opened it. */
  | { readonly kind: 'locked'; readonly why: string }
  | { readonly kind: 'unreadable'; readonly what: string; readonly why: string };

/** More than any list of roots has. */
const MOST = 1_024;

/** An error where nothing in it is known. `password`: of a PKCS#12 file, or of an encrypted key. */
export async function artifactsOf(
  bytes: Buffer,
  password: Secret | null,
): Promise<Result<readonly Artifact[], string>> {
  const text = bytes.toString('latin1');
  if (!text.includes('-----BEGIN ')) return derArtifacts(bytes, password);
  const blocks = blocksOf(text);
  if (!blocks.ok) return blocks;
  if (blocks.value.length === 0) return err('a PEM file that breaks off: there is no END line for its BEGIN');
  if (blocks.value.length > MOST) return err(`more than ${MOST} blocks of PEM`);
  return ok(blocks.value.map((block) => artifactOfBlock(block, password)));
}

function artifactOfBlock(block: PemBlock, password: Secret | null): Artifact {
  const { label, der, text } = block;
  switch (label) {
    case 'CERTIFICATE':
    case 'X509 CERTIFICATE':
    case 'TRUSTED CERTIFICATE':
      return certificate(der) ?? unreadable('a certificate', problemOf(viewCertificate(der)));
    case 'CERTIFICATE REQUEST':
    case 'NEW CERTIFICATE REQUEST':
      return request(der) ?? unreadable('a certificate request', problemOf(readCsr(der)));
    case 'X509 CRL':
      return crl(der) ?? unreadable('a list of revoked certificates', problemOf(readCrl(der)));
    case 'PUBLIC KEY':
      return publicKey(der) ?? unreadable('a public key', 'of a kind that is not known');
    case 'ENCRYPTED PRIVATE KEY':
      return privateKey(text, true, password);
    case 'PRIVATE KEY':
    case 'EC PRIVATE KEY':
    case 'RSA PRIVATE KEY':
      return privateKey(text, block.hasHeaders, password);
    default:
      return unreadable(`a block of ${label}`, 'nothing that has to do with certificates here');
  }
}

async function derArtifacts(bytes: Buffer, password: Secret | null): Promise<Result<readonly Artifact[], string>> {
  if (await isPkcs12(bytes)) return ok(await pkcs12Artifacts(bytes, password));
  const found = certificate(bytes) ?? request(bytes) ?? crl(bytes) ?? publicKey(bytes) ?? privateKeyDer(bytes);
  return found === null ? err('neither PEM nor DER of anything that is known here') : ok([found]);
}

async function pkcs12Artifacts(bytes: Buffer, password: Secret | null): Promise<readonly Artifact[]> {
  const content = await readPkcs12(bytes, password?.reveal() ?? '');
  if (!content.ok) {
    const hint = password === null ? 'its password is needed: --password-file' : content.error;
    return [{ kind: 'locked', why: hint }];
  }
  const { keys, certificates } = content.value;
  return [
    ...certificates.map((der) => certificate(der) ?? unreadable('a certificate', problemOf(viewCertificate(der)))),
    ...keys.map((pair): Artifact => ({ kind: 'private-key', encrypted: true, key: pair.publicKey })),
  ];
}

function certificate(der: Buffer): Artifact | null {
  const view = viewCertificate(der);
  return view.ok ? { kind: 'certificate', der, view: view.value } : null;
}

function request(der: Buffer): Artifact | null {
  const read = readCsr(der);
  return read.ok ? { kind: 'request', der, request: read.value } : null;
}

function crl(der: Buffer): Artifact | null {
  const read = readCrl(der);
  return read.ok ? { kind: 'crl', crl: read.value } : null;
}

function publicKey(der: Buffer): Artifact | null {
  try {
    return { kind: 'public-key', key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
  } catch {
    return null;
  }
}

function privateKeyDer(der: Buffer): Artifact | null {
  for (const type of ['pkcs8', 'sec1', 'pkcs1'] as const) {
    try {
      const key = createPublicKey(createPrivateKey({ key: der, format: 'der', type }));
      return { kind: 'private-key', encrypted: false, key };
    } catch {
      // The next form.
    }
  }
  return null;
}

function privateKey(text: string, encrypted: boolean, password: Secret | null): Artifact {
  if (encrypted && password === null) return { kind: 'private-key', encrypted, key: null };
  try {
    const opened = createPrivateKey(password === null ? text : { key: text, passphrase: password.reveal() });
    return { kind: 'private-key', encrypted, key: createPublicKey(opened) };
  } catch {
    return encrypted ? { kind: 'private-key', encrypted, key: null } : unreadable('a private key', 'damaged');
  }
}

function unreadable(what: string, why: string): Artifact {
  return { kind: 'unreadable', what, why };
}

function problemOf(result: Result<unknown, string>): string {
  return result.ok ? '' : result.error;
}
