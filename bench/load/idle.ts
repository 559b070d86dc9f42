// Idle connections, held by a process on the load core.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE } from '../process.ts';

const MAIN = fileURLToPath(new URL('./idle-main.ts', import.meta.url));
const PATIENCE = 60_000;

export interface HeldConnections {
  readonly count: number;
  /** Closes them; how many the other side had closed before. */
  release(): Promise<number>;
}

/** Throws where one of them could not be opened or was not answered. */
export async function holdConnections(url: URL, authority: string, count: number): Promise<HeldConnections> {
  const args = [url.hostname, url.port, String(count), authority, url.pathname];
  const child = spawn('taskset', ['-c', String(LOAD_CORE), process.execPath, MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let problem = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (problem = (problem + chunk.toString()).slice(-2_000)));
  const ended = once(child, 'close');
  const giveUp = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  while (!output.includes('held') && child.exitCode === null && child.signalCode === null) {
    await Promise.race([once(child.stdout, 'data'), ended]);
  }
  clearTimeout(giveUp);
  const found = /held (\d+)/.exec(output);
  if (found === null) throw new Error(`connections could not be held: ${problem.trim() || 'no answer'}`);
  return {
    count: Number(found[1]),
    async release() {
      child.stdin.end();
      await ended;
      return Number(/lost (\d+)/.exec(output)?.[1] ?? 0);
    },
  };
}
