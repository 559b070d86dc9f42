// `weft ca init`: makes the mesh's certificate authority, once.
import { randomBytes } from 'node:crypto';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';

/** Where a command prints; `process.stdout` is one. */
export interface Output {
  write(text: string): unknown;
}

export interface CaInitOptions {
  /** Default of the command: `.weft/ca`. */
  readonly dir: string;
  /** As in the configuration, `mesh.trustDomain`. */
  readonly trustDomain: string;
}

/** Prints what was made and the root's fingerprint. Throws MeshError `authority-exists` or `usage`. */
export async function runCaInit(options: CaInitOptions, out: Output): Promise<void> {
  const ambient = { clock: Date.now, random: randomBytes };
  await initAuthority(options.dir, { trustDomain: options.trustDomain, ...ambient });
  const authority = await openAuthority(options.dir, ambient);
  out.write(`Made the authority of ${authority.trustDomain} in ${options.dir}\n`);
  out.write(`Root SHA-256: ${Buffer.from(authority.rootFingerprint, 'base64url').toString('hex')}\n`);
}
