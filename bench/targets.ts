// What the figures should be, and whether they are. A difference within the spread is "equal".
import { ratios, type Row, rowOf, spreadOf, valuesOf } from './sample.ts';
import type { Measure } from './sample.ts';

export interface Target {
  readonly suite: string;
  readonly point: string;
  /** At the fixed rate, or at saturation. */
  readonly fixed: boolean;
  readonly measure: Measure;
  readonly subject: string;
  /** Null: the limit is absolute. */
  readonly base: string | null;
  readonly sense: 'at most' | 'at least';
  readonly limit: number;
  /** What would be better still. */
  readonly stretch?: number;
  readonly says: string;
}

export type Verdict = 'met' | 'equal' | 'missed' | 'not measured';

export interface Judged {
  readonly target: Target;
  readonly verdict: Verdict;
  /** Median, with quartiles. */
  readonly found: string;
}

const CPU = { fixed: false, measure: 'cpu', sense: 'at most' } as const;
const WEFT = { subject: 'Weft', base: 'Envoy' } as const;
const PAIR = { subject: 'Weft pair', base: 'Envoy pair' } as const;

export const TARGETS: readonly Target[] = [
  ...['1', '32', '256'].flatMap((n) =>
    [`${n} × bare`, `${n} × 18/12 headers`].map((point): Target => {
      const limit = n === '1' ? 0.6 : 0.5;
      return { suite: 'plaintext-h1', point, ...CPU, ...WEFT, limit, stretch: 0.4, says: 'HTTP/1.1, CPU per request' };
    }),
  ),
  ...['h2c, 1 × 1', 'h2c, 4 × 8', 'h2c, 16 × 16', 'TLS, 4 × 8'].map(
    (point): Target => ({
      suite: 'h2',
      point,
      ...CPU,
      ...WEFT,
      limit: 0.5,
      stretch: 0.4,
      says: 'HTTP/2 → HTTP/2, CPU per request',
    }),
  ),
  ...['1 × 1', '4 × 8', '16 × 16'].map(
    (point): Target => ({
      suite: 'grpc-unary',
      point,
      ...CPU,
      ...WEFT,
      limit: 0.5,
      stretch: 0.4,
      says: 'gRPC unary, CPU per request',
    }),
  ),
  ...['1', '8', '32', '128'].map((point): Target => {
    const limit = Number(point) <= 8 ? 0.6 : 0.4;
    return {
      suite: 'mtls-pair-h1',
      point,
      ...CPU,
      ...PAIR,
      limit,
      stretch: 0.3,
      says: 'mTLS pair, HTTP/1.1 callers, CPU per request',
    };
  }),
  ...(['h2', 'grpc'] as const).flatMap((caller) =>
    (caller === 'h2' ? ['1 × 1', '1 × 8', '4 × 8', '4 × 32'] : ['1 × 1', '4 × 8', '4 × 32']).map((point): Target => {
      const says = `mTLS pair, ${caller === 'h2' ? 'HTTP/2' : 'gRPC'} callers, CPU per request`;
      return { suite: `mtls-pair-${caller}`, point, ...CPU, ...PAIR, limit: 0.35, stretch: 0.25, says };
    }),
  ),
  ...['64 KiB down', '64 KiB up', '10 MiB down', '10 MiB up'].flatMap((point) =>
    [WEFT, PAIR].map((names): Target => {
      const suite = names === WEFT ? 'bodies-h1' : 'bodies-pair';
      const says = `bodies, ${names === WEFT ? 'HTTP/1.1' : 'mTLS pair'}, throughput per CPU second`;
      return { suite, point, fixed: false, measure: 'mibPerCpuSecond', ...names, sense: 'at least', limit: 1, says };
    }),
  ),
  {
    suite: 'idle-connections',
    point: '10,000 idle',
    fixed: false,
    measure: 'perConnection',
    ...WEFT,
    sense: 'at most',
    limit: 1,
    says: 'idle connections, RSS of each',
  },
  ...latency('plaintext-h1', ['1 × bare', '32 × bare', '256 × bare'], WEFT, 'HTTP/1.1'),
  ...latency('h2', ['h2c, 4 × 8'], WEFT, 'HTTP/2 → HTTP/2'),
  ...latency('grpc-unary', ['4 × 8'], WEFT, 'gRPC unary'),
  ...latency('mtls-pair-h1', ['1', '32'], PAIR, 'mTLS pair, HTTP/1.1 callers'),
  ...latency('mtls-pair-h2', ['4 × 8'], PAIR, 'mTLS pair, HTTP/2 callers'),
  ...latency('mtls-pair-grpc', ['4 × 8'], PAIR, 'mTLS pair, gRPC callers'),
  memory('idle', 'rss', 70, 'sidecar idle, 10 services in its view, RSS in MiB'),
  memory('idle', 'anon', 28, 'sidecar idle, 10 services in its view, private (RssAnon) in MiB'),
  memory('minute 5 of load', 'rss', 100, 'sidecar after five minutes of load, RSS in MiB'),
  memory('minute 5 of load', 'growth', 1, 'sidecar from minute two to five of load, growth of RSS in MiB'),
  {
    suite: 'issuance',
    point: 'P-256',
    fixed: false,
    measure: 'perCpuSecond',
    subject: 'Weft',
    base: null,
    sense: 'at least',
    limit: 300,
    says: 'SVIDs issued per second per core, from request to ledger',
  },
];

function latency(suite: string, points: readonly string[], names: typeof WEFT | typeof PAIR, what: string): Target[] {
  return points.flatMap((point) =>
    (['p50', 'p99'] as const).map((measure): Target => {
      const says = `${what}, ${measure} at the fixed rate`;
      return { suite, point, fixed: true, measure, ...names, sense: 'at most', limit: 1, says };
    }),
  );
}

function memory(point: string, measure: Measure, limit: number, says: string): Target {
  const subject = 'Weft sidecar of the caller';
  return { suite: 'memory', point, fixed: false, measure, subject, base: null, sense: 'at most', limit, says };
}

/** `rows`: of the target's suite. */
export function judge(target: Target, rows: readonly Row[]): Judged {
  const like = { point: target.point, rate: target.fixed ? 1 : null };
  const row = rowOf(rows, target.subject, like);
  const base = target.base === null ? undefined : rowOf(rows, target.base, like);
  if (row === undefined || (target.base !== null && base === undefined)) {
    return { target, verdict: 'not measured', found: '' };
  }
  const values = base === undefined ? valuesOf(row, target.measure) : ratios(row, base, target.measure);
  const failures = valuesOf(row, 'failures').reduce((a, b) => a + b, 0);
  const { median: middle, lower, upper } = spreadOf(values);
  const unit = base === undefined ? '' : '×';
  const digits = base === undefined ? 1 : 2;
  const spread = values.length > 1 ? ` (${lower.toFixed(digits)}–${upper.toFixed(digits)})` : '';
  const found = `${middle.toFixed(digits)}${unit}${spread}${failures === 0 ? '' : `, ${failures} failed`}`;
  if (failures > 0 || Number.isNaN(middle)) return { target, verdict: 'missed', found };
  const meets = (value: number): boolean =>
    target.sense === 'at most' ? value <= target.limit : value >= target.limit;
  // The better quartile: a quarter of the rounds and more met it.
  const best = target.sense === 'at most' ? lower : upper;
  return { target, verdict: meets(middle) ? 'met' : meets(best) ? 'equal' : 'missed', found };
}
