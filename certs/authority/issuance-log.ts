// What an authority signed outside the control plane, one JSON line each in `issuance.jsonl` of its folder: roots and
// intermediates, and what `weft ca issue` gave out. Appended and synced before anything is handed out. What the control
// plane signs stands in its own ledger.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { fileDetail, isErrno, readTextBounded, SECRET_MODE } from '../../host/files.ts';

const LOG_FILE = 'issuance.jsonl';
const MAX_LOG = 64 * 1024 * 1024;
const MAX_LINE = 8_192;

export interface Issuance {
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  /** `user@host`. */
  readonly by: string;
  readonly purpose: 'root' | 'intermediate' | 'svid' | 'server' | 'client' | 'operator';
  /** SPIFFE id, common name, or hosts. */
  readonly subject: string;
  /** Lower-case hex. */
  readonly serial: string;
  /** Fingerprint of the certified key (certs/x509/key.ts). */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
}

/** Resolves once the line is on disk. One line is one write: two that append at once do not mix. */
export async function recordIssuance(dir: string, issuance: Issuance): Promise<void> {
  const path = join(dir, LOG_FILE);
  try {
    const file = await open(path, 'a', SECRET_MODE);
    try {
      await file.appendFile(`${JSON.stringify(issuance)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new MeshError('file-unreadable', { detail: fileDetail(path, cause), cause });
  }
}

/** In the order of issuance; lines that a crash tore are left out. */
export async function readIssuances(dir: string): Promise<readonly Issuance[]> {
  let text: string;
  try {
    text = await readTextBounded(join(dir, LOG_FILE), MAX_LOG);
  } catch (error) {
    if (error instanceof MeshError && isErrno(error.cause, 'ENOENT')) return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    const issuance = line === '' || line.length > MAX_LINE ? null : parse(line);
    return issuance === null ? [] : [issuance];
  });
}

function parse(line: string): Issuance | null {
  try {
    const value: unknown = JSON.parse(line);
    return isIssuance(value) ? value : null;
  } catch {
    return null;
  }
}

function isIssuance(value: unknown): value is Issuance {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  return (
    ['by', 'purpose', 'subject', 'serial', 'key'].every((name) => typeof fields.get(name) === 'string') &&
    typeof fields.get('issuedAt') === 'number' &&
    typeof fields.get('notAfter') === 'number'
  );
}
