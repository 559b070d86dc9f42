// From root to Weft's own user, for good.

/** User and group of everything that Weft runs in containers; the image's own. */
export const WEFT_USER = 15_001;

/** No effect where the process is not root. The kernel clears all capabilities with the change. */
export function dropPrivileges(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(WEFT_USER);
  process.setuid?.(WEFT_USER);
}
