// HTTP/1.1 load at saturation by wrk: one thread, keep-alive connections, each with its next request as soon as it has
// its answer.
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnLoadCore } from '../process.ts';
import type { Job, Load } from './load.ts';

export async function runWrk(job: Job): Promise<Load> {
  const fields = [['Host', job.host], ...(job.fields ?? [])].flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const script = job.upload === undefined ? [] : ['-s', uploadScript(job.upload)];
  const args = ['-t1', `-c${job.connections}`, `-d${job.seconds}s`, '--timeout', '30s', '--latency'];
  return readReport(await runOnLoadCore(['wrk', ...args, ...fields, ...script, job.url], job.seconds));
}

function uploadScript(bytes: number): string {
  const file = join(tmpdir(), `weft-bench-upload-${bytes}.lua`);
  writeFileSync(
    file,
    `wrk.method = "POST"\nwrk.body = string.rep("x", ${bytes})\nwrk.headers["Content-Type"] = "application/octet-stream"\n`,
  );
  return file;
}

/** Source: the report format of wrk 4. */
function readReport(text: string): Load {
  const total = /(\d+) requests in ([\d.]+)(us|ms|s|m), ([\d.]+)([KMGT]?)B read/.exec(text);
  if (total === null) throw new Error(`wrk said nothing that can be read:\n${text}`);
  const [, requests, time, unit = '', size, prefix = ''] = total;
  const non2xx = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const socket = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text)?.slice(1) ?? [];
  return {
    requests: Number(requests),
    seconds: (Number(time) * (MILLISECONDS[unit] ?? 1_000)) / 1_000,
    bytes: Number(size) * 1_024 ** ['', 'K', 'M', 'G', 'T'].indexOf(prefix),
    p50Ms: percentileMs(text, 50),
    p99Ms: percentileMs(text, 99),
    failures: socket.reduce((sum, count) => sum + Number(count), non2xx),
  };
}

const MILLISECONDS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

function percentileMs(text: string, rank: number): number {
  const found = new RegExp(`^\\s+${rank}%\\s+([\\d.]+)(us|ms|s|m)\\s*$`, 'm').exec(text);
  return found === null ? Number.NaN : Number(found[1]) * (MILLISECONDS[found[2] ?? ''] ?? Number.NaN);
}
