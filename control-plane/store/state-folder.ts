// Folders of state as a whole: read into an archive while their process goes on writing, and put back in one step.
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { ensureDir, exists, fileDetail, isErrno, syncFolder, writeFileAtomic } from '../../host/files.ts';
import { MOST_UNPACKED, type ArchivedFile } from './archive.ts';

/** Base64 and JSON take a third more. */
const MOST_BYTES = MOST_UNPACKED / 2;
/** Half-written files, what a damaged store put aside, and who was there a moment ago. */
const LEFT_OUT = /^\.|\.(?:sock|damaged|torn)$|^instances\.jsonl$/;
/** What it names must be read after it, as nothing that it names is ever taken away. */
const FIRST = 'store/in-force.state';

/** Every file of a folder, under `prefix`. Throws MeshError `file-unreadable`. */
export async function readFolder(folder: string, prefix: string): Promise<readonly ArchivedFile[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile() && !LEFT_OUT.test(entry.name))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort((a, b) => Number(b === FIRST) - Number(a === FIRST) || (a < b ? -1 : 1));
    return await readAll(folder, prefix, paths);
  } catch (cause) {
    throw cause instanceof MeshError
      ? cause
      : new MeshError('file-unreadable', { detail: fileDetail(folder, cause), cause });
  }
}

async function readAll(folder: string, prefix: string, paths: readonly string[]): Promise<readonly ArchivedFile[]> {
  const files: ArchivedFile[] = [];
  let size = 0;
  for (const path of paths) {
    try {
      const place = join(folder, path);
      const { mode, size: bytes } = await stat(place);
      size += bytes;
      if (size > MOST_BYTES) {
        throw new MeshError('file-unreadable', { detail: `${folder} holds more than ${MOST_BYTES} bytes` });
      }
      files.push({ path: `${prefix}/${path.replaceAll('\\', '/')}`, mode: mode & 0o777, data: await readFile(place) });
    } catch (cause) {
      // An old entry of the history, say, whose time was up meanwhile.
      if (!isErrno(cause, 'ENOENT')) throw cause;
    }
  }
  return files;
}

/**
 * Makes `folder` hold exactly the files under `prefix`: beside its place first, then in one rename. Returns where the
 * folder that was there is now; null: there was none. Throws MeshError `file-unreadable`, with the old folder in place.
 */
export async function replaceFolder(
  folder: string,
  prefix: string,
  files: readonly ArchivedFile[],
  stamp: string,
): Promise<string | null> {
  const [fresh, old] = [`${folder}.restoring`, `${folder}.before-${stamp}`];
  try {
    await rm(fresh, { recursive: true, force: true });
    await ensureDir(dirname(folder));
    await ensureDir(fresh);
    for (const { path, mode, data } of files) {
      if (!path.startsWith(`${prefix}/`)) continue;
      const place = join(fresh, path.slice(prefix.length + 1));
      await ensureDir(dirname(place));
      await writeFileAtomic(place, data, mode);
    }
    const standing = await exists(folder);
    if (standing) await rename(folder, old);
    await rename(fresh, folder);
    await syncFolder(dirname(folder));
    return standing ? old : null;
  } catch (cause) {
    if (cause instanceof MeshError) throw cause;
    throw new MeshError('file-unreadable', { detail: fileDetail(folder, cause), cause });
  }
}
