// A proxy's identity on disk: `key.pem`, `svid.pem`, `bundle.pem`, `instance.json` in its state folder, all 0600.
// A key is written before it is certified, as `next-key.pem`, and takes its place only after its certificate is
// there: a crash at any point leaves a pair that fits, and a repeated request is made with the same key.
import { X509Certificate } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import { identityOfCertificate } from '../../certs/spiffe/peer.ts';
import { generateKeyPair, privateKeyPem, readPrivateKey, sameKey, type KeyPair } from '../../certs/x509/key.ts';
import { certificatesOf } from '../../certs/x509/pem.ts';
import {
  ensureDir,
  exists,
  readState,
  readTextBounded,
  SECRET_MODE,
  writeFileAtomic,
  writeState,
} from '../../host/files.ts';

/** What a proxy proves itself with; all PEM. */
export interface Identity {
  readonly spiffeId: SpiffeId;
  /** Private key of the SVID. */
  readonly keyPem: string;
  /** Leaf, then intermediates. */
  readonly chainPem: string;
  /** Roots of the trust domain. */
  readonly bundlePem: string;
  /** Name of the instance: `orders-7f3a`. */
  readonly instance: string;
  /** The token that it was joined with, by its id. */
  readonly tokenId: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Of an edge: server certificates with their keys, kept by what serves them. */
export const SERVER_CERTIFICATES = 'server-certificates.json';

/** Another identity's authority may be another one. */
export async function dropServerCertificates(stateDir: string): Promise<void> {
  await rm(join(stateDir, SERVER_CERTIFICATES), { force: true });
}

/** What was issued for the pending key. */
export interface IssuedFiles {
  readonly chainPem: string;
  readonly bundlePem: string;
  readonly instance: string;
}

/** What `instance.json` holds. */
type Joined = Pick<Identity, 'instance' | 'tokenId'>;

const KEY = 'key.pem';
const NEXT_KEY = 'next-key.pem';
const SVID = 'svid.pem';
const BUNDLE = 'bundle.pem';
const INSTANCE = 'instance.json';
const MAX_FILE = 256 * 1024;

/** null: there is none, or it does not hold together; then a token is needed. Expiry is the caller's to judge. */
export async function loadIdentity(stateDir: string): Promise<Identity | null> {
  try {
    const [chainPem, bundlePem] = await Promise.all([read(stateDir, SVID), read(stateDir, BUNDLE)]);
    const joined = joinedOf(await readState(join(stateDir, INSTANCE)));
    if (chainPem === null || bundlePem === null || joined === null) return null;
    for (const name of [KEY, NEXT_KEY]) {
      const keyPem = await read(stateDir, name);
      const identity = keyPem === null ? null : assemble(keyPem, { chainPem, bundlePem, ...joined });
      if (identity === null) continue;
      if (name === NEXT_KEY) await rename(join(stateDir, NEXT_KEY), join(stateDir, KEY));
      return identity;
    }
    return null;
  } catch (error) {
    if (error instanceof MeshError && error.code === 'state-corrupt') return null;
    throw error;
  }
}

/** The key to ask with: the one of an earlier, unanswered request, or a new one, on disk already. */
export async function pendingKey(stateDir: string): Promise<KeyPair> {
  await ensureDir(stateDir);
  const before = await read(stateDir, NEXT_KEY);
  const kept = before === null ? null : readPrivateKey(before);
  if (kept?.ok === true) return kept.value;
  const keys = generateKeyPair();
  await writeFileAtomic(join(stateDir, NEXT_KEY), privateKeyPem(keys.privateKey), SECRET_MODE);
  return keys;
}

/** Keeps what was issued for the pending key. Throws MeshError `peer-refused` where it does not fit the key. */
export async function storeIdentity(
  stateDir: string,
  keys: KeyPair,
  issued: IssuedFiles & { readonly tokenId: string },
): Promise<Identity> {
  const identity = assemble(privateKeyPem(keys.privateKey), issued);
  if (identity === null) {
    throw new MeshError('peer-refused', { detail: 'the control plane sent a certificate that does not fit the key' });
  }
  await writeFileAtomic(join(stateDir, BUNDLE), issued.bundlePem, SECRET_MODE);
  const { instance, tokenId, spiffeId } = identity;
  await writeState(join(stateDir, INSTANCE), { instance, tokenId, spiffeId });
  await writeFileAtomic(join(stateDir, SVID), issued.chainPem, SECRET_MODE);
  await rename(join(stateDir, NEXT_KEY), join(stateDir, KEY));
  return identity;
}

/** null where key, leaf, intermediates and roots do not fit together, or the leaf is no SVID. */
function assemble(keyPem: string, issued: IssuedFiles & Joined): Identity | null {
  const keys = readPrivateKey(keyPem);
  const chain = certificatesOf(issued.chainPem);
  const roots = certificatesOf(issued.bundlePem);
  if (!keys.ok || !chain.ok || !roots.ok) return null;
  try {
    const certificates = chain.value.map((der) => new X509Certificate(der));
    const [leaf] = certificates;
    if (leaf === undefined || !sameKey(leaf.publicKey, keys.value.publicKey)) return null;
    if (!leadsTo(certificates, roots.value)) return null;
    const id = identityOfCertificate(leaf);
    if (!id.ok) return null;
    return {
      spiffeId: id.value,
      keyPem,
      ...issued,
      notBefore: leaf.validFromDate.getTime(),
      notAfter: leaf.validToDate.getTime(),
    };
  } catch {
    // X509Certificate and its methods throw for what is no certificate.
    return null;
  }
}

function leadsTo(chain: readonly X509Certificate[], roots: readonly Buffer[]): boolean {
  const last = chain.at(-1);
  if (last === undefined) return false;
  const linked = chain.every((one, index) => {
    const next = chain[index + 1];
    return next === undefined || (one.checkIssued(next) && one.verify(next.publicKey));
  });
  return linked && roots.some((der) => last.verify(new X509Certificate(der).publicKey));
}

async function read(stateDir: string, name: string): Promise<string | null> {
  const path = join(stateDir, name);
  return (await exists(path)) ? readTextBounded(path, MAX_FILE) : null;
}

function joinedOf(state: unknown): Joined | null {
  if (typeof state !== 'object' || state === null || !('instance' in state) || !('tokenId' in state)) return null;
  const { instance, tokenId } = state;
  return typeof instance === 'string' && typeof tokenId === 'string' ? { instance, tokenId } : null;
}
