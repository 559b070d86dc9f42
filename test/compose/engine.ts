// The Docker engine that the environment names: its commands, and looks from outside at what runs in it.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BASE = 'node:24-bookworm-slim';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `docker …` to its end, whatever becomes of it. Rejects where there is no such program. */
export function tryDocker(args: readonly string[], env: NodeJS.ProcessEnv = {}, timeout = 300_000): Promise<Ran> {
  return new Promise((done, fail) => {
    const options = { cwd: ROOT, env: { ...process.env, ...env }, timeout, maxBuffer: 64 * 1024 * 1024 };
    execFile('docker', args, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code === 'string') fail(error);
      else done({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

/** Its stdout, trimmed; throws with what it said where it fails. */
export async function docker(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, stdout, stderr } = await tryDocker(args, env);
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: exit code ${code}\n${stdout}\n${stderr}`);
  return stdout.trim();
}

/** There is no skipping: whoever runs these tests has an engine, or they fail with this line. */
export async function requireEngine(): Promise<void> {
  const { code, stderr } = await tryDocker(['compose', 'version']).catch((error: Error) => ({
    code: 1,
    stderr: error.message,
  }));
  const reached = code === 0 ? await tryDocker(['version']) : { code, stderr };
  if (reached.code === 0) return;
  throw new Error(
    `these tests need a Docker engine with Compose v2 (see docs/containers.md): ${reached.stderr.trim()}`,
  );
}

/** SIGKILL from outside, as the kernel or an operator would: `docker kill` counts as a wish, and keeps it down. */
export async function crash(container: string): Promise<void> {
  const pid = await docker(['inspect', '-f', '{{.State.Pid}}', container]);
  if (!/^[1-9]\d*$/.test(pid)) throw new Error(`${container} does not run`);
  const script = `process.kill(${pid}, 'SIGKILL')`;
  await docker(['run', '--rm', '--pid=host', '--cap-add=KILL', BASE, 'node', '-e', script]);
}

const CONNECT = `
const [host, port, family] = process.argv.slice(1);
const socket = require('node:net').connect({ host, port: Number(port), family: Number(family) });
const end = (word) => { console.log(word); process.exit(); };
socket.once('connect', () => end('connected'));
socket.once('error', (error) => end(error.code));
setTimeout(() => end('no answer'), 2500);
`;

/** What a stranger in the same network meets at this port: `connected`, `no answer`, or an error's code. */
export function connectFrom(network: string, host: string, port: number, family: 4 | 6): Promise<string> {
  const command = ['node', '-e', CONNECT, host, String(port), String(family)];
  return docker(['run', '--rm', '--network', network, BASE, ...command]);
}

/** Runs `weft netns …` in a container's network namespace, with NET_ADMIN and nothing else. */
export function netnsIn(container: string, ...args: readonly string[]): Promise<string> {
  const rights = ['--network', `container:${container}`, '--cap-drop=ALL', '--cap-add=NET_ADMIN', '--read-only'];
  return docker(['run', '--rm', ...rights, 'weft:netns', 'netns', ...args]);
}

/** Weft's rules in a container's network namespace, in the words of `iptables -S`. */
export async function rulesIn(container: string): Promise<string[]> {
  const run = ['run', '--rm', '--network', `container:${container}`, '--cap-add=NET_ADMIN', '--entrypoint'];
  const script = 'for t in iptables ip6tables "iptables -t nat"; do $t -S; done';
  const all = await docker([...run, 'sh', 'weft:netns', '-c', script]);
  return all.split('\n').filter((line) => line.includes('WEFT_'));
}
