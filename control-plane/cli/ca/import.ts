// `weft ca import`: an authority from one that a company has already: PEM files, a PKCS#12 file, or a certificate whose
// key is behind a command.
import { readFile, stat } from 'node:fs/promises';
import { importAuthority } from '../../../certs/authority/authority-import.ts';
import { readAuthority } from '../../../certs/authority/authority-reader.ts';
import type { Secret } from '../../../certs/token/secret.ts';
import { readPrivateKey, type KeyKind, type KeyPair } from '../../../certs/x509/key.ts';
import { blocksOf } from '../../../certs/x509/pem.ts';
import { readPkcs12 } from '../../../certs/x509/pkcs12-reader.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { fileDetail, readTextBounded } from '../../../host/files.ts';
import { ambient, lifeOf, secretOf } from './flags.ts';
import { recordAuthority, reportAuthority, wordsOf } from './init.ts';

type Print = (line: string) => void;

export interface CaImportArgs {
  readonly dir: string;
  readonly trustDomain: string;
  /** PEM files; what signs, and whatever it leads to. */
  readonly cert: readonly string[];
  /** PEM file of the key of one of them. */
  readonly key?: string;
  /** In their place. */
  readonly pkcs12?: string;
  /** Of the PKCS#12 file, or of the encrypted key. */
  readonly passwordFile?: string;
  readonly roots?: string;
  readonly signCommand?: string;
  readonly keepRootKey: boolean;
  readonly keyKind: KeyKind;
  readonly svidLife: string;
  /** Encrypts the keys in the folder. */
  readonly passphraseFile?: string;
  readonly json: boolean;
}

interface Brought {
  readonly certificates: readonly Buffer[];
  readonly keys: KeyPair | null;
}

const MAX_FILE = 256 * 1024;

/** Throws MeshError `usage`, `authority-exists`, `key-locked`, `signing-failed` or `file-unreadable`. */
export async function runCaImport(args: CaImportArgs, out: Print): Promise<void> {
  const password = await secretOf('--password-file', args.passwordFile);
  const passphrase = await secretOf('--passphrase-file', args.passphraseFile);
  const signCommand = args.signCommand === undefined ? null : wordsOf(args.signCommand);
  const { certificates, keys } = await broughtBy(args, password);
  if ((keys === null) === (signCommand === null)) {
    throw usage('an authority signs with a key or by a command', 'give one of --key, --pkcs12 and --sign-command');
  }
  const roots = args.roots === undefined ? [] : await certificatesIn(args.roots);
  const kind = await importAuthority(args.dir, {
    ...{ trustDomain: args.trustDomain, certificates: [...certificates, ...roots], keys, signCommand, passphrase },
    ...{ keepRootKey: args.keepRootKey, keyKind: args.keyKind, svidLife: lifeOf('--svid-life', args.svidLife) },
    ...ambient,
  });
  const folder = await readAuthority(args.dir);
  await recordAuthority(folder);
  const how = kind === 'root' ? 'with a new intermediate under the root' : 'with the intermediate';
  const kept = kind === 'root' && !args.keepRootKey ? "; the root's key was not kept" : '';
  reportAuthority(folder, `Made the authority of ${args.trustDomain} in ${args.dir}, ${how}${kept}`, args.json, out);
}

async function broughtBy(args: CaImportArgs, password: Secret | null): Promise<Brought> {
  const { pkcs12, cert, key } = args;
  if (pkcs12 !== undefined) {
    if (cert.length > 0 || key !== undefined) throw usage('--pkcs12 stands in place of --cert and --key');
    return fromPkcs12(pkcs12, password);
  }
  if (cert.length === 0) throw usage('which authority', 'give --cert FILE and --key FILE, or --pkcs12 FILE');
  const certificates = (await Promise.all(cert.map(certificatesIn))).flat();
  if (key === undefined) return { certificates, keys: null };
  const keys = readPrivateKey(await readTextBounded(key, MAX_FILE), password?.reveal() ?? null);
  if (keys.ok) return { certificates, keys: keys.value };
  throw new MeshError('key-locked', { detail: `${key}: ${keys.error}`, hint: 'its passphrase: --password-file' });
}

async function fromPkcs12(file: string, password: Secret | null): Promise<Brought> {
  const content = await readPkcs12(await bytesOf(file), password?.reveal() ?? '');
  if (!content.ok) throw usage(`${file}: ${content.error}`, 'its password: --password-file');
  const { keys, certificates } = content.value;
  const [first, ...others] = keys;
  if (first === undefined || others.length > 0) throw usage(`${file} holds ${keys.length} keys in place of one`);
  return { certificates, keys: first };
}

async function certificatesIn(file: string): Promise<readonly Buffer[]> {
  const blocks = blocksOf(await readTextBounded(file, MAX_FILE));
  const found = blocks.ok ? blocks.value.filter(({ label }) => label === 'CERTIFICATE') : [];
  if (found.length > 0) return found.map(({ der }) => der);
  throw usage(`${file} holds no certificate in PEM`, 'see what it is with `weft ca inspect`');
}

async function bytesOf(file: string): Promise<Buffer> {
  try {
    if ((await stat(file)).size > MAX_FILE) throw new Error(`longer than ${MAX_FILE} bytes`);
    return await readFile(file);
  } catch (cause) {
    throw new MeshError('file-unreadable', { detail: fileDetail(file, cause), cause });
  }
}

function usage(detail: string, hint = ''): MeshError {
  return new MeshError('usage', { detail, hint });
}
