// Notices that files changed. Folders are watched, not files, because editors and Kubernetes replace files; the
// content decides, because a touched file has not changed.
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { sha256Hex } from './hash.ts';

export interface FileWatch {
  close(): void;
}

export interface FileWatchOptions {
  /** Quiet time before a look, ms; default 50. */
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

class ContentWatch implements FileWatch {
  readonly #paths: readonly string[];
  readonly #onChange: () => void;
  readonly #debounce: number;
  #watchers: FSWatcher[] = [];
  #poll: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #seen = '';
  #closed = false;

  constructor(paths: readonly string[], onChange: () => void, debounce: number) {
    this.#paths = paths;
    this.#onChange = onChange;
    this.#debounce = debounce;
  }

  async start(poll: number): Promise<void> {
    for (const folder of new Set(this.#paths.map((path) => dirname(path)))) this.#watchFolder(folder);
    this.#poll = setInterval(() => void this.#look(), poll);
    this.#poll.unref();
    this.#seen = await this.#contents();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#soon);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      // Out of watches, or the folder is gone: the poll goes on.
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // As above.
    }
  }

  #lookSoon(): void {
    clearTimeout(this.#soon);
    if (!this.#closed) this.#soon = setTimeout(() => void this.#look(), this.#debounce);
  }

  async #look(): Promise<void> {
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
