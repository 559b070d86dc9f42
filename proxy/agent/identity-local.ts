// A standalone edge with `tls: internal` has nobody to ask: it opens the authority of a folder, or makes one
// there, and signs for itself.
import { MeshError } from '../../core/kit/error.ts';
import { initAuthority, openAuthority, type AuthorityAmbient } from '../../certs/authority/authority-folder.ts';
import type { Authority } from '../../certs/authority/authority.ts';
import { Secret } from '../../certs/token/secret.ts';
import { generateKeyPair, privateKeyPem } from '../../certs/x509/key.ts';
import { certificatesPem } from '../../certs/x509/pem.ts';
import type { ServerCertificate } from './identity-renewal.ts';

export interface LocalCertificateOptions extends AuthorityAmbient {
  readonly caDir: string;
  /** Of a key that is encrypted; null or left out: it is not. */
  readonly caPassphrase?: string | null;
  /** Names a new authority; an existing one keeps its own. */
  readonly trustDomain: string;
  /** DNS names; loopback names and addresses are added. */
  readonly hosts: readonly string[];
}

export interface LocalCertificate extends ServerCertificate {
  /** What clients have to trust; PEM. */
  readonly bundlePem: string;
}

/** Throws MeshError `state-corrupt` or `authority-expired`. */
export async function localServerCertificate(options: LocalCertificateOptions): Promise<LocalCertificate> {
  const authority = await openOrInit(options);
  const keys = generateKeyPair();
  const issued = await authority.signServerCertificate({ publicKey: keys.publicKey, hosts: options.hosts });
  return {
    keyPem: privateKeyPem(keys.privateKey),
    chainPem: certificatesPem(issued.chain),
    bundlePem: certificatesPem(issued.bundle),
    notBefore: issued.notBefore,
    notAfter: issued.notAfter,
  };
}

async function openOrInit(options: LocalCertificateOptions): Promise<Authority> {
  const { caPassphrase } = options;
  const passphrase = caPassphrase ? new Secret(caPassphrase) : null;
  try {
    return await openAuthority(options.caDir, { ...options, passphrase });
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== 'authority-missing') throw error;
  }
  await initAuthority(options.caDir, options);
  return openAuthority(options.caDir, options);
}
