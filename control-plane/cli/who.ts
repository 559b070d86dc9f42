// Who runs a command: what histories and logs say of a change.
import { hostname, userInfo } from 'node:os';

/** `user@host`. */
export function whoAmI(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container a user may have no name.
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
