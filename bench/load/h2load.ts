// HTTP/2 load at saturation by h2load (nghttp2): one thread, a number of streams kept busy on each connection.
// A gRPC unary call is a POST of one framed message; that its answer is status 0 is checked before (./probe.ts).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runOnLoadCore } from '../process.ts';
import { type Job, type Load, percentile } from './load.ts';

export async function runH2load(job: Job): Promise<Load> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-bench-h2load-'));
  try {
    const log = join(folder, 'requests');
    const fields = [[':authority', job.host], ...(job.fields ?? [])].flatMap(([name, value]) => [
      '-H',
      `${name}: ${value}`,
    ]);
    const body = job.uploadFile === undefined ? [] : ['-d', job.uploadFile];
    const args = [
      '-t1',
      `-c${job.connections}`,
      `-m${job.streams ?? 1}`,
      `-D${job.seconds}`,
      `--log-file=${log}`,
      CIPHER,
    ];
    const text = await runOnLoadCore(['h2load', ...args, ...fields, ...body, job.url], job.seconds);
    return { ...readReport(text), ...percentiles(readFileSync(log, 'latin1')) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same for all: servers differ in whose preference counts. */
const CIPHER = '--tls13-ciphers=TLS_AES_128_GCM_SHA256';

/** Source: the report format of h2load 1.52. */
function readReport(text: string): Omit<Load, 'p50Ms' | 'p99Ms'> {
  const seconds = /finished in ([\d.]+)(us|ms|s|m)/.exec(text);
  const requests = /requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/.exec(text);
  if (seconds === null || requests === null) throw new Error(`h2load said nothing that can be read:\n${text}`);
  const [done = 0, , failed = 0, errored = 0, timeout = 0] = requests.slice(1).map(Number);
  return {
    requests: done,
    seconds: Number(seconds[1]) * ({ us: 1e-6, ms: 1e-3, s: 1, m: 60 }[seconds[2] ?? ''] ?? Number.NaN),
    bytes: Number(/traffic: [^(]*\((\d+)\) total/.exec(text)?.[1] ?? 0),
    failures: failed + errored + timeout,
  };
}

/** A line per request: when it began, its status, its time in µs (h2load(1), `--log-file`). */
function percentiles(log: string): Pick<Load, 'p50Ms' | 'p99Ms'> {
  const lines = log.split('\n');
  const micros = new Float64Array(lines.length);
  let count = 0;
  for (const line of lines) {
    const at = line.lastIndexOf('\t');
    if (at > 0) micros[count++] = Number(line.slice(at + 1));
  }
  const sorted = micros.subarray(0, count).sort();
  return { p50Ms: percentile(sorted, 50) / 1_000, p99Ms: percentile(sorted, 99) / 1_000 };
}
