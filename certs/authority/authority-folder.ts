// The authority on disk: `root.pem`, `root.key`, `intermediate.pem`, `intermediate.key` and, where it is not as usual,
// `authority.json`, all 0600 in a 0700 folder. Opened by the control plane, by standalone edges and by the CLI. The
// root's key may be elsewhere: opening needs it as little as signing does.
import { join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import { MeshError } from '../../core/kit/error.ts';
import { readTextBounded } from '../../host/files.ts';
import type { Clock, RandomBytes } from '../ambient.ts';
import { isTrustDomain } from '../spiffe/spiffe-id.ts';
import type { Secret } from '../token/secret.ts';
import { issueCertificate, selfIssuer } from '../x509/certificate.ts';
import { generateKeyPair, isEncryptedKey, keyIdOf, readPrivateKey, sameKey, type KeyKind } from '../x509/key.ts';
import { encodeName } from '../x509/name.ts';
import { Authority, BACKDATE, type AuthorityLives } from './authority.ts';
import { readAuthority, type AuthorityFolder } from './authority-reader.ts';
import { isSvidLife, USUAL_SETTINGS } from './authority-settings.ts';
import { writeAuthority } from './authority-writer.ts';
import { commandSigningKey } from './command-signing-key.ts';
import { signerWith } from './signer.ts';
import { fileSigningKey, type SigningKey } from './signing-key.ts';
import { AUTHORITY_FILES, corruptAuthority } from './stored-certificate.ts';

const YEAR = 365 * 24 * 3_600_000;
const ROOT_LIFE = 10 * YEAR;
export const INTERMEDIATE_LIFE = YEAR;
const MAX_KEY_FILE = 64 * 1024;

export interface AuthorityAmbient {
  readonly clock: Clock;
  readonly random: RandomBytes;
}

export interface AuthorityOptions extends AuthorityAmbient {
  readonly trustDomain: string;
  /** Of the root and of the intermediate; default P-256. */
  readonly keyKind?: KeyKind;
  /** Of SVIDs, ms; default 72 h. Whole hours, 1 h to 90 d. */
  readonly svidLife?: number;
  /** Encrypts the keys in the folder. */
  readonly passphrase?: Secret | null;
  /** Who signs in place of a key in the folder. */
  readonly signWith?: { readonly command: readonly string[]; readonly publicKey: KeyObject };
}

/**
 * Makes a root (10 years) and an intermediate (1 year, path length 0).
 * Throws MeshError `authority-exists` or `usage` (a trust domain or a life that is none).
 */
export async function initAuthority(dir: string, options: AuthorityOptions): Promise<void> {
  const { trustDomain, clock, random, keyKind, svidLife = USUAL_SETTINGS.svidLife, signWith } = options;
  if (!isTrustDomain(trustDomain)) {
    throw new MeshError('usage', {
      detail: `"${trustDomain}" cannot be a trust domain`,
      hint: 'lower-case letters, digits, dots, hyphens, as in shop.test',
    });
  }
  if (!isSvidLife(svidLife)) {
    throw new MeshError('usage', { detail: 'SVIDs live between 1 h and 90 d', hint: 'in whole hours, as in 24h' });
  }
  const rootKeys = generateKeyPair(keyKind);
  const keys = signWith === undefined ? generateKeyPair(keyKind) : null;
  const subject = { organization: 'Weft', commonName: `${trustDomain} root` };
  const root = issueCertificate(
    {
      publicKey: rootKeys.publicKey,
      subject,
      names: [{ kind: 'uri', value: `spiffe://${trustDomain}` }],
      notBefore: clock() - BACKDATE,
      notAfter: clock() + ROOT_LIFE,
      usage: { kind: 'authority', pathLength: 1 },
    },
    selfIssuer(rootKeys.privateKey, rootKeys.publicKey, subject),
    random,
  );
  const publicKey = signWith?.publicKey ?? keys?.publicKey;
  if (publicKey === undefined) throw new TypeError('either a key was made or one was named');
  const intermediate = issueCertificate(
    intermediateTemplate(trustDomain, publicKey, clock(), clock() + INTERMEDIATE_LIFE),
    { ...rootKeys, subject: encodeName(subject), keyId: keyIdOf(rootKeys.publicKey) },
    random,
  );
  const settings = { ...USUAL_SETTINGS, svidLife, signCommand: signWith?.command ?? null };
  await writeAuthority(
    dir,
    { roots: [root.der], chain: [intermediate.der], rootKey: rootKeys.privateKey, key: keys?.privateKey ?? null },
    { settings, passphrase: options.passphrase ?? null, random },
  );
}

/** What an intermediate of ours holds. */
export function intermediateTemplate(trustDomain: string, publicKey: KeyObject, now: number, notAfter: number) {
  return {
    publicKey,
    subject: { organization: 'Weft', commonName: `${trustDomain} issuing 1` },
    names: [{ kind: 'uri' as const, value: `spiffe://${trustDomain}` }],
    notBefore: now - BACKDATE,
    notAfter,
    usage: { kind: 'authority' as const, pathLength: 0 },
  };
}

/**
 * Throws MeshError `authority-missing`, `state-corrupt` where the files do not belong together, or `key-locked`.
 * @param ambient `passphrase`: of an encrypted key; a plain one needs none. `lives`: in place of what the folder says; a test
 *   may go below an hour
 */
export async function openAuthority(
  dir: string,
  ambient: AuthorityAmbient & { readonly passphrase?: Secret | null; readonly lives?: AuthorityLives },
): Promise<Authority> {
  const folder = await readAuthority(dir);
  const signer = signerWith(
    {
      trustDomain: folder.trustDomain,
      key: await signingKeyOf(folder, ambient.passphrase ?? null),
      issuing: folder.chain[0].fields,
      chain: folder.chain.map(({ der }) => der),
      bundle: folder.bundle,
      notAfter: folder.notAfter,
    },
    ambient.random,
  );
  return new Authority(signer, ambient.clock, { svid: folder.settings.svidLife, ...ambient.lives });
}

async function signingKeyOf(folder: AuthorityFolder, passphrase: Secret | null): Promise<SigningKey> {
  const { dir, settings, chain } = folder;
  const { publicKey } = chain[0].parsed;
  if (settings.signCommand !== null) return commandSigningKey(settings.signCommand, publicKey);
  const name = AUTHORITY_FILES.intermediateKey;
  const pem = await readTextBounded(join(dir, name), MAX_KEY_FILE);
  const keys = readPrivateKey(pem, passphrase?.reveal() ?? null);
  if (!keys.ok) {
    if (!isEncryptedKey(pem)) throw corruptAuthority(dir, `${name}: ${keys.error}`);
    throw new MeshError('key-locked', {
      detail: `${join(dir, name)}: ${keys.error}`,
      hint: 'name the file that holds it in WEFT_CA_PASSPHRASE_FILE',
    });
  }
  if (!sameKey(publicKey, keys.value.publicKey)) {
    throw corruptAuthority(dir, `${name} is not the key of ${AUTHORITY_FILES.intermediate}`);
  }
  return fileSigningKey(keys.value);
}
