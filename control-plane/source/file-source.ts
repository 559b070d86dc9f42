// The first source of configuration: files that are watched. An edit that is valid is handed on, one that
// is not is reported and changes nothing; what was handed on last stays in force.
import { createConfigParser, type ConfigParser, type ConfigText, type ParsedConfig } from '../../core/config/parse.ts';
import type { ConfigError } from '../../core/config/problem.ts';
import type { Result } from '../../core/kit/result.ts';
import { readConfigFiles } from '../../host/config-files.ts';
import { sha256Hex } from '../../host/hash.ts';
import { watchFiles, type FileWatch } from '../../host/watch.ts';

export interface FileSourceOptions {
  /** As they shall stand in messages; several are one configuration. */
  readonly files: readonly string[];
  /** A valid configuration: the first, and each whose text differs from the one seen before. A promise is waited for. */
  readonly onConfig: (config: ParsedConfig, texts: readonly ConfigText[]) => unknown;
  /** What is wrong with the text now in the files, null where they cannot be read; never twice in a row for the same. */
  readonly onInvalid: (errors: readonly ConfigError[], texts: readonly ConfigText[] | null) => unknown;
  /** Quiet time after a notice before the files are read, ms; default 50. */
  readonly debounce?: number;
  /** How long a missing or empty file may still be in the middle of being replaced, ms; default 200. */
  readonly grace?: number;
}

export class FileSource {
  readonly #options: FileSourceOptions;
  readonly #parse: ConfigParser = createConfigParser();
  readonly #abort = new AbortController();
  #watch: FileWatch | null = null;
  #seen = '';
  #reading: Promise<void> | null = null;
  #again = false;

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  /** Resolves once the first text was handed on or reported. Aborting the signal is `close`. */
  async start(signal?: AbortSignal): Promise<void> {
    signal?.addEventListener('abort', () => void this.close(), { once: true, signal: this.#abort.signal });
    if (signal?.aborted === true) return this.close();
    // Watched before it is read, so that no edit falls between the two.
    const { files, debounce = 50 } = this.#options;
    this.#watch = await watchFiles(files, () => void this.#check(), { debounce });
    if (this.#abort.signal.aborted) this.#watch.close();
    return this.#check();
  }

  /** No callback comes after this resolved. */
  async close(): Promise<void> {
    this.#abort.abort();
    this.#watch?.close();
    await this.#reading;
  }

  /** One look at a time; a change during a look makes another one follow. */
  #check(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#lookWhileAsked().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    let texts = await readConfigFiles(this.#options.files);
    if (looksHalfWritten(texts)) {
      await this.#wait(this.#options.grace ?? 200);
      texts = await readConfigFiles(this.#options.files);
    }
    const seen = sha256Hex(JSON.stringify(texts));
    if (this.#abort.signal.aborted || seen === this.#seen) return;
    this.#seen = seen;
    const { onConfig, onInvalid } = this.#options;
    const parsed = texts.ok ? this.#parse(texts.value) : texts;
    if (!parsed.ok) await onInvalid(parsed.error, texts.ok ? texts.value : null);
    else if (texts.ok) await onConfig(parsed.value, texts.value);
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}

/** Editors remove and create, or empty and fill: what lies in between is nobody's configuration. */
function looksHalfWritten(texts: Result<readonly ConfigText[], readonly ConfigError[]>): boolean {
  return !texts.ok || texts.value.some(({ text }) => text.trim() === '');
}
