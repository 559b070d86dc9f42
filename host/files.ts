// Files that survive a crash: written beside their place, synced, then renamed; read within a bound;
// state as JSON with its own checksum, so that a torn or edited file is noticed.
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MeshError } from '../core/kit/error.ts';
import { sha256Hex } from './hash.ts';

/** Permission bits of what holds a key, a token or a certificate. */
export const SECRET_MODE = 0o600;
const SECRET_FOLDER_MODE = 0o700;

/** Makes a folder with its parents; an existing one gets this mode too. */
export async function ensureDir(path: string, mode: number = SECRET_FOLDER_MODE): Promise<void> {
  try {
    const made = await mkdir(path, { recursive: true, mode });
    if (made === undefined && ((await stat(path)).mode & 0o777) !== mode) await chmod(path, mode);
  } catch (cause) {
    throw new MeshError('file-unreadable', { detail: fileDetail(path, cause), cause });
  }
}

/**
 * Replaces a file as a whole: a reader sees the old content or the new one, also after a power cut.
 * The folder must exist. Throws MeshError `file-unreadable`.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new MeshError('file-unreadable', { detail: fileDetail(path, cause), cause });
  }
}

/** A rename, a new file and a removal are durable once their folder is synced. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** UTF-8 text of at most `limit` bytes. Throws MeshError `file-unreadable`. */
export async function readTextBounded(path: string, limit = 4 * 1024 * 1024): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > limit) throw new Error(`${size} bytes, more than ${limit}`);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new MeshError('file-unreadable', { detail: fileDetail(path, cause), cause });
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Writes a value as JSON together with its checksum. */
export async function writeState(path: string, value: unknown, mode: number = SECRET_MODE): Promise<void> {
  const body = JSON.stringify(value);
  await writeFileAtomic(path, `${JSON.stringify({ sha256: sha256Hex(body), body })}\n`, mode);
}

/** What `writeState` wrote, or null where there is no file. Throws MeshError `state-corrupt`. */
export async function readState(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return null;
    throw new MeshError('file-unreadable', { detail: fileDetail(path, cause), cause });
  }
  try {
    const envelope: unknown = JSON.parse(text);
    if (isEnvelope(envelope) && sha256Hex(envelope.body) === envelope.sha256) {
      return JSON.parse(envelope.body) as unknown;
    }
  } catch {
    // Falls through: not JSON is as damaged as a wrong sum.
  }
  throw new MeshError('state-corrupt', { detail: path, hint: 'remove the file to start afresh' });
}

function isEnvelope(value: unknown): value is { sha256: string; body: string } {
  if (typeof value !== 'object' || value === null) return false;
  return 'sha256' in value && 'body' in value && typeof value.sha256 === 'string' && typeof value.body === 'string';
}

/** True for a system error with this code, such as `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Which file, and why it cannot be read, in plain words. */
export function fileDetail(path: string, cause: unknown): string {
  if (isErrno(cause, 'ENOENT')) return `${path} does not exist`;
  if (isErrno(cause, 'EACCES')) return `${path}: permission denied`;
  return `${path}: ${cause instanceof Error ? cause.message : String(cause)}`;
}
