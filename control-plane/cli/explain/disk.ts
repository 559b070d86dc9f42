// The folders of a control plane on this machine: whether they can be written, how much room is left, and whether others may
// read what is secret.
import { constants } from 'node:fs';
import { access, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskFact } from '../../../core/explain/check-facts.ts';

/** Files that are looked at, and that are named. */
const MOST = { files: 5_000, named: 10 } as const;
/** What others may read: certificates are no secrets. */
const PUBLIC = /\.(?:pem|crt)$/;
const OTHERS = 0o077;

/** `folders`: the first is where state is written; those that are not there are left out. null: the first is not. */
export async function diskOf(folders: readonly string[]): Promise<DiskFact | null> {
  const [folder = ''] = folders;
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    const exposed = (await Promise.all(folders.map((each) => exposedIn(each)))).flat();
    return {
      folder,
      free: bavail * bsize,
      size: blocks * bsize,
      writable: await access(folder, constants.W_OK).then(
        () => true,
        () => false,
      ),
      exposed: exposed.slice(0, MOST.named),
    };
  } catch {
    // The control plane answered, so there is one; where it keeps its state is not for us to see.
    return null;
  }
}

/** Nobody gets into a folder that is its owner's alone. */
async function exposedIn(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  try {
    if (((await stat(folder)).mode & OTHERS) === 0) return [];
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of entries.slice(0, MOST.files)) {
      if (!entry.isFile() || PUBLIC.test(entry.name)) continue;
      const file = join(entry.parentPath, entry.name);
      if (((await stat(file)).mode & OTHERS) !== 0) found.push(file);
    }
  } catch {
    // Gone meanwhile, or not there at all.
  }
  return found;
}
