// `weft ca init`: makes the mesh's certificate authority, once.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { initAuthority } from '../../../certs/authority/authority-folder.ts';
import { readAuthority, type AuthorityFolder } from '../../../certs/authority/authority-reader.ts';
import { recordIssuance } from '../../../certs/authority/issuance-log.ts';
import { keyFingerprint, type KeyKind } from '../../../certs/x509/key.ts';
import { parseConfig } from '../../../core/config/parse.ts';
import { DEFAULT_TRUST_DOMAIN } from '../../../core/config/schema.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { readConfigFiles } from '../../../host/config-files.ts';
import { exists, readTextBounded } from '../../../host/files.ts';
import { whoAmI } from '../who.ts';
import { ambient, lifeOf, secretOf } from './flags.ts';

type Print = (line: string) => void;

const CONFIG_FILE = 'weft.yaml';

export interface CaInitArgs {
  /** Default of the command: `.weft/ca`. */
  readonly dir: string;
  /** Default: that of `weft.yaml` in the working directory, or of a file that names none. */
  readonly trustDomain?: string;
  readonly keyKind: KeyKind;
  /** As in `72h`. */
  readonly svidLife: string;
  readonly passphraseFile?: string;
  /** Program and arguments, parted by blanks. */
  readonly signCommand?: string;
  /** PEM file of the key with which it signs. */
  readonly publicKey?: string;
  readonly json: boolean;
}

/** Prints what was made and the root's fingerprint. Throws MeshError `authority-exists` or `usage`. */
export async function runCaInit(args: CaInitArgs, out: Print): Promise<void> {
  const { dir, keyKind, json } = args;
  const trustDomain = args.trustDomain ?? (await configuredDomain());
  const passphrase = await secretOf('--passphrase-file', args.passphraseFile);
  const signWith = await commandOf(args);
  await initAuthority(dir, {
    ...{ trustDomain, keyKind, passphrase, ...ambient },
    svidLife: lifeOf('--svid-life', args.svidLife),
    ...(signWith === null ? {} : { signWith }),
  });
  const folder = await readAuthority(dir);
  await recordAuthority(folder);
  reportAuthority(folder, `Made the authority of ${trustDomain} in ${dir}`, json, out);
}

/** A mesh and its authority have one trust domain: whoever has written the one file is not asked again. */
async function configuredDomain(): Promise<string> {
  if (!(await exists(CONFIG_FILE))) return DEFAULT_TRUST_DOMAIN;
  const texts = await readConfigFiles([CONFIG_FILE]);
  const parsed = texts.ok ? parseConfig(texts.value) : texts;
  if (parsed.ok) return parsed.value.mesh.trustDomain;
  const detail = `${CONFIG_FILE} is not valid, and the authority would be of its trust domain`;
  throw new MeshError('usage', { detail, hint: 'weft validate says why; --trust-domain NAME goes by no file' });
}

/** Its own certificates are the first that it issued. */
export async function recordAuthority({ dir, trustDomain, roots, chain }: AuthorityFolder): Promise<void> {
  for (const [purpose, list] of [['root', roots.slice(0, 1)] as const, ['intermediate', chain.slice(0, 1)] as const]) {
    for (const { fields, parsed } of list) {
      await recordIssuance(dir, {
        ...{ issuedAt: ambient.clock(), by: whoAmI(), purpose },
        ...{ subject: `spiffe://${trustDomain}`, serial: fields.serial, notAfter: fields.notAfter },
        key: keyFingerprint(parsed.publicKey),
      });
    }
  }
}

export function reportAuthority(folder: AuthorityFolder, head: string, json: boolean, out: Print): void {
  const rootSha256 = Buffer.from(folder.rootFingerprint, 'base64url').toString('hex');
  if (json) out(JSON.stringify({ dir: folder.dir, trustDomain: folder.trustDomain, rootSha256 }, null, 2));
  else {
    out(head);
    out(`Root SHA-256: ${rootSha256}`);
  }
}

async function commandOf(
  args: Pick<CaInitArgs, 'signCommand' | 'publicKey'>,
): Promise<{ command: readonly string[]; publicKey: KeyObject } | null> {
  const { signCommand, publicKey } = args;
  if (signCommand === undefined && publicKey === undefined) return null;
  if (signCommand === undefined || publicKey === undefined) {
    throw new MeshError('usage', { detail: '--sign-command and --public-key go together' });
  }
  return { command: wordsOf(signCommand), publicKey: await publicKeyOf(publicKey) };
}

/** Program and arguments of a command line without quotes. Throws MeshError `usage`. */
export function wordsOf(command: string): readonly string[] {
  const words = command.split(/\s+/).filter((word) => word !== '');
  if (words.length > 0) return words;
  throw new MeshError('usage', {
    detail: '--sign-command is empty',
    hint: 'as in "/usr/local/bin/kms-sign --key mesh"',
  });
}

async function publicKeyOf(file: string): Promise<KeyObject> {
  const pem = await readTextBounded(file, 64 * 1024);
  try {
    // From a private key it would take the public part: such a file has no business here.
    if (!pem.includes('-----BEGIN PUBLIC KEY-----')) throw new Error('another block');
    return createPublicKey(pem);
  } catch {
    throw new MeshError('usage', { detail: `${file} holds no public key in PEM`, hint: 'BEGIN PUBLIC KEY' });
  }
}
