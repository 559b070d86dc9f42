// Puts an authority into its folder, once: the first file is taken exclusively, so that of two that make an authority
// at once one is told that there is one already; what signs comes last.
import type { KeyObject } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { ensureDir, exists, fileDetail, isErrno, SECRET_MODE, writeFileAtomic } from '../../host/files.ts';
import type { RandomBytes } from '../ambient.ts';
import type { Secret } from '../token/secret.ts';
import { encryptedKeyPem, privateKeyPem } from '../x509/key.ts';
import { certificatesPem } from '../x509/pem.ts';
import { writeAuthoritySettings, type AuthoritySettings } from './authority-settings.ts';
import { AUTHORITY_FILES } from './stored-certificate.ts';

export interface NewAuthority {
  /** DER. */
  readonly roots: readonly Buffer[];
  /** What signs comes first; DER. */
  readonly chain: readonly Buffer[];
  /** null: it is not kept here. */
  readonly rootKey: KeyObject | null;
  /** Of what signs; null: a command signs. */
  readonly key: KeyObject | null;
}

export interface WriteOptions {
  readonly settings: AuthoritySettings;
  /** null: keys are not encrypted. */
  readonly passphrase: Secret | null;
  readonly random: RandomBytes;
}

/** Throws MeshError `authority-exists` or `file-unreadable`. */
export async function writeAuthority(dir: string, made: NewAuthority, options: WriteOptions): Promise<void> {
  const { passphrase, random, settings } = options;
  const pemOfKey = (key: KeyObject): string =>
    passphrase === null ? privateKeyPem(key) : encryptedKeyPem(key, passphrase.reveal(), random);
  await ensureDir(dir);
  for (const name of [AUTHORITY_FILES.root, AUTHORITY_FILES.rootKey]) {
    if (await exists(join(dir, name))) throw alreadyThere(dir);
  }
  const roots = certificatesPem(made.roots);
  if (made.rootKey === null) await createExclusively(dir, AUTHORITY_FILES.root, roots);
  else {
    await createExclusively(dir, AUTHORITY_FILES.rootKey, pemOfKey(made.rootKey));
    await writeFileAtomic(join(dir, AUTHORITY_FILES.root), roots, SECRET_MODE);
  }
  await writeAuthoritySettings(dir, settings);
  if (made.key !== null) {
    await writeFileAtomic(join(dir, AUTHORITY_FILES.intermediateKey), pemOfKey(made.key), SECRET_MODE);
  }
  await writeFileAtomic(join(dir, AUTHORITY_FILES.intermediate), certificatesPem(made.chain), SECRET_MODE);
}

async function createExclusively(dir: string, name: string, text: string): Promise<void> {
  const path = join(dir, name);
  try {
    const file = await open(path, 'wx', SECRET_MODE);
    try {
      await file.writeFile(text);
      await file.sync();
    } catch (cause) {
      await rm(path, { force: true });
      throw cause;
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isErrno(cause, 'EEXIST')) throw alreadyThere(dir);
    throw new MeshError('file-unreadable', { detail: fileDetail(path, cause), cause });
  }
}

function alreadyThere(dir: string): MeshError {
  return new MeshError('authority-exists', {
    detail: dir,
    hint: 'nothing was changed; another folder can be named with --dir',
  });
}
