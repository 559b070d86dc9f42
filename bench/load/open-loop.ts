// Runs the open-loop generator as a process of its own on the load core.
import { fileURLToPath } from 'node:url';
import { runOnLoadCore } from '../process.ts';
import type { Load } from './load.ts';

export interface OpenLoopSpec {
  readonly protocol: 'http1' | 'http2' | 'grpc';
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  readonly path: string;
  readonly connections: number;
  readonly streams: number;
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
}

export interface OpenLoopReport extends Load {
  /** How late the generator itself was. */
  readonly lagP99Ms: number;
  /** Why a connection ended. */
  readonly broken: string | null;
}

const MAIN = fileURLToPath(new URL('./open-loop-main.ts', import.meta.url));

export async function runOpenLoop(spec: OpenLoopSpec): Promise<OpenLoopReport> {
  const command = [process.execPath, '--max-semi-space-size=16', MAIN, JSON.stringify(spec)];
  // Written by open-loop-main.ts.
  return JSON.parse(await runOnLoadCore(command, spec.seconds)) as OpenLoopReport;
}
