// Starts the processes of a bench on a given core and reads what they cost from /proc.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** The proxy, or the pair of proxies, under test has core 0 to itself; load and upstream share core 1. */
export const PROXY_CORE = 0;
export const LOAD_CORE = 1;

/** USER_HZ is 100 on every Linux that Node runs on: /proc/PID/stat counts in 10 ms. */
const MS_PER_TICK = 10;

export interface Measured {
  /** User and system time of all threads since the process began, in ms. */
  readonly cpuMs: number;
  /** Resident set, and its private part that no file backs, in MiB. */
  readonly rssMiB: number;
  readonly anonMiB: number;
  /** The part that files back: programs and libraries, shared between processes. */
  readonly fileMiB: number;
}

export interface Subject {
  readonly name: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface SubjectSpec {
  readonly name: string;
  readonly core: number;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** It is up when this port accepts, or when `ready` says so. */
  readonly port?: number;
  readonly ready?: () => boolean;
}

/** Starts a process on one core and resolves when it is up; throws with its output if it ends first. */
export async function startSubject(spec: SubjectSpec): Promise<Subject> {
  const child = spawn('taskset', ['-c', String(spec.core), ...spec.command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...spec.env },
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const up = async (): Promise<boolean> => (spec.port === undefined ? (spec.ready?.() ?? true) : accepts(spec.port));
  const deadline = performance.now() + 30_000;
  while (child.exitCode !== null || !(await up())) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${spec.name} did not come up:\n${output}`);
    }
    await delay(50);
  }
  return { name: spec.name, pid: child.pid as number, stop: () => stop(child) };
}

/** What a load generator printed; it is ended when it takes half a minute longer than it should. */
export function runOnLoadCore(command: readonly string[], seconds: number): Promise<string> {
  const options = { maxBuffer: 16 * 1024 * 1024, timeout: seconds * 1_000 + 30_000, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve, reject) => {
    const child = execFile('taskset', ['-c', String(LOAD_CORE), ...command], options, (error, stdout, stderr) => {
      generators.delete(child);
      if (error === null) resolve(stdout);
      else reject(new Error(`${command[0]} failed: ${error.message}\n${stderr}`));
    });
    generators.add(child);
  });
}

const generators = new Set<ChildProcess>();

export function stopGenerators(): void {
  for (const child of generators) child.kill('SIGKILL');
}

/** ms that core PROXY_CORE spent in programs and kernel since it started, interrupts left out. */
export function coreBusyMs(): number {
  const line = new RegExp(`^cpu${PROXY_CORE} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '';
  // proc(5): user, nice, system.
  return line
    .split(' ')
    .slice(0, 3)
    .reduce((sum, ticks) => sum + Number(ticks) * MS_PER_TICK, 0);
}

/** Sums over the process and all that it started: a master and its workers are one proxy. */
export function measure(pid: number): Measured {
  return family(pid)
    .map(measureOne)
    .reduce((a, b) => ({
      cpuMs: a.cpuMs + b.cpuMs,
      rssMiB: a.rssMiB + b.rssMiB,
      anonMiB: a.anonMiB + b.anonMiB,
      fileMiB: a.fileMiB + b.fileMiB,
    }));
}

function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((word) => word !== '');
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

function measureOne(pid: number): Measured {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields after the command, which may hold spaces: 14 and 15 of proc(5) are utime and stime.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    rssMiB: kib('VmRSS') / 1024,
    anonMiB: kib('RssAnon') / 1024,
    fileMiB: (kib('RssFile') + kib('RssShmem')) / 1024,
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const straggler = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(straggler);
}

/** A loopback port that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  // A listening TCP server's address is never a string or null.
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
