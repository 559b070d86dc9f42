// Between the config source and the snapshot: puts a valid config in force, reports every error of an invalid
// one with its place, and says whether proxies must hear of it.
import type { ParsedConfig } from '../core/config/parse.ts';
import type { ConfigError } from '../core/config/problem.ts';
import { MeshError } from '../core/kit/error.ts';
import type { Log } from '../core/kit/log.ts';
import { problemLine } from './cli/validate.ts';
import type { Counts } from './pages.ts';
import type { SnapshotStore } from './snapshot/snapshot-store.ts';

export interface ConfigIntakeOptions {
  readonly snapshots: SnapshotStore;
  readonly counts: Counts;
  readonly log: Log;
  readonly onChange: () => void;
}

export class ConfigIntake {
  readonly #options: ConfigIntakeOptions;
  /** What was wrong with the last text; '' where nothing was. */
  #trouble = '';

  constructor(options: ConfigIntakeOptions) {
    this.#options = options;
  }

  take(parsed: ParsedConfig): void {
    const { snapshots, log, onChange } = this.#options;
    const applied = snapshots.apply(parsed);
    if (!applied.ok) {
      return this.#refuse(
        applied.error.map(({ ruleId, message, at }) => ({
          line: `${at === '' ? '' : `${at}: `}error: ${ruleId}: ${message}`,
          fields: { path: ruleId },
        })),
      );
    }
    this.#trouble = '';
    for (const warning of parsed.warnings) log.warn(placeOf(warning), problemLine(warning));
    const { snapshot, changed } = applied.value;
    if (!changed) return log.info({ snapshot: snapshot.hash }, 'the edit changes nothing');
    const { services, edges } = snapshot.mesh;
    log.info({ snapshot: snapshot.hash, services: services.size, edges: edges.size }, 'configuration in force');
    onChange();
  }

  refuse(errors: readonly ConfigError[]): void {
    this.#refuse(errors.map((error) => ({ line: problemLine(error), fields: placeOf(error) })));
  }

  #refuse(problems: readonly { readonly line: string; readonly fields: object }[]): void {
    const { snapshots, counts, log } = this.#options;
    counts.invalidConfigs++;
    const [first] = problems;
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    this.#trouble = `${first?.line ?? 'nothing was read'}${more}`;
    for (const { line, fields } of problems) log.error({ code: 'config-invalid', ...fields }, line);
    const kept = snapshots.snapshot?.hash;
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
