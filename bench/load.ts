// Load by wrk: one thread, keep-alive connections, bounded in time; and what it saw.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface Load {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx and 3xx, and socket errors. */
  readonly failures: number;
}

export interface LoadSpec {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly core: number;
}

export async function runLoad(spec: LoadSpec): Promise<Load> {
  const wrk = [
    'wrk',
    '-t1',
    `-c${spec.connections}`,
    `-d${spec.seconds}s`,
    '--latency',
    '-H',
    'Host: bench.test',
    spec.url,
  ];
  const { stdout } = await promisify(execFile)('taskset', ['-c', String(spec.core), ...wrk]);
  return readReport(stdout);
}

/** Source: the report format of wrk 4. */
export function readReport(text: string): Load {
  const total = /(\d+) requests in ([\d.]+)s/.exec(text);
  if (total === null) throw new Error(`wrk said nothing that can be read:\n${text}`);
  const non2xx = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const socket = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  return {
    requests: Number(total[1]),
    seconds: Number(total[2]),
    p50Ms: percentile(text, 50),
    p99Ms: percentile(text, 99),
    failures: socket.reduce((sum, count) => sum + Number(count), non2xx),
  };
}

function percentile(text: string, rank: number): number {
  const found = new RegExp(`^\\s+${rank}%\\s+([\\d.]+)(us|ms|s)\\s*$`, 'm').exec(text);
  if (found === null) return Number.NaN;
  const unit = found[2] === 'us' ? 0.001 : found[2] === 'ms' ? 1 : 1_000;
  return Number(found[1]) * unit;
}
