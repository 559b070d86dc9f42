// Where every configuration comes through, from the watched files or from an operator: one after the other, the newest in
// force. What an operator puts in force is on disk before it counts, and before it is answered.
import { createConfigParser, type ConfigParser, type ConfigText, type ParsedConfig } from '../../core/config/parse.ts';
import type { ConfigError } from '../../core/config/problem.ts';
import { differenceOf, type Difference } from '../../core/explain/difference.ts';
import { describeError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { sha256Hex } from '../../host/hash.ts';
import type { ChangeSource, HistoryEntry, Watched } from './history-entry.ts';
import type { History } from './history.ts';
import type { Applied, ConfigRefusal, Prepared, SnapshotStore } from './snapshot-store.ts';

export interface ChangesOptions {
  readonly snapshots: SnapshotStore;
  readonly history: History;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Proxies must hear of it. */
  readonly onChange: () => void;
}

/** What a candidate would change, or has changed. */
export interface Outcome {
  readonly difference: Difference;
  readonly warnings: readonly ConfigError[];
}

/** A configuration of the history. */
export interface KnownSnapshot extends HistoryEntry {
  readonly inForce: boolean;
}

/** Something else is in force than what the change was made for. */
export interface StaleSnapshot {
  readonly kind: 'stale';
  /** Hash of what is in force; null: nothing is. */
  readonly snapshot: string | null;
}

/** No such hash, or several that begin so. */
export interface UnknownSnapshot {
  readonly kind: 'unknown';
  readonly known: readonly KnownSnapshot[];
}

export class Changes {
  readonly #options: ChangesOptions;
  readonly #parse: ConfigParser = createConfigParser();
  /** One change at a time. */
  #changes: Promise<unknown> = Promise.resolve();
  /** What is written, in the order in which it came in force; it begins with `start`. */
  #records: Promise<unknown>;
  #begin: () => void = () => {};
  #started = false;
  #watched: Watched | null = null;
  #texts: readonly ConfigText[] = [];

  constructor(options: ChangesOptions) {
    this.#options = options;
    this.#records = new Promise<void>((begin) => {
      this.#begin = begin;
    });
  }

  /** The state folder is this process's own from here on. */
  start(): void {
    this.#started = true;
    const { history, log } = this.#options;
    this.#record(() => history.recover()).catch((error: unknown) => {
      log.error({ error: describeError(error) }, 'the history cannot be written');
    });
    this.#begin();
  }

  /** Resolves once everything is written. */
  async close(): Promise<void> {
    await this.#changes;
    if (this.#started) await this.#records;
  }

  /** null: an operator's change goes on, as the files are still those that it was made upon. */
  fromFiles(
    parsed: ParsedConfig,
    texts: readonly ConfigText[],
  ): Promise<Result<Applied, readonly ConfigRefusal[]> | null> {
    return this.#inTurn(async () => {
      const first = this.#watched === null;
      this.#watched = watchedOf(texts);
      if (first && (await this.#resume(this.#watched))) return null;
      const applied = this.#options.snapshots.apply(parsed);
      if (!applied.ok) return applied;
      this.#texts = texts;
      if (applied.value.changed) this.#options.onChange();
      this.#keepFile(applied.value, texts, this.#watched);
      return applied;
    });
  }

  /**
   * The files cannot be used. True: at the start, and the configuration that was in force last goes on.
   *
   * @param texts null where they cannot be read
   */
  fromBrokenFiles(names: readonly string[], texts: readonly ConfigText[] | null): Promise<boolean> {
    return this.#inTurn(async () => {
      const { snapshots, history, log } = this.#options;
      this.#watched = texts === null ? { names, hash: '' } : watchedOf(texts);
      const inForce = history.inForce;
      // Another file is another mesh, or a typing error.
      if (snapshots.snapshot !== null || inForce?.watched.names.join('\n') !== names.join('\n')) return false;
      const restored = await this.#restore(inForce.number);
      if (restored === null) return false;
      log.warn({ snapshot: restored }, 'the configuration that was in force last goes on');
      return true;
    });
  }

  /** Nothing changes. */
  plan(files: readonly ConfigText[]): Result<Outcome, readonly ConfigError[]> {
    const candidate = this.#prepare(files);
    return candidate.ok ? ok(candidate.value.outcome) : candidate;
  }

  /**
   * Resolves once it is in force and would be after a power cut. Throws MeshError `file-unreadable`: nothing changed.
   *
   * @param expected hash of the snapshot that must be in force, or nothing is changed; null: whatever is
   */
  apply(
    files: readonly ConfigText[],
    who: string,
    expected: string | null = null,
  ): Promise<Result<Outcome, readonly ConfigError[] | StaleSnapshot>> {
    return this.#inTurn(async () => this.#stale(expected) ?? (await this.#put(files, 'apply', who)));
  }

  /**
   * @param hash of a snapshot in the history, or how it begins
   * @param expected as in `apply`
   */
  rollback(
    hash: string,
    who: string,
    expected: string | null = null,
  ): Promise<Result<Outcome, readonly ConfigError[] | UnknownSnapshot | StaleSnapshot>> {
    return this.#inTurn(async () => {
      const stale = this.#stale(expected);
      if (stale !== null) return stale;
      const { history } = this.#options;
      // What the files brought may be on its way there.
      await this.#records;
      const found = history.entries.filter((entry) => hash !== '' && entry.hash.startsWith(hash));
      const entry = new Set(found.map((each) => each.hash)).size === 1 ? found.at(-1) : undefined;
      const files = entry === undefined ? null : await history.textsOf(entry.number);
      return files === null ? err({ kind: 'unknown', known: this.known() }) : this.#put(files, 'rollback', who);
    });
  }

  #stale(expected: string | null): Result<never, StaleSnapshot> | null {
    const snapshot = this.#options.snapshots.snapshot?.hash ?? null;
    return expected === null || expected === snapshot ? null : err({ kind: 'stale', snapshot });
  }

  /** The files as they were read; null before the first snapshot. */
  inForce(): { readonly snapshot: string; readonly files: readonly ConfigText[] } | null {
    const { snapshot } = this.#options.snapshots;
    return snapshot === null ? null : { snapshot: snapshot.hash, files: this.#texts };
  }

  /** Newest first. */
  known(): readonly KnownSnapshot[] {
    const { entries, inForce } = this.#options.history;
    return entries.map((entry) => ({ ...entry, inForce: entry.number === inForce?.number })).toReversed();
  }

  /** The last lines of the audit log, newest first. Throws MeshError `file-unreadable`. */
  audit(most: number): Promise<readonly unknown[]> {
    return this.#options.history.audit(most);
  }

  async #put(
    files: readonly ConfigText[],
    source: ChangeSource,
    who: string,
  ): Promise<Result<Outcome, readonly ConfigError[]>> {
    const { snapshots, onChange, log } = this.#options;
    const candidate = this.#prepare(files);
    if (!candidate.ok) return candidate;
    const { prepared, outcome } = candidate.value;
    if (!prepared.changed) return ok(outcome);
    const watched = this.#watched ?? { names: [], hash: '' };
    await this.#record(() => this.#write(prepared, files, source, who, watched));
    snapshots.commit(prepared);
    this.#texts = files;
    log.info({ snapshot: prepared.snapshot.hash, source, who }, 'configuration in force');
    onChange();
    return ok(outcome);
  }

  #prepare(
    files: readonly ConfigText[],
  ): Result<{ readonly prepared: Prepared; readonly outcome: Outcome }, readonly ConfigError[]> {
    const { snapshots } = this.#options;
    const parsed = this.#parse(files);
    if (!parsed.ok) return parsed;
    const prepared = snapshots.prepare(parsed.value);
    if (!prepared.ok) return err(prepared.error.map((refusal) => problemOf(refusal, parsed.value)));
    const difference = differenceOf(snapshots.snapshot, prepared.value.snapshot);
    return ok({ prepared: prepared.value, outcome: { difference, warnings: parsed.value.warnings } });
  }

  async #resume(watched: Watched): Promise<boolean> {
    const { history, log } = this.#options;
    const { inForce } = history;
    if (inForce === null || inForce.source === 'file') return false;
    const entry = history.entries.find(({ number }) => number === inForce.number);
    const fields = { snapshot: entry?.hash, source: inForce.source, who: entry?.who };
    if (!sameWatched(inForce.watched, watched)) {
      log.warn(fields, 'the files were edited since a configuration was put in force beside them: they take over');
      return false;
    }
    if ((await this.#restore(inForce.number)) === null) {
      log.error(fields, 'the configuration that was put in force beside the files cannot be used: the files take over');
      return false;
    }
    log.info(fields, 'the configuration that was put in force beside the files goes on');
    return true;
  }

  /** Of the history, at the start. The hash of what is in force then; null: it cannot be used. */
  async #restore(number: number): Promise<string | null> {
    const { snapshots, history, onChange } = this.#options;
    const texts = await history.textsOf(number);
    const parsed = texts === null ? null : this.#parse(texts);
    if (parsed === null || !parsed.ok) return null;
    const applied = snapshots.apply(parsed.value);
    if (!applied.ok) return null;
    this.#texts = texts ?? [];
    onChange();
    return applied.value.snapshot.hash;
  }

  #keepFile(applied: Applied, texts: readonly ConfigText[], watched: Watched): void {
    const { history, log } = this.#options;
    this.#record(async () => {
      const entry = history.entries.find(({ number }) => number === history.inForce?.number);
      if (entry?.hash !== applied.snapshot.hash) {
        await this.#write(applied, texts, 'file', watched.names.join(', '), watched);
      } else if (history.inForce?.source !== 'file') {
        await history.claim('file', watched);
      }
    }).catch((error: unknown) => {
      // The files have it: it is in force, and would be again.
      log.error({ error: describeError(error) }, 'the configuration is in force, but could not be kept in the history');
    });
  }

  #write(
    { snapshot }: Applied,
    files: readonly ConfigText[],
    source: ChangeSource,
    who: string,
    watched: Watched,
  ): Promise<void> {
    const { hash, mesh } = snapshot;
    const entry = { hash, source, who, services: mesh.services.size, edges: mesh.edges.size };
    return this.#options.history.record({ ...entry, time: this.#options.now() }, files, watched);
  }

  #record(work: () => Promise<void>): Promise<void> {
    const record = this.#records.then(work);
    this.#records = record.catch(() => {});
    return record;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const change = this.#changes.then(work);
    this.#changes = change.catch(() => {});
    return change;
  }
}

function watchedOf(texts: readonly ConfigText[]): Watched {
  const names = texts.map(({ name }) => name);
  return { names, hash: sha256Hex(JSON.stringify(texts.map(({ name, text }) => [name, text]))) };
}

function sameWatched(a: Watched, b: Watched): boolean {
  return a.hash === b.hash && a.names.join('\n') === b.names.join('\n');
}

function problemOf({ ruleId, message }: ConfigRefusal, { sources }: ParsedConfig): ConfigError {
  // A map of rule ids is asked for a text that may be none: then it has no entry.
  const place = [...sources].find(([rule]) => rule === ruleId)?.[1] ?? { file: '', line: 1, column: 1 };
  return { ...place, path: ruleId, message, hint: '', severity: 'error' };
}
