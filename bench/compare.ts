// Contenders that do the same work, in interleaved rounds: at saturation, then at half of what the slower of the two
// that are compared managed.
import type { Effort } from './effort.ts';
import type { Load } from './load/load.ts';
import { runOpenLoop } from './load/open-loop.ts';
import { coreBusyMs } from './process.ts';
import { median, rowOf, type Sample, valuesOf } from './sample.ts';
import { type Contender, cost, type SuiteContext } from './suite.ts';

export interface Point {
  readonly name: string;
  /** Peers other than the base are measured too, in short profiles. */
  readonly peers: boolean;
  load(contender: Contender, seconds: number): Promise<Load>;
  /** Bytes of bodies in one request, where throughput is the measure. */
  readonly bodyBytes?: number;
}

export interface FixedPoint {
  /** The point at saturation whose rate is halved. */
  readonly of: string;
  readonly protocol: 'http1' | 'http2' | 'grpc';
  readonly connections: number;
  readonly streams: number;
  /** Listener of the contender. */
  readonly url: string;
  readonly path: string;
}

export interface Comparison {
  readonly points: readonly Point[];
  readonly fixed: readonly FixedPoint[];
  /** Index of the point that warms up. */
  readonly warm?: number;
}

/** Seconds besides the load: starting a generator, reading /proc. */
const OVERHEAD = 0.1;
/** And what the generator of a fixed rate sends before it counts. */
const FIXED_OVERHEAD = 0.9;
const WARMUP_WITHOUT_JIT = 5;
/** Percent of the proxy's core. */
const MOST_OTHERS = 5;
/** Starting and stopping the proxies. */
const START = 5;

export function estimateComparison(
  comparison: Comparison,
  effort: Effort,
  peers: { jit: number; other: number },
): number {
  const { warmup, settle, seconds, peerRounds, fixedRounds, fixedSeconds } = effort;
  const all = peers.jit + peers.other;
  const warm = effort.warmTogether
    ? warmup * (all > 0 ? 2 : 1)
    : (2 + peers.jit) * warmup + peers.other * Math.min(warmup, WARMUP_WITHOUT_JIT);
  const points = comparison.points
    .map((point) => {
      const others = point.peers || effort.allPeers ? all : 0;
      const rounds = roundsOf(point, effort);
      return 2 * rounds * (seconds + OVERHEAD) + others * peerRounds * (seconds + OVERHEAD) + (2 + others) * settle;
    })
    .reduce((a, b) => a + b, 0);
  const fixed = comparison.fixed.length * 2 * fixedRounds * (fixedSeconds + FIXED_OVERHEAD);
  return START + warm + points + fixed;
}

export async function compare(
  context: SuiteContext,
  contenders: readonly Contender[],
  comparison: Comparison,
): Promise<void> {
  const { effort, say } = context;
  const [first] = comparison.points;
  const warm = comparison.points[comparison.warm ?? 0] ?? first;
  if (warm === undefined) return;
  for (const group of warmGroups(contenders, effort)) {
    const seconds = Math.max(...group.map((contender) => warmSeconds(contender, effort)));
    say(`${group.map(({ name }) => name).join(', ')}: warming up for ${seconds} s`);
    if (seconds > 0) await Promise.all(group.map((contender) => warm.load(contender, seconds)));
  }
  const chosen = (name: string): boolean => context.points?.some((part) => name.includes(part)) ?? true;
  for (const point of comparison.points) if (chosen(point.name)) await measurePoint(context, contenders, point);
  for (const fixed of comparison.fixed) if (chosen(fixed.of)) await measureFixed(context, contenders, fixed);
  noteOthers(context);
}

/** A machine with other work on it gives other figures. */
function noteOthers({ rows, notes }: SuiteContext): void {
  const shares = rows.flatMap((row) => valuesOf(row, 'others'));
  const disturbed = shares.filter((share) => share > MOST_OTHERS).length;
  if (disturbed === 0) return;
  const worst = Math.max(...shares).toFixed(0);
  notes.push(
    `in ${disturbed} of ${shares.length} rounds other programs took more than ${MOST_OTHERS} % of the proxy's core, up to ${worst} %`,
  );
}

function roundsOf({ bodyBytes }: Point, { rounds, bodyRounds }: Effort): number {
  return bodyBytes === undefined ? rounds : bodyRounds;
}

