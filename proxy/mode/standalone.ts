// An edge without a control plane: the same YAML, compiled in this process, read again when it changes.
// Only services with static `endpoints` can be reached, as there is no mesh to join.
import { readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { compileSnapshot } from '../../core/compile/snapshot.ts';
import { viewFor } from '../../core/compile/view.ts';
import type { ConfigError } from '../../core/config/problem.ts';
import { type ConfigParser, createConfigParser } from '../../core/config/parse.ts';
import { describeError, MeshError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import { edgeAccount } from '../../core/model/brand.ts';
import type { Mesh } from '../../core/model/mesh.ts';
import type { View } from '../../core/model/view.ts';
import { fileDetail } from '../../host/files.ts';
import { type FileWatch, watchFiles } from '../../host/watch.ts';

export interface StandaloneOptions {
  readonly file: string;
  /** Null: the only edge of the file. */
  readonly edge: string | null;
  readonly log: Log;
  /** Takes all of a view or none of it. */
  apply(view: View): Promise<Result<void, { readonly message: string }>>;
}

export interface StandaloneView {
  readonly edge: string;
  readonly trustDomain: string;
  /** As the file says. */
  readonly workers: number;
  readonly view: View;
}

/** Milliseconds of quiet before an edited file is read. */
const DEBOUNCE = 50;

export class Standalone {
  readonly #options: StandaloneOptions;
  readonly #parse: ConfigParser = createConfigParser();
  #watch: FileWatch | null = null;
  #running: string | null = null;
  #busy = Promise.resolve();

  constructor(options: StandaloneOptions) {
    this.#options = options;
  }

  /** Reads and compiles the file. Throws MeshError `config-invalid` with every error on a line of its own. */
  async load(): Promise<StandaloneView> {
    const { file, edge } = this.#options;
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new MeshError('file-unreadable', {
        detail: fileDetail(file, cause),
        hint: 'name the file after --standalone',
        cause,
      });
    });
    const parsed = this.#parse([{ name: file, text }]);
    if (!parsed.ok) throw invalid(parsed.error);
    for (const warning of parsed.value.warnings) this.#options.log.warn({ at: placeOf(warning) }, warning.message);
    const name = edgeOf(parsed.value.mesh, edge, file);
    const view = compileFor(parsed.value.mesh, name);
    if (!view.ok) throw view.error;
    const { trustDomain, edges } = parsed.value.mesh;
    return { edge: name, trustDomain, workers: edges.get(name)?.workers ?? 1, view: view.value };
  }

  /** Follows edits of the file; `current` is the view that runs. */
  async start(current: View): Promise<void> {
    this.#running = current.snapshot;
    const reload = (): void => {
      this.#busy = this.#busy.then(() => this.#reload());
    };
    this.#watch = await watchFiles([this.#options.file], reload, { debounce: DEBOUNCE });
  }

  close(): void {
    this.#watch?.close();
  }

  async #reload(): Promise<void> {
    const { log } = this.#options;
    try {
      const { view } = await this.load();
      if (view.snapshot === this.#running) return;
      const applied = await this.#options.apply(view);
      if (!applied.ok) {
        log.error({ error: applied.error.message }, 'the edited configuration was not taken; the old one runs on');
        return;
      }
      this.#running = view.snapshot;
      log.info({ snapshot: view.snapshot }, 'configuration reloaded');
    } catch (error) {
      log.error({ error: describeError(error) }, 'the edited configuration is not valid; the old one runs on');
    }
  }
}

function edgeOf(mesh: Mesh, wanted: string | null, file: string): string {
  const names = [...mesh.edges.keys()];
  if (wanted !== null) {
    if (mesh.edges.has(wanted)) return wanted;
    throw new MeshError('config-invalid', { detail: `${file} has no edge ${wanted}`, hint: `it has ${listed(names)}` });
  }
  const [only] = names;
  if (only === undefined) {
    throw new MeshError('config-invalid', { detail: `${file} has no edge`, hint: 'add one under `edges`' });
  }
  if (names.length === 1) return only;
  throw new MeshError('config-invalid', { detail: `${file} has ${listed(names)}`, hint: 'choose one by --edge NAME' });
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : `the edges ${names.join(', ')}`;
}

function compileFor(mesh: Mesh, edge: string): Result<View, MeshError> {
  const snapshot = compileSnapshot(mesh, (text) => createHash('sha256').update(text).digest('hex'));
  if (!snapshot.ok) {
    return err(new MeshError('config-invalid', { detail: snapshot.error.map(({ message }) => message).join('; ') }));
  }
  const view = viewFor(snapshot.value, edgeAccount(edge), () => []);
  if (view === null) return err(new MeshError('config-invalid', { detail: `there is no edge ${edge}` }));
  for (const cluster of view.clusters.values()) {
    if (cluster.kind === 'static') continue;
    return err(
      new MeshError('config-invalid', {
        detail: `services.${cluster.service} has no \`endpoints\`, and a standalone edge has no mesh to find it in`,
        hint: `add \`endpoints: [127.0.0.1:PORT]\` to services.${cluster.service}, or run \`weft up\``,
      }),
    );
  }
  return ok(view);
}

function invalid(errors: readonly ConfigError[]): MeshError {
  const lines = errors.map(
    (error) => `${placeOf(error)}: ${error.message}${error.hint === '' ? '' : ` (${error.hint})`}`,
  );
  return new MeshError('config-invalid', { detail: lines.join('; ') });
}

function placeOf({ file, line, column }: ConfigError): string {
  return `${file}:${line}:${column}`;
}
