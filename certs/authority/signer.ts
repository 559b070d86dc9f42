// The one who holds the issuing key. The file-backed signer keeps it in memory; one in a hardware module or a
// cloud key service has the same face, which is why signing is asynchronous.
import type { KeyObject } from 'node:crypto';
import type { RandomBytes } from '../ambient.ts';
import { issueCertificate, type CertificateTemplate, type SignedCertificate } from '../x509/certificate.ts';
import { keyIdOf } from '../x509/key.ts';

export interface Signer {
  readonly trustDomain: string;
  /** From the signing certificate up to the root, which is not in it; DER. */
  readonly chain: readonly Buffer[];
  /** The roots of the trust domain; DER. */
  readonly bundle: readonly Buffer[];
  /** End of the signing certificate, ms since 1970: nothing that is signed may outlive it. */
  readonly notAfter: number;
  sign(template: CertificateTemplate): Promise<SignedCertificate>;
}

export interface LocalSignerParts {
  readonly trustDomain: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** Subject of the signing certificate, raw DER. */
  readonly subject: Buffer;
  readonly chain: readonly Buffer[];
  readonly bundle: readonly Buffer[];
  readonly notAfter: number;
}

export function localSigner(parts: LocalSignerParts, random: RandomBytes): Signer {
  const issuer = { privateKey: parts.privateKey, subject: parts.subject, keyId: keyIdOf(parts.publicKey) };
  return {
    trustDomain: parts.trustDomain,
    chain: parts.chain,
    bundle: parts.bundle,
    notAfter: parts.notAfter,
    sign: async (template) => issueCertificate(template, issuer, random),
  };
}
