// Asks the control plane of this machine on its admin socket, and takes what it says for the word of our own program.
import { request } from 'node:http';
import { join } from 'node:path';
import { MeshError } from '../../../core/kit/error.ts';
import { adminSocketPath } from '../../../host/admin.ts';
import { isErrno } from '../../../host/files.ts';

/** Bytes of an answer, and milliseconds of silence. */
const MOST = { bytes: 64 * 1024 * 1024, silence: 60_000 } as const;

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

function exchange(socketPath: string, path: string, body: object | null): Promise<string> {
  return new Promise((done, fail) => {
    const failed = (cause: Error): void => fail(unreachable(reasonOf(socketPath, cause), cause));
    const method = body === null ? 'GET' : 'POST';
    const asked = request({ socketPath, path, method, timeout: MOST.silence, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MOST.bytes) asked.destroy(new Error('the answer is too long'));
      });
      answer.once('end', () => done(text));
      answer.once('error', failed);
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    asked.once('error', failed);
    asked.end(body === null ? undefined : JSON.stringify(body));
  });
}

function reasonOf(socketPath: string, cause: Error): string {
  if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ECONNREFUSED')) return `none runs at ${socketPath}`;
  if (isErrno(cause, 'EACCES')) return `${socketPath} may be opened by its owner only`;
  return `${socketPath}: ${cause.message}`;
}

function unreachable(detail: string, cause: unknown): MeshError {
  const hint = 'start it, or name its state folder with --dir';
  return new MeshError('control-plane-unreachable', { detail, hint, cause });
}
