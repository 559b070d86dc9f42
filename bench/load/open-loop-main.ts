// Load at a fixed rate: requests are due at even intervals whatever became of those before, and a latency is counted
// from when its request was due, so that a stall costs every request that it kept waiting (no coordinated
// omission). The first half second is sent and not counted. Usage: node bench/load/open-loop-main.ts JSON (OpenLoopSpec); prints JSON (OpenLoopReport).
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { percentile } from './load.ts';
import type { OpenLoopReport, OpenLoopSpec } from './open-loop.ts';
import { openHttp1 } from './paced-http1.ts';
import { openHttp2 } from './paced-http2.ts';
import type { TickerData } from './ticker.ts';

// Written by open-loop.ts.
const spec = JSON.parse(process.argv[2] ?? '') as OpenLoopSpec;
const LEAD_IN_SECONDS = 0.5;
const leadIn = Math.round(spec.rate * LEAD_IN_SECONDS);
const counted = Math.round(spec.rate * spec.seconds);
const total = leadIn + counted;
const interval = 1_000 / spec.rate;
const latencies = new Float64Array(counted);
const lag = new Float64Array(counted);
let countFrom = Number.POSITIVE_INFINITY;
let answered = 0;
let all = 0;
let failures = 0;
let broken: string | null = null;

const paced = await (spec.protocol === 'http1' ? openHttp1 : openHttp2)({
  ...spec,
  grpc: spec.protocol === 'grpc',
  onAnswer(due, ok) {
    all += 1;
    if (!ok) failures += 1;
    if (due >= countFrom) latencies[answered++] = performance.now() - due;
  },
  onFailure(reason) {
    broken ??= reason;
  },
});

const data: TickerData = { every: Math.max(interval, 0.2) };
const ticker = new Worker(fileURLToPath(new URL('./ticker.ts', import.meta.url)), { workerData: data });
await new Promise((resolve) => ticker.once('message', resolve));
await delay(50);

const began = performance.now();
countFrom = began + leadIn * interval;
let sent = 0;
await new Promise<void>((resolve) => {
  ticker.on('message', () => {
    const now = performance.now();
    for (let due = began + sent * interval; sent < total && due <= now; due = began + sent * interval) {
      if (sent >= leadIn) lag[sent - leadIn] = now - due;
      sent += 1;
      paced.send(due);
    }
    if (sent === total || broken !== null) resolve();
  });
});
await ticker.terminate();
for (const end = performance.now() + 3_000; all < sent && broken === null && performance.now() < end; ) await delay(10);
paced.close();

// What never came took at least as long as it was waited for.
const unanswered = counted - answered;
latencies.fill(performance.now() - countFrom, answered);
latencies.sort();
lag.sort();
const report: OpenLoopReport = {
  requests: all,
  seconds: spec.seconds + LEAD_IN_SECONDS,
  bytes: 0,
  p50Ms: percentile(latencies, 50),
  p99Ms: percentile(latencies, 99),
  failures: failures + unanswered,
  lagP99Ms: percentile(lag, 99),
  broken,
};
process.stdout.write(JSON.stringify(report));
