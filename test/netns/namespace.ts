// Machines of a test: network namespaces with a hosts file of their own, joined by one link. They need root, and go with
// the processes that hold them: nothing stays on the machine that the test runs on.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';

/** Whoever is not root may read what root may, so that the clone can be anywhere. */
export const [ROOT, SIDECAR, APP] = [0, 15_001, 65_534];

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  output(): string;
}

export interface Machine {
  /** Runs it to its end as this user. */
  run(user: number, command: readonly string[], env?: Readonly<Record<string, string>>): Promise<Output>;
  /** Until the test ends. */
  start(user: number, command: readonly string[], options?: { readonly cwd?: string }): Running;
  /** Lines of its hosts file. */
  hosts(lines: readonly string[]): void;
  readonly pid: number;
}

/** It goes with this process. Fails where this process may not make a namespace; such a test proves nothing elsewhere. */
export async function makeMachine(t: TestContext, folder: string, name: string): Promise<Machine> {
  if (process.getuid?.() !== 0) throw new Error('tests of network namespaces have to run as root');
  const hosts = join(folder, `hosts-${name}`);
  const write = (lines: readonly string[]): void =>
    writeFileSync(hosts, `${['127.0.0.1 localhost', ...lines].join('\n')}\n`);
  write([]);
  chmodSync(hosts, 0o644);
  const script = `mount --bind ${hosts} /etc/hosts && ip link set lo up && echo made && exec cat`;
  const holder = spawn('unshare', ['--net', '--mount', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'pipe'] });
  const held = collect(holder);
  t.after(() => void holder.kill('SIGKILL'));
  await eventually(() => held.output().includes('made') || holder.exitCode !== null);
  if (holder.exitCode !== null) throw new Error(`no network namespace can be made here: ${held.output()}`);
  const pid = holder.pid as number;
  const argv = (user: number, command: readonly string[]): [string, string[]] => {
    const inside = ['--target', String(pid), '--net', '--mount', `--wd=${process.cwd()}`];
    return ['nsenter', [...inside, ...asUser(user), ...command]];
  };
  return {
    pid,
    hosts: write,
    run: (user, command, env = {}) => finish(...argv(user, command), { ...cleanEnvironment(), ...env }),
    start: (user, command, { cwd } = {}) => {
      const [program, args] = argv(user, command);
      const inFolder = cwd === undefined ? args : args.map((arg) => (arg.startsWith('--wd=') ? `--wd=${cwd}` : arg));
      const child = spawn(program, inFolder, { stdio: ['ignore', 'pipe', 'pipe'], env: cleanEnvironment() });
      t.after(() => void child.kill('SIGKILL'));
      return collect(child);
    },
  };
}

/** One link with an address of each family at either end. */
export async function join2(
  near: Machine,
  far: Machine,
  addresses: readonly [readonly string[], readonly string[]],
): Promise<void> {
  await must(near, `ip link add weft0 type veth peer name weft0 netns ${far.pid}`);
  for (const [index, machine] of [near, far].entries()) {
    for (const address of addresses[index] ?? [])
      await must(machine, `ip address add ${address} dev weft0 ${address.includes(':') ? 'nodad' : ''}`);
    await must(machine, 'ip link set weft0 up');
  }
}

async function must(machine: Machine, command: string): Promise<void> {
  const { code, stderr } = await machine.run(ROOT, ['sh', '-c', command]);
  if (code !== 0) throw new Error(`${command}: ${stderr}`);
}

function asUser(user: number): readonly string[] {
  if (user === ROOT) return [];
  const capability = '+dac_read_search';
  return [
    ...['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'],
    ...[`--inh-caps=${capability}`, `--ambient-caps=${capability}`],
  ];
}

function collect(child: ChildProcess): Running {
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return { child, output: () => output };
}

async function finish(program: string, args: readonly string[], env: Record<string, string>): Promise<Output> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { env, timeout: 30_000 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : 255, stdout, stderr };
  }
}

function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !/^WEFT_|_proxy$/i.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']));
}
