// The running mesh of `weft up`: starts its processes in order, keeps them up, follows edits of the config, stops them
// in order. Who writes to the terminal and to `.weft/up.json` is told through callbacks.
import type { ChildMessage, FailedMessage } from '../../../host/ipc.ts';
import { AppGate } from './app-gate.ts';
import { awaitPort, type PortWait } from './await-port.ts';
import type { Launcher } from './launch.ts';
import { compareInstances, type InstancePlan, type MeshPlan } from './plan.ts';
import { Readiness } from './readiness.ts';
import { type ProcessEvents, type ProcessSpec, Supervised } from './supervised.ts';

export interface MeshRunOptions {
  readonly launcher: Launcher;
  /** A fresh single-use join token. */
  readonly createToken: (holder: TokenHolder) => Promise<string>;
  readonly events: MeshRunEvents;
}

export interface TokenHolder {
  readonly account: string;
  readonly version: string | null;
  readonly instance: string;
}

export interface MeshRunEvents {
  onLine(process: Supervised, line: string): void;
  onStart(process: Supervised, pid: number): void;
  /** It does its work now; `detail` is where it listens, or ''. */
  onUp(process: Supervised, detail: string): void;
  onEnd(process: Supervised, pid: number, how: string, restartIn: number | null): void;
  /** A process of Weft said why it is about to end. */
  onFailed(process: Supervised, message: FailedMessage): void;
  /** What is missing may have changed. */
  onChange(): void;
}

// Longer than the proxies' own drain; what is left then is killed.
const GRACE = { app: 3_000, proxy: 3_000, controlPlane: 2_000 };
/** For a sidecar whose callers are told before its app is stopped. */
const LEAVING = 5_000;

export class MeshRun {
  readonly readiness = new Readiness();
  readonly #options: MeshRunOptions;
  readonly #events: ProcessEvents;
  #plan: MeshPlan;
  #controlPlane: Supervised | null = null;
  readonly #edges = new Map<string, Supervised>();
  readonly #sidecars = new Map<string, Supervised>();
  readonly #apps = new Map<string, Supervised>();
  readonly #waits = new Map<string, PortWait>();
  /** Instances whose callers are being told; called when that is done. */
  readonly #leaving = new Map<string, () => void>();
  readonly #gate = new AppGate(this.readiness, (name) => void this.#startApp(name));
  #controlPlaneReady: (() => void) | null = null;
  #stopping = false;

