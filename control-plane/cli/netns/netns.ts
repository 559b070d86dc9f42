// `weft netns`: puts the packet rules of a container's network namespace in force, shows them or takes them out.
import { spawn } from 'node:child_process';
import { MeshError } from '../../../core/kit/error.ts';
import { exists, isErrno } from '../../../host/files.ts';
import { applyText, checkArguments, hooksOf, removeText, type Hook, type NetnsPlan, type Program } from './plan.ts';

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

/** Rules are in force when it returns. Throws MeshError `netns-refused`. */
export async function applyRules(plan: NetnsPlan, host: NetnsSystem): Promise<void> {
  await forEachProgram(host, (program, called) => applyText(program, plan, called));
}

/** Without effect where there are none. Throws MeshError `netns-refused`. */
export async function removeRules(host: NetnsSystem): Promise<void> {
  await forEachProgram(host, removeText);
}

/** What `applyRules` feeds to which program in a namespace that has no rules yet. */
export function printRules(plan: NetnsPlan): string {
  return (['iptables', 'ip6tables'] as const)
    .map((program) => `# ${program}-restore --noflush\n${applyText(program, plan, new Set())}`)
    .join('');
}

async function forEachProgram(
  host: NetnsSystem,
  textOf: (program: Program, called: ReadonlySet<Hook>) => string,
): Promise<void> {
  const programs: Program[] = (await host.hasIpv6()) ? ['iptables', 'ip6tables'] : ['iptables'];
  for (const program of programs) {
    const called = new Set<Hook>();
    for (const hook of hooksOf(program)) if (await isCalled(program, hook, host.execute)) called.add(hook);
    const text = textOf(program, called);
    if (text === '') continue;
    const { code, stderr } = await run(host.execute, `${program}-restore`, ['-w', '--noflush'], text);
    if (code !== 0) throw refused(`${program}-restore`, stderr);
  }
}

// Whatever else is wrong, such as a missing permission, shows when the rules are set.
async function isCalled(program: Program, hook: Hook, run_: Execute): Promise<boolean> {
  return (await run(run_, program, checkArguments(hook), '')).code === 0;
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
    throw new MeshError('netns-refused', {
      detail: `there is no ${program} here`,
      hint: "use the image's target netns, or install iptables",
      cause,
    });
  }
}

function refused(program: string, stderr: string): MeshError {
  const said = stderr.trim().split('\n')[0] ?? '';
  const forbidden = /permission denied|operation not permitted|must be root/i.test(stderr);
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