function warmGroups(contenders: readonly Contender[], effort: Effort): readonly (readonly Contender[])[] {
  if (!effort.warmTogether) return contenders.map((contender) => [contender]);
  const isPeer = ({ role }: Contender): boolean => role === 'peer';
  const groups = [contenders.filter((each) => !isPeer(each)), contenders.filter(isPeer)];
  return groups.filter((group) => group.length > 0);
}

function warmSeconds({ role, jit }: Contender, { warmup }: Effort): number {
  return role === 'peer' && !jit ? Math.min(warmup, WARMUP_WITHOUT_JIT) : warmup;
}

async function measurePoint(context: SuiteContext, contenders: readonly Contender[], point: Point): Promise<void> {
  const { effort, say } = context;
  const here = contenders.filter(({ role }) => role !== 'peer' || point.peers || effort.allPeers);
  const results = new Map<Contender, Sample[]>(here.map((contender) => [contender, []]));
  if (effort.settle > 0)
    for (const contender of here) await point.load(contender, Math.max(1, Math.round(effort.settle)));
  const rounds = roundsOf(point, effort);
  for (let round = 0; round < rounds; round++) {
    // Back and forth, so that whatever drifts meets both alike.
    for (const contender of round % 2 === 0 ? here : here.toReversed()) {
      if (contender.role === 'peer' && round >= effort.peerRounds) continue;
      const sample = await measureRound(contender, () => point.load(contender, effort.seconds), point.bodyBytes);
      results.get(contender)?.push(sample);
    }
    say(`${point.name}, round ${round + 1} of ${rounds}`);
  }
  addRows(context, point.name, null, results);
}

async function measureFixed(context: SuiteContext, contenders: readonly Contender[], fixed: FixedPoint): Promise<void> {
  const { effort, rows, say } = context;
  const both = contenders.filter(({ role }) => role !== 'peer');
  const maxima = both.map(({ name }) => {
    const row = rowOf(rows, name, { point: fixed.of, rate: null });
    return row === undefined ? Number.NaN : median(valuesOf(row, 'rps'));
  });
  const rate = Math.max(1, Math.round(Math.min(...maxima) / 2));
  if (Number.isNaN(rate)) return;
  const results = new Map<Contender, Sample[]>(both.map((contender) => [contender, []]));
  for (let round = 0; round < effort.fixedRounds; round++) {
    for (const contender of round % 2 === 0 ? both : both.toReversed()) {
      const { hostname, port } = new URL(contender.urls[fixed.url] as string);
      const { protocol, connections, streams, path } = fixed;
      const spec = {
        protocol,
        connections,
        streams,
        path,
        host: hostname,
        port: Number(port),
        authority: contender.host,
      };
      let lag = 0;
      const sample = await measureRound(contender, async () => {
        const report = await runOpenLoop({ ...spec, rate, seconds: effort.fixedSeconds });
        lag = report.lagP99Ms;
        return report;
      });
      results.get(contender)?.push({ ...sample, lag });
    }
    say(`${fixed.of} at ${rate}/s, round ${round + 1} of ${effort.fixedRounds}`);
  }
  addRows(context, fixed.of, rate, results);
}

async function measureRound(contender: Contender, load: () => Promise<Load>, bodyBytes = 0): Promise<Sample> {
  const began = performance.now();
  const busyBefore = coreBusyMs();
  const before = cost(contender);
  const seen = await load();
  const after = cost(contender);
  const others = coreBusyMs() - busyBefore - (after.cpuMs - before.cpuMs);
  const cpuSeconds = (after.cpuMs - before.cpuMs) / 1_000;
  // Where the generator counts bytes of answers, those of unfinished requests are among them.
  const mib = Math.max(seen.bytes, seen.requests * bodyBytes) / 1024 ** 2;
  return {
    cpu: (cpuSeconds * 1e6) / seen.requests,
    rps: seen.requests / seen.seconds,
    p50: seen.p50Ms,
    p99: seen.p99Ms,
    rss: after.rssMiB,
    anon: after.anonMiB,
    failures: seen.failures,
    others: Math.max(0, (others / (performance.now() - began)) * 100),
    ...(bodyBytes === 0 ? {} : { mibPerCpuSecond: mib / cpuSeconds, mibPerSecond: mib / seen.seconds }),
  };
}

function addRows(
  { rows }: SuiteContext,
  point: string,
  rate: number | null,
  results: ReadonlyMap<Contender, readonly Sample[]>,
): void {
  for (const [{ name }, samples] of results) if (samples.length > 0) rows.push({ point, rate, subject: name, samples });
}
