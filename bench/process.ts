// Starts the processes of a bench on a given core and reads what they cost from /proc.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** USER_HZ is 100 on every Linux that Node runs on: /proc/PID/stat counts in 10 ms. */
const MS_PER_TICK = 10;

export interface Measured {
  /** User and system time of all threads since the process began, in ms. */
  readonly cpuMs: number;
  /** Resident set, and its private part that no file backs, in MiB. */
  readonly rssMiB: number;
  readonly anonMiB: number;
}

export interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

export interface SubjectSpec {
  readonly name: string;
  readonly core: number;
  readonly port: number;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a process on one core and resolves when its port accepts; throws with its output if it ends first. */
export async function startSubject(spec: SubjectSpec): Promise<Subject> {
  const child = spawn('taskset', ['-c', String(spec.core), ...spec.command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...spec.env },
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const deadline = performance.now() + 20_000;
  while (child.exitCode !== null || !(await accepts(spec.port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${spec.name} did not open port ${spec.port}:\n${output}`);
    }
    await delay(50);
  }
  return { name: spec.name, pid: child.pid as number, port: spec.port, stop: () => stop(child) };
}

export function measure(pid: number): Measured {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields after the command, which may hold spaces: 14 and 15 of proc(5) are utime and stime.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK,
    rssMiB: kib('VmRSS') / 1024,
    anonMiB: kib('RssAnon') / 1024,
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const straggler = setTimeout(() => child.kill('SIGKILL'), 3_000);
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
