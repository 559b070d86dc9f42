// The instances that may be called, in a file, so that a control plane which starts again knows whom callers were told
// of: one line for each that comes or goes, written before anybody is told. A line that is torn or strange is skipped,
// as what it said of is told again by the instance itself.
import { closeSync, constants, fdatasync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { isIP } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { Log } from '../../core/kit/log.ts';
import { describeError, MeshError } from '../../core/kit/error.ts';
import { fileDetail, isErrno, readTextBounded, SECRET_MODE } from '../../host/files.ts';
import { instanceKey, type Instance } from './registry.ts';

export interface KnownInstancesOptions {
  readonly path: string;
  readonly log: Log;
  /** Calls once after `ms`; the returned function cancels. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** In the state folder. */
export const INSTANCES_FILE = 'instances.jsonl';

/** A mesh of 10,000 instances has 2 MiB. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_TEXT = 256;
/** Lines beyond twice as many as there are instances, before the file is written anew. */
const SPARE_LINES = 1_000;
/** A power cut takes the lines of so many ms with it. */
const SYNC_AFTER = 1_000;

export class KnownInstances {
  readonly #options: KnownInstancesOptions;
  /** What the file says. */
  #known = new Map<string, Instance>();
  #lines = 0;
  #file: number | null = null;
  #cancelSync: (() => void) | null = null;
  #failed = false;
  #closed = false;

  constructor(options: KnownInstancesOptions) {
    this.#options = options;
  }

  /** Those of the last run; null: there was none, or it left no file that can be read. Opens the file. */
  async open(): Promise<readonly Instance[] | null> {
    const { path, log } = this.#options;
    let found = true;
    try {
      const lines = (await readTextBounded(path, MOST_BYTES)).split('\n');
      this.#known = replay(lines);
      this.#lines = lines.length;
    } catch (error) {
      found = false;
      if (!(error instanceof MeshError && isErrno(error.cause, 'ENOENT'))) {
        log.warn({ error: describeError(error) }, 'the list of instances cannot be read: it begins anew');
      }
    }
    const known = [...this.#known.values()];
    // What a crash tore off ends here.
    this.#try(() => this.#append('\n'));
    return found ? known : null;
  }

  /** Before anybody is told. Never throws: without the file only a restart is less smooth. */
  note(instance: Instance, present: boolean): void {
    if (instance.inboundPort === 0) return;
    if (present) this.#known.set(instanceKey(instance), instance);
    else this.#known.delete(instanceKey(instance));
    // A line that could not be written is made up for by the whole.
    const anew = this.#failed || this.#lines > this.#known.size * 2 + SPARE_LINES;
    this.#try(() => (anew ? this.#rewrite() : this.#append(`${lineOf(instance, present)}\n`)));
  }

  close(): void {
    this.#closed = true;
    this.#cancelSync?.();
    this.#cancelSync = null;
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #append(text: string): void {
    const { path } = this.#options;
    this.#file ??= openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND, SECRET_MODE);
    writeSync(this.#file, text);
    this.#lines++;
  }

  #rewrite(): void {
    const { path } = this.#options;
    const beside = join(dirname(path), `.${basename(path)}.new`);
    const text = [...this.#known.values()].map((instance) => `${lineOf(instance, true)}\n`).join('');
    writeFileSync(beside, text, { mode: SECRET_MODE });
    renameSync(beside, path);
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    this.#lines = this.#known.size;
  }

  #try(work: () => void): void {
    if (this.#closed) return;
    try {
      work();
      this.#failed = false;
    } catch (cause) {
      return this.#fail(cause);
    }
    this.#cancelSync ??= this.#options.after(SYNC_AFTER, () => this.#sync());
  }

  #sync(): void {
    this.#cancelSync = null;
    if (this.#file !== null) fdatasync(this.#file, () => {});
  }

  /** Said once, until it works again. */
  #fail(cause: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    const error = fileDetail(this.#options.path, cause);
    this.#options.log.error({ error }, 'the list of instances cannot be written: after a restart they are learnt anew');
  }
}

function lineOf(instance: Instance, present: boolean): string {
  const { account, instance: name, version, address, inboundPort } = instance;
  return JSON.stringify(
    present ? { account, instance: name, version, address, inboundPort } : { account, instance: name, gone: true },
  );
}

function replay(lines: readonly string[]): Map<string, Instance> {
  const known = new Map<string, Instance>();
  for (const line of lines) {
    const read = line === '' ? null : readLine(line);
    if (read === null) continue;
    const { gone, ...instance } = read;
    const key = instanceKey(instance);
    if (gone) known.delete(key);
    else known.set(key, instance);
  }
  return known;
}

/** null: no such line. */
function readLine(line: string): (Instance & { readonly gone: boolean }) | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { account, instance, version, address, inboundPort, gone } = value as Readonly<Record<string, unknown>>;
  if (!isName(account) || !isName(instance)) return null;
  if (gone === true) return { account, instance, version: null, address: '', inboundPort: 0, gone };
  if (version !== null && !isName(version)) return null;
  if (typeof address !== 'string' || isIP(address) === 0) return null;
  if (typeof inboundPort !== 'number' || !(inboundPort > 0 && inboundPort <= 65_535)) return null;
  return { account, instance, version, address, inboundPort, gone: false };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MOST_TEXT;
}
