// One process of `weft up`: started in a process group of its own, started again when it ends, stopped within a
// bound. What it says and what becomes of it goes to the owner's callbacks.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { type ChildMessage, readChildMessage } from '../../../host/ipc.ts';
import { splitLines } from './lines.ts';
import { RestartDelay } from './restart-delay.ts';

export type Role = 'control-plane' | 'edge' | 'sidecar' | 'app';

export interface ProcessSpec {
  /** Unique together with the role. */
  readonly name: string;
  readonly role: Role;
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Speaks host/ipc.ts, and ends when the channel closes. */
  readonly ipc: boolean;
  /** Ending with 0 is its work done. */
  readonly job: boolean;
}

export interface ProcessEvents {
  onStart(process: Supervised, pid: number): void;
  onLine(process: Supervised, line: string): void;
  onMessage(process: Supervised, message: ChildMessage): void;
  /** `restartIn` ms; null: it stays down, because it was stopped or its job is done. */
  onEnd(process: Supervised, pid: number, how: string, restartIn: number | null): void;
}

export class Supervised {
  readonly spec: ProcessSpec;
  readonly #events: ProcessEvents;
  readonly #delay = new RestartDelay();
  #child: ChildProcess | null = null;
  #startedAt = 0;
  #restart: NodeJS.Timeout | undefined;
  #stopping = false;
  #ended: (() => void)[] = [];

  constructor(spec: ProcessSpec, events: ProcessEvents) {
    this.spec = spec;
    this.#events = events;
  }

  /** Of the running process; null while there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): void {
    if (this.#child !== null || this.#stopping) return;
    const { program, args, cwd, env, ipc } = this.spec;
    this.#startedAt = performance.now();
    // A process group of its own: Ctrl-C in a terminal reaches `weft up` alone, which then stops all in order.
    const child = spawn(program, args, {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    });
    this.#child = child;
    this.#listen(child);
    if (child.pid !== undefined) this.#events.onStart(this, child.pid);
  }

  /** Asks it to stop, and kills its whole group after `grace` ms. Resolves when it is gone; never starts again. */
  async stop(grace: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise<void>((done) => {
      this.#ended.push(done);
    });
    signalGroup(child, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), grace);
    await gone;
    clearTimeout(timer);
  }

  /** For the second Ctrl-C. */
  kill(): void {
    this.#stopping = true;
    clearTimeout(this.#restart);
    if (this.#child !== null) signalGroup(this.#child, 'SIGKILL');
  }

  #listen(child: ChildProcess): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) this.#read(stream);
    }
    child.on('message', (value) => {
      const message = readChildMessage(value);
      if (message !== null) this.#events.onMessage(this, message);
    });
    // Both may come: a program that cannot be started has an error and no exit.
    child.once('error', (error) => this.#onGone(child, `could not be started: ${error.message}`, null));
    child.once('exit', (code, signal) => {
      this.#onGone(child, signal === null ? `ended with ${code ?? 0}` : `was killed by ${signal}`, code);
    });
  }

  #read(stream: Readable): void {
    splitLines(stream, (line) => this.#events.onLine(this, line));
  }

  #onGone(child: ChildProcess, how: string, code: number | null): void {
    if (this.#child !== child) return;
    this.#child = null;
    // What a dead shell or a dead app left running would keep its port.
    signalGroup(child, 'SIGKILL');
    const stays = this.#stopping || (this.spec.job && code === 0);
    const restartIn = stays ? null : this.#delay.next(performance.now() - this.#startedAt);
    this.#events.onEnd(this, child.pid ?? 0, how, restartIn);
    if (restartIn !== null) this.#restart = setTimeout(() => this.start(), restartIn);
    for (const done of this.#ended.splice(0)) done();
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The whole group is gone already.
  }
}
