// Tells the user and `.weft/up.json` how `weft up` fares: a line when a process is up, when one ends and comes back,
// what is still missing, then the URLs to try and "ready".
import type { Mesh } from '../../../core/model/mesh.ts';
import type { FailedMessage } from '../../../host/ipc.ts';
import type { Console } from './console.ts';
import type { MeshRun, MeshRunEvents } from './mesh-run.ts';
import type { OrphanGuard } from './orphan-guard.ts';
import { planMesh } from './plan.ts';
import type { Supervised } from './supervised.ts';
import { removeUpFile, writeUpFile } from './up-file.ts';
import { baseUrl, type ListenerUrl, listenerUrls, mainUrl, sampleCommands } from './urls.ts';

export interface ReporterOptions {
  readonly screen: Console;
  readonly guard: OrphanGuard;
  /** `.weft`, absolute. */
  readonly stateDir: string;
  readonly caFile: string;
}

// After that long without "ready" it says what is missing, and again as often.
const PATIENCE = 15_000;

export class Reporter implements MeshRunEvents {
  /** Resolves with why nothing works: the control plane or an edge could not begin. */
  readonly fatal: Promise<Error>;
  readonly #options: ReporterOptions;
  #fail: (error: Error) => void = () => {};
  #run: MeshRun | null = null;
  #mesh: Mesh | null = null;
  #impatience: NodeJS.Timeout | undefined;
  #announced = false;
  #urls: ReadonlySet<string> = new Set();
  #ended = false;
  /** Writes of up.json and edits, one after the other. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.fatal = new Promise((done) => {
      this.#fail = done;
    });
  }

  /** Starts the mesh; edits wait until everything was started once. */
  begin(run: MeshRun, mesh: Mesh): void {
    this.#run = run;
    this.#mesh = mesh;
    for (const { name, run: command, port } of run.plan.instances.values()) {
      if (command === null && port !== null) {
        this.#say(`${name} has no "run": its app is expected on 127.0.0.1:${port}`);
      }
    }
    this.#impatience = setInterval(() => this.#sayMissing(), PATIENCE);
    this.#enqueue(() => run.start().catch(this.#fail));
  }

  /** A valid config, at start and after each edit. */
  edit(mesh: Mesh): void {
    const run = this.#run;
    if (run === null || this.#ended) return;
    if (mesh.trustDomain !== this.#mesh?.trustDomain) {
      this.#say('mesh.trustDomain has changed: stop and start `weft up` to use it');
      return;
    }
    this.#mesh = mesh;
    this.#enqueue(async () => {
      await run.apply(planMesh(mesh));
      await this.#writeFile();
    });
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#impatience);
    await this.#queue;
    await removeUpFile(this.#options.stateDir);
  }

  onLine(process: Supervised, line: string): void {
    this.#options.screen.line(labelOf(process), line);
  }

  onStart(process: Supervised, pid: number): void {
    if (process.spec.role === 'app') this.#options.guard.add(pid);
    if (this.#announced) this.#enqueue(() => this.#writeFile());
  }

  onUp(process: Supervised, detail: string): void {
    this.#say(`${labelOf(process)} is up (pid ${process.pid ?? '-'}${detail === '' ? '' : `, ${detail}`})`);
  }

  onEnd(process: Supervised, pid: number, how: string, restartIn: number | null): void {
    const { role } = process.spec;
    if (role === 'app') this.#options.guard.remove(pid);
    if (this.#ended) return;
    if (restartIn !== null) this.#say(`${labelOf(process)} ${how}; it starts again in ${restartIn / 1_000} s`);
    else if (process.spec.job) this.#say(`${labelOf(process)} ${how}: its work is done`);
    if (this.#announced) this.#enqueue(() => this.#writeFile());
  }

  onFailed(process: Supervised, message: FailedMessage): void {
    const { role } = process.spec;
    // Later on, a failed process is simply started again.
    if (this.#announced || role === 'sidecar' || role === 'app') return;
    this.#fail(new Error(`${process.spec.name}: ${message.message}`));
  }

  onChange(): void {
    const run = this.#run;
    if (run === null || this.#ended) return;
    if (this.#announced) this.#followUrls(run);
    if (this.#announced || run.missing().length > 0) return;
    this.#announced = true;
    clearInterval(this.#impatience);
    this.#enqueue(async () => {
      await this.#writeFile();
      this.#announce(run);
    });
  }

  #announce(run: MeshRun): void {
    const edges = [...run.plan.edges.values()];
    const urls = listenerUrls(edges, run.readiness);
    this.#sayUrls(urls);
    const base = baseUrl(urls);
    if (base !== undefined) {
      const samples = sampleCommands(edges, base, this.#options.caFile);
      if (samples.length > 0) this.#say('try:');
      for (const command of samples) this.#say(`  ${command}`);
    }
    this.#say('ready');
  }

  /** An edit moved a listener, or an edge on port 0 was started again. */
  #followUrls(run: MeshRun): void {
    const urls = listenerUrls(run.plan.edges.values(), run.readiness);
    const listeners = [...run.plan.edges.values()].reduce((sum, edge) => sum + edge.listeners.length, 0);
    if (urls.length < listeners || urls.every(({ url }) => this.#urls.has(url))) return;
    this.#sayUrls(urls);
    this.#enqueue(() => this.#writeFile());
  }

  #sayUrls(urls: readonly ListenerUrl[]): void {
    for (const { url } of urls) if (!this.#urls.has(url)) this.#say(`listening on ${url}`);
    this.#urls = new Set(urls.map(({ url }) => url));
  }

  #sayMissing(): void {
    const missing = this.#run?.missing() ?? [];
    for (const what of missing.slice(0, 5)) this.#say(`not ready: ${what}`);
    if (missing.length > 5) this.#say(`not ready: and ${missing.length - 5} more`);
  }

  async #writeFile(): Promise<void> {
    const run = this.#run;
    if (run === null || this.#ended || !this.#announced) return;
    const { stateDir, caFile } = this.#options;
    await writeUpFile(stateDir, {
      edge: mainUrl(listenerUrls(run.plan.edges.values(), run.readiness)),
      ca: caFile,
      processes: run.processes().map(({ spec, pid }) => ({ name: spec.name, role: spec.role, pid: pid ?? 0 })),
    });
  }

  #enqueue(task: () => Promise<void>): void {
    this.#queue = this.#queue.then(task).catch((error: unknown) => {
      this.#say(error instanceof Error ? error.message : String(error));
    });
  }

  #say(text: string): void {
    this.#options.screen.say(text);
  }
}

/** `orders-v1-1` is the app; its sidecar is `orders-v1-1 sidecar`. */
function labelOf({ spec }: Supervised): string {
  return spec.role === 'sidecar' ? `${spec.name} sidecar` : spec.name;
}
