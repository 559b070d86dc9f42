// Certificates of an authority as its folder holds them, read once and checked against each other.
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { readTextBounded } from '../../host/files.ts';
import { readCertificate, type CertificateFields } from '../x509/certificate.ts';
import { certificatesOf } from '../x509/pem.ts';

export const AUTHORITY_FILES = {
  rootKey: 'root.key',
  root: 'root.pem',
  intermediateKey: 'intermediate.key',
  intermediate: 'intermediate.pem',
} as const;

const MAX_FILE = 64 * 1024;

export interface StoredCertificate {
  readonly der: Buffer;
  readonly parsed: X509Certificate;
  readonly fields: CertificateFields;
}

/** All of a file, of authorities only and at least one. Throws MeshError `state-corrupt` or `file-unreadable`. */
export async function readAuthorityCertificates(dir: string, name: string): Promise<readonly StoredCertificate[]> {
  const list = certificatesOf(await readTextBounded(join(dir, name), MAX_FILE));
  if (!list.ok) throw corruptAuthority(dir, `${name}: ${list.error}`);
  return list.value.map((der) => {
    const fields = readCertificate(der);
    if (!fields.ok) throw corruptAuthority(dir, `${name}: ${fields.error}`);
    if (!fields.value.extensions.isAuthority) throw corruptAuthority(dir, `${name} is not an authority's certificate`);
    try {
      return { der, parsed: new X509Certificate(der), fields: fields.value };
    } catch {
      throw corruptAuthority(dir, `${name} is not a certificate`);
    }
  });
}

/** Whether `issuer` signed `certificate`, by name and by signature. */
export function isSignedBy(certificate: StoredCertificate, issuer: StoredCertificate): boolean {
  return certificate.fields.issuer.equals(issuer.fields.subject) && certificate.parsed.verify(issuer.parsed.publicKey);
}

export function corruptAuthority(dir: string, what: string): MeshError {
  return new MeshError('state-corrupt', {
    detail: `${dir}: ${what}`,
    hint: 'restore the folder from a backup, or remove it, run `weft ca init` and let every proxy join again',
  });
}
