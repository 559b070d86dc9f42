// A log in a file, appended to and synced. What a crash tore off at its end is cut away before the next line, and kept. A file
// that is full is put aside, and the oldest of those removed, so that a log is bounded; numbers and sums go on across files.
import { constants } from 'node:fs';
import { open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { fileDetail, isErrno, SECRET_MODE, syncFolder, writeFileAtomic } from '../../host/files.ts';
import { EMPTY_LOG, follows, nextLine, readLine, type LogEnd, type LogLine } from './log-lines.ts';

/** How much of the end is read, bytes. */
const TAIL = 4 * 1024 * 1024;
/** One line, bytes; many of them are in a tail. */
const MOST_LINE = 64 * 1024;

interface OpenLog {
  readonly file: FileHandle;
  size: number;
  end: LogEnd;
}

interface Tail {
  readonly lines: readonly LogLine[];
  /** Bytes of the file up to and with the last good line. */
  readonly size: number;
  /** What follows it. */
  readonly torn: Buffer;
  readonly damaged: number;
}

export interface LogBounds {
  /** Of one file; default 8 MiB. */
  readonly mostBytes?: number;
  /** Full files beside the one that grows; default 4. */
  readonly mostFull?: number;
}

const SUFFIX = '.jsonl';
/** Digits of the last line's number in the name of a full file: `audit-0000001234.jsonl`. */
const DIGITS = 10;

/** Not for two writers at once: its store queues. */
export class FileLog {
  readonly #path: string;
  readonly #onDamage: (what: string) => void;
  readonly #mostBytes: number;
  readonly #mostFull: number;
  #open: OpenLog | null = null;

  /** `path` ends in `.jsonl`. */
  constructor(path: string, onDamage: (what: string) => void, bounds: LogBounds = {}) {
    this.#path = path;
    this.#onDamage = onDamage;
    this.#mostBytes = bounds.mostBytes ?? 8 * 1024 * 1024;
    this.#mostFull = bounds.mostFull ?? 4;
  }

  /** The folder must exist. */
  async append(entry: object): Promise<void> {
    try {
      this.#open ??= await this.#openForWriting();
      if (this.#open.size >= this.#mostBytes) this.#open = await this.#putAside(this.#open);
      await this.#write(this.#open, entry);
    } catch (cause) {
      if (cause instanceof MeshError) throw cause;
      throw new MeshError('file-unreadable', { detail: fileDetail(this.#path, cause), cause });
    }
  }

  async #write(log: OpenLog, entry: object): Promise<void> {
    const { line, end } = nextLine(log.end, entry);
    const bytes = Buffer.from(`${line}\n`);
    if (bytes.length > MOST_LINE) throw new Error(`an entry of ${bytes.length} bytes, more than ${MOST_LINE}`);
    try {
      await log.file.appendFile(bytes);
      await log.file.datasync();
    } catch (cause) {
      // Half a line of a full disk goes away; if that fails too, the end is looked at again.
      await log.file.truncate(log.size).catch(() => {});
      await this.close();
      throw cause;
    }
    log.size += bytes.length;
    log.end = end;
  }

  async #openForWriting(): Promise<OpenLog> {
    const file = await open(this.#path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, SECRET_MODE);
    try {
      const before = await this.#endOfFull();
      const { size, lines, torn, damaged } = await readTail(file, before);
      await syncFolder(dirname(this.#path));
      if (damaged > 0) this.#onDamage(`${this.#path}: ${damaged} of its lines are damaged; the log goes on after them`);
      if (torn.length > 0) {
        await writeFileAtomic(`${this.#path}.torn`, torn, SECRET_MODE);
        await file.truncate(size);
        await file.sync();
        this.#onDamage(
          `${this.#path}: the last line was torn; it is in ${this.#path}.torn and the log goes on before it`,
        );
      }
      return { file, size, end: lines.at(-1) ?? before };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The full file is another from here on, in one step. */
  async #putAside(log: OpenLog): Promise<OpenLog> {
    await this.close();
    await rename(this.#path, this.#fullPath(log.end.number));
    await syncFolder(dirname(this.#path));
    for (const old of (await this.#full()).slice(0, -this.#mostFull)) await rm(this.#fullPath(old), { force: true });
    return this.#openForWriting();
  }

  /** The last entries, oldest first. */
  async tail(most: number): Promise<readonly unknown[]> {
    try {
      const entries = (await linesOf(this.#path)).map(({ entry }) => entry);
      for (const number of (await this.#full()).toReversed()) {
        if (entries.length >= most) break;
        entries.unshift(...(await linesOf(this.#fullPath(number))).map(({ entry }) => entry));
      }
      return entries.slice(-most);
    } catch (cause) {
      throw new MeshError('file-unreadable', { detail: fileDetail(this.#path, cause), cause });
    }
  }

  /** What the first line of the file continues. */
  async #endOfFull(): Promise<LogEnd> {
    const last = (await this.#full()).at(-1);
    if (last === undefined) return EMPTY_LOG;
    // Without a line that can be read no sum fits, and that is said.
    return (await linesOf(this.#fullPath(last))).at(-1) ?? { number: last, sum: '' };
  }

  /** Numbers of the last lines of the full files, oldest first. */
  async #full(): Promise<readonly number[]> {
    const begin = `${basename(this.#path, SUFFIX)}-`;
    const names = await readdir(dirname(this.#path)).catch(() => []);
    return names
      .filter((name) => name.startsWith(begin) && name.endsWith(SUFFIX))
      .map((name) => name.slice(begin.length, -SUFFIX.length))
      .filter((digits) => digits.length === DIGITS && /^\d+$/.test(digits))
      .map(Number)
      .sort((a, b) => a - b);
  }

  #fullPath(number: number): string {
    const name = `${basename(this.#path, SUFFIX)}-${String(number).padStart(DIGITS, '0')}${SUFFIX}`;
    return join(dirname(this.#path), name);
  }

  async close(): Promise<void> {
    const log = this.#open;
    this.#open = null;
    await log?.file.close().catch(() => {});
  }
}

/** Of the end of a file; none where there is no file. */
async function linesOf(path: string): Promise<LogLine[]> {
  try {
    const file = await open(path, 'r');
    try {
      return [...(await readTail(file, EMPTY_LOG)).lines];
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return [];
    throw cause;
  }
}

/** `first`: what the first line of the file continues. */
async function readTail(file: FileHandle, first: LogEnd): Promise<Tail> {
  const { size } = await file.stat();
  const from = Math.max(0, size - TAIL);
  const buffer = Buffer.alloc(size - from);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  return scan(buffer.subarray(0, bytesRead), from, first);
}

function scan(bytes: Buffer, from: number, first: LogEnd): Tail {
  const lines: LogLine[] = [];
  let damaged = 0;
  let good = 0;
  // A tail that does not begin with the file begins within a line.
  let start = from === 0 ? 0 : bytes.indexOf(0x0a) + 1;
  for (let end = bytes.indexOf(0x0a, start); end >= 0; end = bytes.indexOf(0x0a, start)) {
    const line = readLine(bytes.toString('utf8', start, end));
    const before = lines.at(-1) ?? (from === 0 ? first : null);
    start = end + 1;
    if (line === null) {
      damaged++;
      continue;
    }
    if (before !== null && !follows(before, line)) damaged++;
    lines.push(line);
    good = start;
  }
  return { lines, size: from + good, torn: bytes.subarray(good), damaged };
}
