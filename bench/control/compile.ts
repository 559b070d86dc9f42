// Runs compile-main.ts in a process of its own, on the core that the control plane has.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { CONTROL_PLANE_NODE_FLAGS } from '../../host/node-flags.ts';
import { PROXY_CORE } from '../process.ts';
import { BENCH } from '../results.ts';

export interface CompileCost {
  readonly services: number;
  /** From the texts to a mesh, the first time; ms. */
  readonly readMs: number;
  /** From a mesh to a snapshot that is proven, the first time; ms. */
  readonly compileMs: number;
  /** Medians of edits; ms. */
  readonly readAgainMs: number;
  /** A route to one service has changed. */
  readonly routeMs: number;
  /** A service's time-out has changed. */
  readonly serviceMs: number;
  readonly heapMiB: number;
}

const TIMEOUT = 120_000;

export function measureCompile(services: number): Promise<CompileCost> {
  const main = join(BENCH, 'control', 'compile-main.ts');
  const command = ['-c', String(PROXY_CORE), process.execPath, ...CONTROL_PLANE_NODE_FLAGS, main, String(services)];
  return new Promise((done, fail) => {
    execFile('taskset', command, { timeout: TIMEOUT }, (error, stdout, stderr) => {
      if (error !== null) fail(new Error(`${error.message}\n${stderr}`));
      // Written by compile-main.ts.
      else done(JSON.parse(stdout) as CompileCost);
    });
  });
}
