// `weft ca export`: what others need of the authority. Roots and chain are public; its key leaves only in a PKCS#12 file
// under a password, and only where that is asked for.
import { join } from 'node:path';
import { readAuthority, type AuthorityFolder } from '../../../certs/authority/authority-reader.ts';
import { AUTHORITY_FILES } from '../../../certs/authority/stored-certificate.ts';
import { readPrivateKey } from '../../../certs/x509/key.ts';
import { certificatesPem } from '../../../certs/x509/pem.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { exists, readTextBounded, SECRET_MODE, writeFileAtomic } from '../../../host/files.ts';
import { ambient, secretOf } from './flags.ts';

type Print = (line: string) => void;

export interface CaExportArgs {
  readonly dir: string;
  /** pkcs12: the intermediate with its key; the others: roots. */
  readonly format: 'pem' | 'der' | 'jwks' | 'pkcs12';
  /** The intermediates before the roots. */
  readonly chain: boolean;
  /** Left out: standard output. */
  readonly out?: string;
  /** Consent to the private key being in it. */
  readonly withKey: boolean;
  readonly passwordFile?: string;
  readonly passphraseFile?: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** Throws MeshError `usage`, `authority-missing`, `key-locked` or `file-unreadable`. */
export async function runCaExport(args: CaExportArgs, out: Print): Promise<void> {
  const folder = await readAuthority(args.dir);
  if (args.format === 'pkcs12') return exportKey(args, folder, out);
  if (args.withKey) throw usage('--with-key goes with --format pkcs12');
  const bytes = publicBytes(args, folder);
  if (args.out === undefined) {
    if (args.format === 'der') throw usage('DER is no text', 'name a file with --out');
    const text = bytes.toString('utf8').trimEnd();
    out(args.json ? JSON.stringify({ format: args.format, text }, null, 2) : text);
    return;
  }
  await refuseToOverwrite(args.out, args.force);
  await writeFileAtomic(args.out, bytes);
  report(args, args.chain ? 'the chain of the authority' : 'the roots of the mesh; nothing secret', out);
}

function publicBytes({ format, chain }: CaExportArgs, folder: AuthorityFolder): Buffer {
  const roots = folder.roots.map(({ der }) => der);
  const list = chain ? [...folder.chain.map(({ der }) => der), ...roots] : roots;
  const [first = Buffer.alloc(0)] = list;
  if (format === 'pem') return Buffer.from(certificatesPem(list));
  if (format === 'jwks') return Buffer.from(`${JSON.stringify(bundleDocument(folder), null, 2)}\n`);
  if (list.length > 1) throw usage('DER holds one certificate, and here are more', 'take --format pem');
  return first;
}

/** The bundle of a trust domain for others that federate with it. Source: SPIFFE Trust Domain and Bundle §4. */
function bundleDocument(folder: AuthorityFolder): object {
  return {
    keys: folder.roots.map(({ parsed, der }) => ({
      use: 'x509-svid',
      ...parsed.publicKey.export({ format: 'jwk' }),
      x5c: [der.toString('base64')],
    })),
    spiffe_refresh_hint: 3_600,
  };
}

async function exportKey(args: CaExportArgs, folder: AuthorityFolder, out: Print): Promise<void> {
  const { dir, out: file, withKey } = args;
  if (!withKey) throw usage('a PKCS#12 file holds the private key of the authority', 'say --with-key if that is meant');
  const password = await secretOf('--password-file', args.passwordFile);
  if (password === null) throw usage('a PKCS#12 file needs a password', 'name a file with --password-file');
  if (file === undefined) throw usage('a PKCS#12 file is no text', 'name it with --out');
  if (folder.settings.signCommand !== null) throw usage('the key is behind a command and not here');
  await refuseToOverwrite(file, args.force);
  const path = join(dir, AUTHORITY_FILES.intermediateKey);
  const passphrase = await secretOf('--passphrase-file', args.passphraseFile);
  const keys = readPrivateKey(await readTextBounded(path, 64 * 1024), passphrase?.reveal() ?? null);
  if (!keys.ok)
    throw new MeshError('key-locked', {
      detail: `${path}: ${keys.error}`,
      hint: 'name its file with --passphrase-file',
    });
  const { makePkcs12 } = await import('../../../certs/x509/pkcs12-writer.ts');
  const chain = [...folder.chain, ...folder.roots].map(({ der }) => der);
  const parts = {
    key: keys.value.privateKey,
    chain,
    password: password.reveal(),
    name: `${folder.trustDomain} issuing`,
  };
  await writeFileAtomic(file, makePkcs12(parts, ambient.random), SECRET_MODE);
  report(
    args,
    "the intermediate with its private key, mode 0600: whoever has it and the password is the mesh's authority",
    out,
  );
}

async function refuseToOverwrite(file: string, force: boolean): Promise<void> {
  if (!force && (await exists(file))) throw usage(`${file} is there already`, '--force writes over it');
}

function report({ out: file, json, format }: CaExportArgs, what: string, out: Print): void {
  out(json ? JSON.stringify({ file, format }, null, 2) : `${file}: ${what}`);
}

function usage(detail: string, hint = ''): MeshError {
  return new MeshError('usage', { detail, hint });
}
