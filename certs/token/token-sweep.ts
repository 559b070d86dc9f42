// Takes records of long-expired tokens away, with the marks of their uses; the join port does it when it starts.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { isErrno } from '../../host/files.ts';
import type { Clock } from '../ambient.ts';
import { expiryOfToken } from './token-store.ts';

/** For a day a late caller still hears that its token has expired; afterwards it is merely not valid. */
const KEPT_AFTER_EXPIRY = 24 * 3_600_000;

/** Returns how many tokens were removed. Damaged records stay for somebody to look at. */
export async function sweepTokens(stateDir: string, clock: Clock): Promise<number> {
  const folder = join(stateDir, 'tokens');
  const names = await namesIn(folder);
  let removed = 0;
  for (const name of names) {
    const id = /^([0-9a-f]{16})\.json$/.exec(name)?.[1];
    const expiry = id === undefined ? null : await expiryOfToken(stateDir, id);
    if (id === undefined || expiry === null || clock() < expiry + KEPT_AFTER_EXPIRY) continue;
    // The marks go last: without its record a token is good for nothing, whatever is left of it.
    await rm(join(folder, name), { force: true });
    for (const mark of names) if (mark.startsWith(`${id}.`)) await rm(join(folder, mark), { force: true });
    removed += 1;
  }
  return removed;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return [];
    throw new MeshError('file-unreadable', { detail: folder, cause });
  }
}
