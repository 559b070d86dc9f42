// Between the watched files and the configuration in force: hands on what is valid, reports every error of what is
// not with its place.
import type { ConfigText, ParsedConfig } from '../core/config/parse.ts';
import type { ConfigError } from '../core/config/problem.ts';
import { MeshError } from '../core/kit/error.ts';
import type { Log } from '../core/kit/log.ts';
import { problemLine } from './cli/validate.ts';
import type { Counts } from './pages.ts';
import type { Changes } from './snapshot/changes.ts';
import type { SnapshotStore } from './snapshot/snapshot-store.ts';

export interface ConfigIntakeOptions {
  readonly snapshots: SnapshotStore;
  readonly changes: Changes;
  readonly counts: Counts;
  readonly log: Log;
}

export class ConfigIntake {
  readonly #options: ConfigIntakeOptions;
  /** What was wrong with the last text; '' where nothing was. */
  #trouble = '';

  constructor(options: ConfigIntakeOptions) {
    this.#options = options;
  }

  /** What is wrong with the files as they are now, in one line; '' where nothing is. */
  get trouble(): string {
    return this.#trouble;
  }

  async take(parsed: ParsedConfig, texts: readonly ConfigText[]): Promise<void> {
    const { changes, log } = this.#options;
    const applied = await changes.fromFiles(parsed, texts);
    if (applied !== null && !applied.ok) {
      this.#report(
        applied.error.map(({ ruleId, message, at }) => ({
          line: `${at === '' ? '' : `${at}: `}error: ${ruleId}: ${message}`,
          fields: { path: ruleId },
        })),
      );
      return this.#goOn(
        texts.map(({ name }) => name),
        texts,
      );
    }
    this.#trouble = '';
    for (const warning of parsed.warnings) log.warn(placeOf(warning), problemLine(warning));
    if (applied === null) return;
    const { snapshot, changed } = applied.value;
    if (!changed) return log.info({ snapshot: snapshot.hash }, 'the edit changes nothing');
    const { services, edges } = snapshot.mesh;
    log.info({ snapshot: snapshot.hash, services: services.size, edges: edges.size }, 'configuration in force');
  }

  /** @param texts null where the files cannot be read */
  async refuse(
    errors: readonly ConfigError[],
    names: readonly string[],
    texts: readonly ConfigText[] | null,
  ): Promise<void> {
    this.#report(errors.map((error) => ({ line: problemLine(error), fields: placeOf(error) })));
    return this.#goOn(names, texts);
  }

  #report(problems: readonly { readonly line: string; readonly fields: object }[]): void {
    const { counts, log } = this.#options;
    counts.invalidConfigs++;
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    this.#trouble = `${first?.line ?? 'nothing was read'}${more}`;
    for (const { line, fields } of problems) log.error({ code: 'config-invalid', ...fields }, line);
  }

  async #goOn(names: readonly string[], texts: readonly ConfigText[] | null): Promise<void> {
    const { snapshots, changes, log } = this.#options;
    const kept = snapshots.snapshot?.hash;
    await changes.fromBrokenFiles(names, texts);
    if (kept !== undefined) log.warn({ snapshot: kept }, 'the edit is not valid, the configuration before it stays');
  }

  /** Throws MeshError `config-invalid` while nothing is in force. */
  requireConfig(): void {
    if (this.#options.snapshots.snapshot !== null) return;
    throw new MeshError('config-invalid', { detail: this.#trouble, hint: 'see `weft validate`' });
  }
}

function placeOf({ file, line, column, path }: ConfigError) {
  return { file, line, column, path };
}
