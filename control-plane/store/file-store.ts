// The store in a folder of files, each replaced as a whole, with the one before kept beside it. One process writes.
import { link, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { MeshError } from '../../core/kit/error.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import {
  ensureDir,
  exists,
  fileDetail,
  isErrno,
  readTextBounded,
  SECRET_MODE,
  syncFolder,
  writeFileAtomic,
} from '../../host/files.ts';
import { FileLog } from './file-log.ts';
import { openValue, sealValue } from './sealed-value.ts';
import type { Conflict, Store, Stored } from './store.ts';

const KEY = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*)*$/;
const SUFFIX = '.state';
/** What a process that died in the middle of a write left; never one of ours, which have a suffix. */
const TEMPORARY = /^\..+\.[0-9a-f]{12}$/;
/** Bytes of one value. */
const MOST_BYTES = 128 * 1024 * 1024;

type Look = { readonly kind: 'absent' | 'damaged' } | { readonly kind: 'sound'; readonly stored: Stored };

export class FileStore implements Store {
  readonly #folder: string;
  readonly #onDamage: (what: string) => void;
  readonly #logs = new Map<string, FileLog>();
  /** Every write, one after the other. */
  #writes: Promise<unknown> = Promise.resolve();
  #swept = false;

  /** Reads nothing yet, and writes nothing before the first write. `onDamage`: one line for the log. */
  constructor(folder: string, onDamage: (what: string) => void) {
    this.#folder = folder;
    this.#onDamage = onDamage;
  }

  async get(key: string): Promise<Stored | null> {
    const path = this.#pathOf(key);
    const now = await look(path);
    if (now.kind === 'sound') return now.stored;
    const before = await look(previous(path));
    if (before.kind === 'sound') {
      this.#onDamage(`${path} is ${now.kind === 'absent' ? 'missing' : 'damaged'}: the one before it is used`);
      return before.stored;
    }
    if (now.kind === 'damaged') this.#onDamage(`${path} is damaged and there is none before it: it is left out`);
    return null;
  }

  async keys(folder: string): Promise<readonly string[]> {
    try {
      const names = await readdir(join(this.#folder, assertKey(folder)));
      return names
        .filter((name) => name.endsWith(SUFFIX) && !name.startsWith('.'))
        .map((name) => `${folder}/${name.slice(0, -SUFFIX.length)}`)
        .sort();
    } catch (cause) {
      if (isErrno(cause, 'ENOENT')) return [];
      throw unreadable(this.#folder, cause);
    }
  }

  put(key: string, value: string, expected?: number): Promise<Result<number, Conflict>> {
    const path = this.#pathOf(key);
    return this.#write(() => this.#put(path, value, expected));
  }

  async #put(path: string, value: string, expected?: number): Promise<Result<number, Conflict>> {
    if (Buffer.byteLength(value) > MOST_BYTES) throw unreadable(path, new Error(`more than ${MOST_BYTES} bytes`));
    const now = await look(path);
    const standing = now.kind === 'sound' ? now : await look(previous(path));
    const revision = standing.kind === 'sound' ? standing.stored.revision : 0;
    if (expected !== undefined && expected !== revision) return err({ revision });
    const sealed = sealValue({ value, revision: revision + 1 });
    await this.#ensureFolder(dirname(path));
    // Only what is sound takes the place of the one before.
    if (now.kind === 'sound') await linkOver(path, previous(path));
    if (now.kind === 'damaged') await rename(path, `${path}.damaged`);
    await writeFileAtomic(path, sealed, SECRET_MODE);
    return ok(revision + 1);
  }

  delete(key: string): Promise<void> {
    const path = this.#pathOf(key);
    return this.#write(async () => {
      // In this order: the one before must not come back.
      await rm(previous(path), { force: true });
      await rm(path, { force: true });
      if (await exists(dirname(path))) await syncFolder(dirname(path));
    });
  }

  append(log: string, entry: object): Promise<void> {
    return this.#write(async () => {
      await this.#ensureFolder(this.#folder);
      await this.#log(log).append(entry);
    });
  }

  tail(log: string, most: number): Promise<readonly unknown[]> {
    return this.#log(log).tail(most);
  }

  async close(): Promise<void> {
    await this.#writes;
    for (const log of this.#logs.values()) await log.close();
  }

  #log(name: string): FileLog {
    const known = this.#logs.get(name);
    if (known !== undefined) return known;
    const log = new FileLog(join(this.#folder, `${assertKey(name)}.jsonl`), this.#onDamage);
    this.#logs.set(name, log);
    return log;
  }

  #pathOf(key: string): string {
    return join(this.#folder, `${assertKey(key)}${SUFFIX}`);
  }

  #write<T>(work: () => Promise<T>): Promise<T> {
    const write = this.#writes.then(async () => {
      try {
        await this.#sweep();
        return await work();
      } catch (cause) {
        throw cause instanceof MeshError ? cause : unreadable(this.#folder, cause);
      }
    });
    // The next one waits for this one, whatever becomes of it.
    this.#writes = write.catch(() => {});
    return write;
  }

  async #sweep(): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    if (!(await exists(this.#folder))) return;
    for (const entry of await readdir(this.#folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && TEMPORARY.test(entry.name)) await rm(join(entry.parentPath, entry.name), { force: true });
    }
  }

  async #ensureFolder(folder: string): Promise<void> {
    const missing: string[] = [];
    for (let each = folder; !(await exists(each)); each = dirname(each)) missing.push(dirname(each));
    if (missing.length === 0) return;
    await ensureDir(folder);
    // A new folder is durable once the one above it is synced.
    for (const above of missing) await syncFolder(above);
  }
}

function previous(path: string): string {
  return `${path}.before`;
}

async function look(path: string): Promise<Look> {
  try {
    await stat(path);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return { kind: 'absent' };
    throw unreadable(path, cause);
  }
  const stored = openValue(await readTextBounded(path, MOST_BYTES + 1024));
  return stored === null ? { kind: 'damaged' } : { kind: 'sound', stored };
}

/** `to` becomes another name of `from`, at once. */
async function linkOver(from: string, to: string): Promise<void> {
  const temporary = join(dirname(to), `.link.${randomBytes(6).toString('hex')}`);
  await link(from, temporary);
  await rename(temporary, to);
}

function assertKey(key: string): string {
  if (!KEY.test(key)) throw new TypeError(`"${key}" is no key of a store`);
  return key;
}

function unreadable(path: string, cause: unknown): MeshError {
  return new MeshError('file-unreadable', { detail: fileDetail(path, cause), cause });
}
