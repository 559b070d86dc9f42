// A log in one file, appended to and synced. What a crash tore off at its end is cut away before the next line, and kept.
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
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

/** Not for two writers at once: its store queues. */
export class FileLog {
  readonly #path: string;
  readonly #onDamage: (what: string) => void;
  #open: OpenLog | null = null;

  constructor(path: string, onDamage: (what: string) => void) {
    this.#path = path;
    this.#onDamage = onDamage;
  }

  /** The folder must exist. */
  async append(entry: object): Promise<void> {
    try {
      this.#open ??= await this.#openForWriting();
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
      const { size, lines, torn, damaged } = await readTail(file);
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
      return { file, size, end: lines.at(-1) ?? EMPTY_LOG };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async tail(most: number): Promise<readonly unknown[]> {
    let file: FileHandle;
    try {
      file = await open(this.#path, 'r');
    } catch (cause) {
      if (isErrno(cause, 'ENOENT')) return [];
      throw new MeshError('file-unreadable', { detail: fileDetail(this.#path, cause), cause });
    }
    try {
      const { lines } = await readTail(file);
      return lines.slice(-most).map(({ entry }) => entry);
    } finally {
      await file.close();
    }
  }

  async close(): Promise<void> {
    const log = this.#open;
    this.#open = null;
    await log?.file.close().catch(() => {});
  }
}

async function readTail(file: FileHandle): Promise<Tail> {
  const { size } = await file.stat();
  const from = Math.max(0, size - TAIL);
  const buffer = Buffer.alloc(size - from);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  return scan(buffer.subarray(0, bytesRead), from);
}

function scan(bytes: Buffer, from: number): Tail {
  const lines: LogLine[] = [];
  let damaged = 0;
  let good = 0;
  // A tail that does not begin with the file begins within a line.
  let start = from === 0 ? 0 : bytes.indexOf(0x0a) + 1;
  for (let end = bytes.indexOf(0x0a, start); end >= 0; end = bytes.indexOf(0x0a, start)) {
    const line = readLine(bytes.toString('utf8', start, end));
    const before = lines.at(-1) ?? (from === 0 ? EMPTY_LOG : null);
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
