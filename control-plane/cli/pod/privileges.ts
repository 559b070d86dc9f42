// From root to Weft's own user, for good.
import { chmod, chown, mkdir, stat } from 'node:fs/promises';
import { WEFT_USER } from '../netns/plan.ts';

/** No effect where the process is not root. The kernel clears all capabilities with the change. */
export function dropPrivileges(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(WEFT_USER);
  process.setuid?.(WEFT_USER);
}

/** A new volume belongs to root: as root, hands folders to Weft's user and goes on as that user. */
export async function takeFolders(folders: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  for (const folder of folders) {
    await mkdir(folder, { recursive: true });
    if ((await stat(folder)).uid === WEFT_USER) continue;
    // In this order: once it is handed over, root without capabilities may not change it.
    await chmod(folder, 0o700);
    await chown(folder, WEFT_USER, WEFT_USER);
  }
  dropPrivileges();
}
