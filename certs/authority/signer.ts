// The one who issues: a signing key together with the certificate that it signs for, up to the roots.
import type { RandomBytes } from '../ambient.ts';
import {
  prepareCertificate,
  type CertificateFields,
  type CertificateTemplate,
  type SignedCertificate,
} from '../x509/certificate.ts';
import { prepareCrl, type CrlTemplate } from '../x509/crl.ts';
import { keyIdOf } from '../x509/key.ts';
import type { SigningKey } from './signing-key.ts';

export interface Signer {
  readonly trustDomain: string;
  /** From the signing certificate up to the root, which is not in it; DER. */
  readonly chain: readonly Buffer[];
  /** The roots of the trust domain; DER. */
  readonly bundle: readonly Buffer[];
  /** End of the signing certificate, ms since 1970: nothing that is signed may outlive it. */
  readonly notAfter: number;
  sign(template: CertificateTemplate): Promise<SignedCertificate>;
  /** DER. */
  signCrl(template: CrlTemplate): Promise<Buffer>;
}

export interface SignerParts extends Omit<Signer, 'sign' | 'signCrl'> {
  readonly key: SigningKey;
  /** The signing certificate. */
  readonly issuing: CertificateFields;
}

export function signerWith(parts: SignerParts, random: RandomBytes): Signer {
  const { key, issuing, ...rest } = parts;
  // As its own certificate has it: others derive it in another way, and the two must be the same (RFC 5280 §4.2.1.1).
  const keyId = issuing.extensions.subjectKeyId ?? keyIdOf(key.publicKey);
  const issuer = { publicKey: key.publicKey, subject: issuing.subject, keyId };
  return {
    ...rest,
    sign: async (template) => {
      const prepared = prepareCertificate(template, issuer, random);
      return prepared.finish(await key.sign(prepared.tbs));
    },
    signCrl: async (template) => {
      const prepared = prepareCrl(template, issuer);
      return prepared.finish(await key.sign(prepared.tbs));
    },
  };
}
