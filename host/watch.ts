// Notices that files changed. Folders are watched, not files, because editors and Kubernetes replace files; the
// content decides, because a touched file has not changed.
import { type FSWatcher, watch } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { sha256Hex } from './hash.ts';

export interface FileWatch {
  close(): void;
}

export interface FileWatchOptions {
  /** Quiet time before a look, ms; default 50. Four times as long is waited for it at most. */
  readonly debounce?: number;
  /** A look without any notice, ms, for file systems that send none; default 2,000. */
  readonly poll?: number;
}

/** Calls back after the content of any of these files became another; not for the first content. */
export async function watchFiles(
  paths: readonly string[],
  onChange: () => void,
  options: FileWatchOptions = {},
): Promise<FileWatch> {
  const watched = new ContentWatch(
    paths.map((path) => resolve(path)),
    onChange,
    options.debounce ?? 50,
  );
  await watched.start(options.poll ?? 2_000);
  return watched;
}

/** A look comes at the latest this many times the debounce after the first notice. */
const MOST_DEBOUNCES = 4;

class ContentWatch implements FileWatch {
  readonly #paths: readonly string[];
  readonly #onChange: () => void;
  readonly #debounce: number;
  /** By folder and inode: a folder that was replaced is another one. */
  readonly #watchers = new Map<string, FSWatcher>();
  #poll: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  /** When the first of the notices came that no look followed yet. */
  #noticed: number | null = null;
  #seen = '';
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(paths: readonly string[], onChange: () => void, debounce: number) {
    this.#paths = paths;
    this.#onChange = onChange;
    this.#debounce = debounce;
  }

  async start(poll: number): Promise<void> {
    await this.#watchFolders();
    if (this.#closed) return;
    this.#poll = setInterval(() => this.#look(), poll);
    this.#poll.unref();
    this.#looking = this.#contents().then((contents) => void (this.#seen = contents));
    await this.#looking;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#soon);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  /** The folders of the paths, and those of the files that symbolic links among them lead to now. */
  async #watchFolders(): Promise<void> {
    const targets = await Promise.all(this.#paths.map((path) => realpath(path).catch(() => path)));
    const folders = new Set([...this.#paths, ...targets].map((path) => dirname(path)));
    const wanted = await Promise.all([...folders].map(async (folder) => [await folderKey(folder), folder] as const));
    if (this.#closed) return;
    const keys = new Map(wanted);
    for (const [key, watcher] of this.#watchers) {
      if (keys.has(key)) continue;
      watcher.close();
      this.#watchers.delete(key);
    }
    for (const [key, folder] of keys) if (!this.#watchers.has(key)) this.#watchFolder(key, folder);
  }

  #watchFolder(key: string, folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      this.#watchers.set(key, watcher);
      // Out of watches, or the folder is gone: the poll goes on and tries again.
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(key);
      });
    } catch {
      // As above.
    }
  }

  #lookSoon(): void {
    if (this.#closed) return;
    // A log that grows in the same folder notifies without end: the quiet is waited for only so long.
    const now = performance.now();
    this.#noticed ??= now;
    const patience = this.#noticed + MOST_DEBOUNCES * this.#debounce - now;
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#look(), Math.max(0, Math.min(this.#debounce, patience)));
  }

  /** One after the other, the first after the content that `start` saw: else an older content could come last. */
  #look(): void {
    this.#noticed = null;
    this.#looking = this.#looking.then(() => this.#compare());
  }

  async #compare(): Promise<void> {
    if (this.#closed) return;
    await this.#watchFolders();
    const now = await this.#contents();
    if (this.#closed || now === this.#seen) return;
    this.#seen = now;
    this.#onChange();
  }

  async #contents(): Promise<string> {
    const sums = await Promise.all(
      this.#paths.map((path) =>
        readFile(path).then(
          (data) => sha256Hex(data),
          () => 'missing',
        ),
      ),
    );
    return sums.join();
  }
}

async function folderKey(folder: string): Promise<string> {
  return stat(folder).then(
    ({ dev, ino }) => `${folder} ${dev} ${ino}`,
    () => folder,
  );
}
