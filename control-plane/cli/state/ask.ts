// Asks the control plane of this machine on its admin socket, and takes what it says for the word of our own program.
import { join } from 'node:path';
import { describeError, MeshError } from '../../../core/kit/error.ts';
import { adminSocketPath } from '../../../host/admin.ts';
import { askAdmin } from '../../../host/admin-client.ts';
import { isErrno } from '../../../host/files.ts';

/** Characters of an answer, and milliseconds of silence. */
const MOST = { characters: 64 * 1024 * 1024, silence: 60_000 } as const;

/** null in place of a body asks by GET. Throws MeshError `control-plane-unreachable`. */
export async function askControlPlane(stateDir: string, path: string, body: object | null): Promise<unknown> {
  const socketPath = adminSocketPath(join(stateDir, 'admin.sock'));
  const text = await exchange(socketPath, path, body);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreachable(`${socketPath} does not answer as a control plane of this version does`, cause);
  }
}

async function exchange(socketPath: string, path: string, body: object | null): Promise<string> {
  const asking = { path, silence: MOST.silence, most: MOST.characters };
  const posting = body === null ? asking : { ...asking, method: 'POST' as const, body: JSON.stringify(body) };
  try {
    return (await askAdmin(socketPath, posting)).text;
  } catch (cause) {
    throw unreachable(reasonOf(socketPath, cause), cause);
  }
}

function reasonOf(socketPath: string, cause: unknown): string {
  if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ECONNREFUSED')) return `none runs at ${socketPath}`;
  if (isErrno(cause, 'EACCES')) return `${socketPath} may be opened by its owner only`;
  return `${socketPath}: ${describeError(cause)}`;
}

function unreachable(detail: string, cause: unknown): MeshError {
  const hint = 'start it, or name its state folder with --dir';
  return new MeshError('control-plane-unreachable', { detail, hint, cause });
}
