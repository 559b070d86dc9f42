// `weft netns`: puts the packet rules of a network namespace in force, shows them or takes them out, by iptables or nftables.
import { spawn } from 'node:child_process';
import { MeshError } from '../../../core/kit/error.ts';
import { exists, isErrno } from '../../../host/files.ts';
import { applyText, checkArguments, HOOKS, type Hook, type Program, removeText } from './iptables.ts';
import { REMOVE, tableText } from './nftables.ts';
import type { NetnsPlan } from './plan.ts';

export const BACKENDS = ['iptables', 'nftables'] as const;
export type Backend = (typeof BACKENDS)[number];

/** Runs a program to its end with `input` on its stdin. Rejects with ENOENT where there is no such program. */
export type Execute = (
  program: string,
  args: readonly string[],
  input: string,
) => Promise<{ readonly code: number | null; readonly stderr: string }>;

export interface NetnsSystem {
  readonly execute: Execute;
  /** A kernel without IPv6 has nothing to guard there. */
  hasIpv6(): Promise<boolean>;
}

export const system: NetnsSystem = { execute, hasIpv6: () => exists('/proc/net/if_inet6') };

/**
 * Rules are in force when it returns, and none of Weft's but these. Throws MeshError `netns-refused`.
 *
 * @param backend null: the one that is installed, iptables where both are
 */
export async function applyRules(plan: NetnsPlan, host: NetnsSystem, backend: Backend | null = null): Promise<Backend> {
  const installed = await installedBackends(host);
  const chosen = backend ?? installed[0] ?? 'iptables';
  if (!installed.includes(chosen))
    throw missing(backend === null ? 'neither iptables nor nft' : `no ${PROGRAMS[chosen]}`);
  if (chosen === 'nftables') await restore(host, 'nft', ['--file', '-'], tableText(plan));
  else await forEachProgram(host, (program, called) => applyText(program, plan, called));
  // Only now: at no moment are there none.
  for (const other of installed) if (other !== chosen) await removeOf(other, host);
  return chosen;
}

/** Whichever program set them; without effect where there are none. Throws MeshError `netns-refused`. */
export async function removeRules(host: NetnsSystem): Promise<void> {
  const installed = await installedBackends(host);
  if (installed.length === 0) throw missing('neither iptables nor nft');
  for (const backend of installed) await removeOf(backend, host);
}

/** What `applyRules` feeds to which program in a namespace that has no rules yet. */
export function printRules(plan: NetnsPlan, backend: Backend | null = null): string {
  if (backend === 'nftables') return `# nft --file -\n${tableText(plan)}`;
  return (['iptables', 'ip6tables'] as const)
    .map((program) => `# ${program}-restore --noflush\n${applyText(program, plan, new Set())}`)
    .join('');
}

const PROGRAMS: Readonly<Record<Backend, string>> = { iptables: 'iptables', nftables: 'nft' };

async function installedBackends({ execute: run }: NetnsSystem): Promise<readonly Backend[]> {
  const found: Backend[] = [];
  for (const backend of BACKENDS) {
    try {
      await run(PROGRAMS[backend], ['--version'], '');
      found.push(backend);
    } catch (cause) {
      if (!isErrno(cause, 'ENOENT')) throw cause;
    }
  }
  return found;
}

async function removeOf(backend: Backend, host: NetnsSystem): Promise<void> {
  if (backend === 'iptables') return forEachProgram(host, (_program, called) => removeText(called));
  // Asked first: kernels without nftables say no as well.
  const there = await isThere(host, 'nft', ['list', 'table', 'inet', 'weft']);
  if (there) await restore(host, 'nft', ['--file', '-'], REMOVE);
}

async function forEachProgram(
  host: NetnsSystem,
  textOf: (program: Program, called: ReadonlySet<Hook>) => string,
): Promise<void> {
  const programs: Program[] = (await host.hasIpv6()) ? ['iptables', 'ip6tables'] : ['iptables'];
  for (const program of programs) {
    const called = new Set<Hook>();
    for (const hook of HOOKS) if (await isThere(host, program, checkArguments(hook))) called.add(hook);
    const text = textOf(program, called);
    if (text !== '') await restore(host, `${program}-restore`, ['-w', '--noflush'], text);
  }
}

async function restore(host: NetnsSystem, program: string, args: readonly string[], text: string): Promise<void> {
  const { code, stderr } = await run(host.execute, program, args, text);
  if (code !== 0) throw refused(program, stderr);
}

/** Who may not look knows nothing, least of all that there is nothing to remove. Throws MeshError `netns-refused`. */
async function isThere(host: NetnsSystem, program: string, args: readonly string[]): Promise<boolean> {
  const { code, stderr } = await run(host.execute, program, args, '');
  if (code !== 0 && FORBIDDEN.test(stderr)) throw refused(program, stderr);
  return code === 0;
}

async function run(
  executeProgram: Execute,
  program: string,
  args: readonly string[],
  input: string,
): ReturnType<Execute> {
  try {
    return await executeProgram(program, args, input);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw cause;
    throw missing(`no ${program}`, cause);
  }
}

const FORBIDDEN = /permission denied|operation not permitted|must be root/i;

function missing(what: string, cause?: unknown): MeshError {
  const hint = "use the image's target netns, or install iptables or nftables";
  return new MeshError('netns-refused', { detail: `there is ${what} here`, hint, cause });
}

function refused(program: string, stderr: string): MeshError {
  const said = stderr.trim().split('\n')[0] ?? '';
  const forbidden = FORBIDDEN.test(stderr);
  return new MeshError('netns-refused', {
    detail: said.startsWith(program) ? said : `${program}: ${said}`,
    hint: forbidden ? 'it has to run as root with NET_ADMIN: `user: root`, `cap_add: [NET_ADMIN]`' : '',
  });
}

function execute(program: string, args: readonly string[], input: string): ReturnType<Execute> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < 4096) stderr += chunk;
    });
    child.once('error', fail);
    child.once('close', (code) => done({ code, stderr }));
    // EPIPE of a program that ends without reading is told by its exit code.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