  constructor(options: MeshRunOptions, plan: MeshPlan) {
    this.#options = options;
    this.#plan = plan;
    this.#events = {
      onStart: (process, pid) => this.#onStart(process, pid),
      onLine: (process, line) => options.events.onLine(process, line),
      onMessage: (process, message) => this.#onMessage(process, message),
      onEnd: (process, pid, how, restartIn) => this.#onEnd(process, pid, how, restartIn),
    };
  }

  get plan(): MeshPlan {
    return this.#plan;
  }

  /** Those that run now, the control plane first. */
  processes(): readonly Supervised[] {
    const all = [this.#controlPlane, ...this.#edges.values(), ...this.#sidecars.values(), ...this.#apps.values()];
    return all.filter((process) => process !== null && process.pid !== null) as Supervised[];
  }

  missing(): readonly string[] {
    return this.readiness.missing(this.#plan);
  }

  /** Resolves once everything was started that can start; apps follow when their sidecars are ready. */
  async start(): Promise<void> {
    const controlPlane = new Supervised(await this.#options.launcher.controlPlane(), this.#events);
    this.#controlPlane = controlPlane;
    const ready = new Promise<void>((done) => {
      this.#controlPlaneReady = done;
    });
    controlPlane.start();
    await ready;
    for (const name of this.#plan.edges.keys()) await this.#startEdge(name);
    for (const instance of this.#plan.instances.values()) await this.#startInstance(instance);
  }

  /** Goes from the plan in force to another one; what stays the same is not touched. */
  async apply(plan: MeshPlan): Promise<void> {
    if (this.#stopping) return;
    const { removed, added, changed } = compareInstances(this.#plan.instances, plan.instances);
    const goneEdges = [...this.#edges.keys()].filter((name) => !plan.edges.has(name));
    this.#plan = plan;
    await Promise.all([...removed, ...changed].map((name) => this.#stopInstance(name)));
    await Promise.all(goneEdges.map((name) => this.#stopOne(this.#edges, name, GRACE.proxy)));
    for (const name of plan.edges.keys()) if (!this.#edges.has(name)) await this.#startEdge(name);
    for (const name of [...added, ...changed]) {
      const instance = plan.instances.get(name);
      if (instance !== undefined) await this.#startInstance(instance);
    }
    this.#changed();
  }

  /** Apps first, so that they can still call; then proxies, then the control plane. */
  async stop(): Promise<void> {
    this.#stopping = true;
    // Whoever still waits in start() for a control plane that never came goes on, and starts nothing.
    this.#controlPlaneReady?.();
    this.#gate.close();
    for (const name of this.#waits.keys()) this.#endWait(name);
    await stopAll(this.#apps.values(), GRACE.app);
    await stopAll([...this.#edges.values(), ...this.#sidecars.values()], GRACE.proxy);
    await this.#controlPlane?.stop(GRACE.controlPlane);
  }

  /** All at once, without asking. */
  kill(): void {
    this.#stopping = true;
    for (const process of this.processes()) process.kill();
  }

  async #startEdge(name: string): Promise<void> {
    if (this.#stopping) return;
    const account = `edge-${name}`;
    const token = await this.#options.createToken({ account, version: null, instance: account });
    this.#run(
      this.#edges,
      name,
      await this.#options.launcher.edge(name, this.#plan.edges.get(name)?.workers ?? 1, token),
    );
  }

  async #startInstance(instance: InstancePlan): Promise<void> {
    if (this.#stopping) return;
    const { name, service, version } = instance;
    const token = await this.#options.createToken({ account: service, version, instance: name });
    this.#run(this.#sidecars, name, await this.#options.launcher.sidecar(instance, token));
  }

  async #startApp(name: string): Promise<void> {
    const instance = this.#plan.instances.get(name);
    if (instance === undefined || instance.run === null || this.#apps.has(name) || this.#stopping) return;
    const spec = await this.#options.launcher.app(instance);
    if (!this.#stopping && !this.#apps.has(name)) this.#run(this.#apps, name, spec);
  }

  #run(group: Map<string, Supervised>, name: string, spec: ProcessSpec): void {
    if (this.#stopping) return;
    const process = new Supervised(spec, this.#events);
    group.set(name, process);
    process.start();
  }

  async #stopInstance(name: string): Promise<void> {
    this.#gate.drop(name);
    this.#endWait(name);
    // Callers first: the app ends when nobody is sent to it any more, and may call until then.
    const left = Promise.withResolvers<void>();
    this.#leaving.set(name, left.resolve);
    const late = setTimeout(left.resolve, LEAVING);
    const stopped = this.#stopOne(this.#sidecars, name, LEAVING + GRACE.app);
    await Promise.race([left.promise, stopped]);
    clearTimeout(late);
    this.#leaving.delete(name);
    await this.#stopOne(this.#apps, name, GRACE.app);
    await stopped;
  }

  async #stopOne(group: Map<string, Supervised>, name: string, grace: number): Promise<void> {
    const process = group.get(name);
    await process?.stop(grace);
    if (group.get(name) === process) group.delete(name);
  }

  #onStart(process: Supervised, pid: number): void {
    const { events } = this.#options;
    events.onStart(process, pid);
    if (process.spec.role === 'app') void this.#watchApp(process);
  }

  async #watchApp(process: Supervised): Promise<void> {
    const { name } = process.spec;
    const instance = this.#plan.instances.get(name);
    this.#endWait(name);
    if (instance === undefined || instance.port === null) return;
    const port = await this.#options.launcher.appPort(instance);
    const wait = awaitPort('127.0.0.1', port, () => {
      this.readiness.noteApp(name, true);
      this.#options.events.onUp(process, `127.0.0.1:${port}`);
      this.#changed();
    });
    this.#waits.set(name, wait);
  }

  #endWait(name: string): void {
    this.#waits.get(name)?.close();
    this.#waits.delete(name);
    this.readiness.noteApp(name, false);
  }

  #onMessage(process: Supervised, message: ChildMessage): void {
    const { role, name } = process.spec;
    const { events } = this.#options;
    if (message.kind === 'left') return this.#leaving.get(name)?.();
    if (message.kind === 'failed') events.onFailed(process, message);
    if (role === 'control-plane') {
      if (message.kind !== 'ready') return;
      events.onUp(process, '');
      this.#controlPlaneReady?.();
      return;
    }
    const wasReady = this.readiness.isReady(name);
    this.readiness.note(name, message);
    if (message.kind === 'ready' && !wasReady) {
      events.onUp(process, '');
      if (role === 'sidecar') this.#gate.wait(name);
    }
    this.#changed();
  }

  #onEnd(process: Supervised, pid: number, how: string, restartIn: number | null): void {
    const { role, name } = process.spec;
    if (role === 'app') this.#endWait(name);
    else this.readiness.noteProxyGone(name);
    this.#options.events.onEnd(process, pid, how, restartIn);
    this.#changed();
  }

  #changed(): void {
    this.#gate.check(this.#plan);
    this.#options.events.onChange();
  }
}

async function stopAll(processes: Iterable<Supervised>, grace: number): Promise<void> {
  await Promise.all([...processes].map((process) => process.stop(grace)));
}
