// The control plane under test, as `weft control-plane` runs it, on a core of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONTROL_PLANE_NODE_FLAGS } from '../../host/node-flags.ts';
import { readChildMessage } from '../../host/ipc.ts';
import { measure, PROXY_CORE } from '../process.ts';
import { BENCH } from '../results.ts';
import type { Folders } from './identities.ts';

export interface ControlPlaneSpec {
  readonly folders: Folders;
  readonly work: string;
  readonly port: number;
  /** The program from its sources, not as it is built. */
  readonly source: boolean;
  /** Folder for a CPU profile; null: none. */
  readonly profile: string | null;
}

/** Until it serves, with 10,000 services to read. */
const START_TIMEOUT = 60_000;

export class ControlPlane {
  readonly #spec: ControlPlaneSpec;
  #child: ChildProcess | null = null;
  #files: readonly string[] = [];

  constructor(spec: ControlPlaneSpec) {
    this.#spec = spec;
  }

  /** Written beside and renamed, as a careful editor does it; only what differs. */
  configure(texts: readonly string[]): void {
    this.#files = texts.map((text, index) => {
      const file = join(this.#spec.work, `weft-${index}.yaml`);
      if (textOf(file) === text) return file;
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
      return file;
    });
  }

  /** Resolves once it serves. */
  async start(): Promise<void> {
    const { folders, port, source, profile, work } = this.#spec;
    const main = source ? join('..', 'control-plane', 'main.ts') : join('..', 'dist', 'control-plane.js');
    const settings = ['--ca-dir', folders.ca, '--state-dir', folders.state, '--discovery', `127.0.0.1:${port}`];
    const ports = ['--join', '127.0.0.1:0', '--status', '127.0.0.1:0', '--log-level', 'warn'];
    const flags = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    const command = [
      process.execPath,
      ...CONTROL_PLANE_NODE_FLAGS,
      ...flags,
      join(BENCH, main),
      ...settings,
      ...ports,
      ...this.#files,
    ];
    const log = openSync(join(work, 'control-plane.log'), 'a');
    const child = spawn('taskset', ['-c', String(PROXY_CORE), ...command], { stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    this.#child = child;
    await new Promise<void>((done, fail) => {
      const late = setTimeout(() => fail(new Error(`no control plane:\n${this.#tail()}`)), START_TIMEOUT);
      child.once('exit', () => {
        clearTimeout(late);
        fail(new Error(`the control plane ended:\n${this.#tail()}`));
      });
      child.on('message', (message) => {
        if (readChildMessage(message)?.kind !== 'ready') return;
        clearTimeout(late);
        done();
      });
    });
  }

  get #pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('there is no control plane');
    return pid;
  }

  cpuMs(): number {
    return measure(this.#pid).cpuMs;
  }

  rssMiB(): number {
    return measure(this.#pid).rssMiB;
  }

  /** The most that it ever had. Source: VmHWM of proc(5). */
  peakMiB(): number {
    const kib = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? Number.NaN) / 1024;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    const straggler = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(straggler);
  }

  #tail(): string {
    return textOf(join(this.#spec.work, 'control-plane.log')).slice(-2_000);
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
