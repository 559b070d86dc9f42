// What an authority's folder says without its keys: enough to know whom it certifies, to verify and to pin its root.
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { exists } from '../../host/files.ts';
import { parseSpiffeId } from '../spiffe/spiffe-id.ts';
import { certificateFingerprint, type CertificateFields } from '../x509/certificate.ts';
import { readAuthoritySettings, type AuthoritySettings } from './authority-settings.ts';
import {
  AUTHORITY_FILES,
  corruptAuthority,
  isSignedBy,
  readAuthorityCertificates,
  type StoredCertificate,
} from './stored-certificate.ts';

export interface AuthorityFolder {
  readonly dir: string;
  readonly trustDomain: string;
  readonly settings: AuthoritySettings;
  /** The one that new tokens pin comes first. */
  readonly roots: readonly StoredCertificate[];
  /** The same roots; DER. */
  readonly bundle: readonly Buffer[];
  /** What signs, then who signed that, up to the root, which is not in it. */
  readonly chain: readonly [StoredCertificate, ...StoredCertificate[]];
  /** SHA-256 of the first root; base64url. */
  readonly rootFingerprint: string;
  /** End of the first of them that ends, ms since 1970. */
  readonly notAfter: number;
}

/** Throws MeshError `authority-missing`, or `state-corrupt` where the files do not belong together. */
export async function readAuthority(dir: string): Promise<AuthorityFolder> {
  const { root, intermediate, rootKey, intermediateKey } = AUTHORITY_FILES;
  const isThere = (name: string): Promise<boolean> => exists(join(dir, name));
  const settings = await readAuthoritySettings(dir);
  const needed = [root, intermediate, ...(settings.signCommand === null ? [intermediateKey] : [])];
  const missing: string[] = [];
  for (const name of needed) if (!(await isThere(name))) missing.push(name);
  // A root key alone is what an interrupted `weft ca init` leaves.
  if (missing.length === needed.length && !(await isThere(rootKey))) {
    throw new MeshError('authority-missing', {
      detail: dir,
      hint: 'make one with `weft ca init --trust-domain NAME`, the name under mesh.trustDomain',
    });
  }
  if (missing.length > 0) throw corruptAuthority(dir, `${missing.join(' and ')} missing`);
  const roots = await readAuthorityCertificates(dir, root);
  const chain = await readAuthorityCertificates(dir, intermediate);
  const [first] = roots;
  const [issuing, ...above] = chain;
  if (first === undefined || issuing === undefined) throw corruptAuthority(dir, 'no certificate in it');
  return {
    dir,
    settings,
    trustDomain: settings.trustDomain ?? trustDomainOf(dir, first.fields),
    roots,
    bundle: roots.map(({ der }) => der),
    chain: [issuing, ...above],
    rootFingerprint: certificateFingerprint(first.der),
    notAfter: Math.min(anchorOf(dir, chain, roots).fields.notAfter, ...chain.map(({ fields }) => fields.notAfter)),
  };
}

/** The root that the chain leads to. */
function anchorOf(
  dir: string,
  chain: readonly StoredCertificate[],
  roots: readonly StoredCertificate[],
): StoredCertificate {
  for (const [index, certificate] of chain.entries()) {
    const next = chain[index + 1];
    if (next === undefined) {
      const anchor = roots.find((root) => isSignedBy(certificate, root));
      if (anchor !== undefined) return anchor;
    } else if (isSignedBy(certificate, next)) continue;
    const by = next === undefined ? AUTHORITY_FILES.root : 'the certificate after it';
    throw corruptAuthority(dir, `${AUTHORITY_FILES.intermediate} is not signed by ${by}`);
  }
  throw corruptAuthority(dir, `${AUTHORITY_FILES.intermediate} holds no certificate`);
}

function trustDomainOf(dir: string, root: CertificateFields): string {
  const [name, ...others] = root.extensions.names;
  const id = name?.kind === 'uri' && others.length === 0 ? parseSpiffeId(name.value) : null;
  if (id === null || !id.ok || id.value.segments.length > 0) {
    throw corruptAuthority(dir, `${AUTHORITY_FILES.root} names no trust domain`);
  }
  return id.value.trustDomain;
}
