// Writes bench/RESULTS.md, bench/plots and the README's short table from the kept figures.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bar, type Group, renderPlot } from './plot.ts';
import { BENCH, load, type SuiteFigures, writeBetweenMarkers } from './results.ts';
import { median, type Measure, ratios, type Row, rowOf, spreadOf, valuesOf } from './sample.ts';
import type { Suite, TableSpec } from './suite.ts';
import { renderTable } from './table.ts';
import { judge, type Judged, type Target, TARGETS } from './targets.ts';

const RESULTS = join(BENCH, 'RESULTS.md');
const README = join(BENCH, '..', 'README.md');
const PLOTS = join(BENCH, 'plots');

export function publish(suites: readonly Suite[]): void {
  const kept = new Map(suites.flatMap(({ name }) => entry(name, load(name))));
  mkdirSync(PLOTS, { recursive: true });
  for (const suite of suites) {
    const found = kept.get(suite.name);
    if (found !== undefined) writeBetweenMarkers(RESULTS, suite.name, section(suite, found));
  }
  const judged = TARGETS.map((target) => judge(target, kept.get(target.suite)?.rows ?? []));
  writeBetweenMarkers(RESULTS, 'targets', targetTable(judged));
  writeBetweenMarkers(README, 'bench', shortTable(kept));
  writeFileSync(join(PLOTS, 'overview.svg'), overview(kept));
}

function entry(name: string, found: SuiteFigures | null): [string, SuiteFigures][] {
  return found === null ? [] : [[name, found]];
}

export function describe(suite: Suite, rows: readonly Row[]): string {
  return suite.tables
    .map((table) => [table.title, renderTable(table, rows)] as const)
    .filter(([, text]) => text !== '')
    .map(([title, text]) => (title === '' ? text : `**${title}**\n\n${text}`))
    .join('\n\n');
}

function section(suite: Suite, found: SuiteFigures): string {
  const { rounds, seconds, warmup } = found.effort;
  const how = `${found.date.replace('T', ' ')} UTC, Node ${found.node}, ${found.machine}; ${warmup} s of warm-up, ${rounds} rounds of ${seconds} s, interleaved, medians.`;
  const notes = found.notes.map((note) => `- ${note}`).join('\n');
  const plots = suite.tables.flatMap((table, i) => plotOf(suite, table, i, found.rows));
  return [suite.about, how, notes, describe(suite, found.rows), ...plots].filter((part) => part !== '').join('\n\n');
}

function plotOf(suite: Suite, table: TableSpec, index: number, rows: readonly Row[]): string[] {
  const main = table.columns.find((column) => column.main === true);
  const included = rows.filter((row) => table.includes(row));
  if (main === undefined || included.length === 0) return [];
  const name = `${suite.name}${index === 0 ? '' : `-${index + 1}`}.svg`;
  const points = [...new Set(included.map(({ point }) => point))];
  const groups = points.map((point) => {
    return { label: point, bars: included.filter((row) => row.point === point).map((row) => barOf(row, main.measure)) };
  });
  const title = table.title === '' ? suite.title : `${suite.title}: ${table.title}`;
  writeFileSync(join(PLOTS, name), renderPlot({ title, unit: main.title, digits: main.digits, groups }));
  return [`![${title}](plots/${name})`];
}

function barOf(row: Row, measure: Measure): Bar {
  const values = valuesOf(row, measure);
  return { series: row.subject, value: median(values), least: Math.min(...values), greatest: Math.max(...values) };
}

function targetTable(judged: readonly Judged[]): string {
  const lines = judged.map(({ target, verdict, found }) => {
    const bound = `${target.sense === 'at most' ? '≤' : '≥'} ${target.limit}${target.base === null ? '' : `× ${target.base}`}`;
    const at = target.fixed ? `${target.point}, fixed rate` : target.point;
    return `| ${target.says} | ${at} | ${bound} | ${found} | ${verdict} |`;
  });
  return ['| target | at | bound | found (quartiles) | |', '|--|--|--:|--:|--|', ...lines].join('\n');
}

interface Headline {
  readonly suite: string;
  readonly point: string;
  readonly says: string;
  readonly subject: string;
  readonly base: string;
}

const HEADLINES: readonly Headline[] = [
  headline('plaintext-h1', '32 × bare', 'HTTP/1.1'),
  headline('plaintext-h1', '32 × 18/12 headers', 'HTTP/1.1, 18/12 headers'),
  headline('h2', 'h2c, 4 × 8', 'HTTP/2'),
  headline('grpc-unary', '4 × 8', 'gRPC unary'),
  headline('mtls-pair-h1', '32', 'mTLS pair, HTTP/1.1 callers', ' pair'),
  headline('mtls-pair-h2', '4 × 8', 'mTLS pair, HTTP/2 callers', ' pair'),
  headline('mtls-pair-grpc', '4 × 8', 'mTLS pair, gRPC callers', ' pair'),
];

function headline(suite: string, point: string, says: string, kind = ''): Headline {
  return { suite, point, says, subject: `Weft${kind}`, base: `Envoy${kind}` };
}

function shortTable(kept: ReadonlyMap<string, SuiteFigures>): string {
  const lines = pairsOf(kept).map(({ says, own, base }) => {
    const ratio = spreadOf(ratios(own, base, 'cpu'));
    const spread = `${ratio.median.toFixed(2)} (${ratio.lower.toFixed(2)}–${ratio.upper.toFixed(2)})`;
    return `| ${says} | ${cpu(own)} µs | ${cpu(base)} µs | ${spread} |`;
  });
  return ['| CPU per request, 32 in flight | Weft | Envoy | × Envoy (quartiles) |', '|--|--:|--:|--:|', ...lines].join(
    '\n',
  );
}

function cpu(row: Row): string {
  return median(valuesOf(row, 'cpu')).toFixed(0);
}

function pairsOf(kept: ReadonlyMap<string, SuiteFigures>): { says: string; own: Row; base: Row }[] {
  return HEADLINES.flatMap(({ suite, point, says, subject, base: baseName }) => {
    const rows = kept.get(suite)?.rows ?? [];
    const own = rowOf(rows, subject, { point, rate: null });
    const base = rowOf(rows, baseName, { point, rate: null });
    return own === undefined || base === undefined ? [] : [{ says, own, base }];
  });
}

function overview(kept: ReadonlyMap<string, SuiteFigures>): string {
  const groups: Group[] = pairsOf(kept).map(({ says, own, base }) => {
    const bars = [own, base].map((row, i) => ({ ...barOf(row, 'cpu'), series: i === 0 ? 'Weft' : 'Envoy' }));
    return {
      label: says.replace('a pair of sidecars with mTLS', 'mTLS pair').replace('the same with', 'mTLS pair,'),
      bars,
    };
  });
  return renderPlot({ title: 'CPU per request, 32 in flight', unit: 'µs', digits: 0, groups });
}

/** A line per target of these suites. */
export function verdicts(figuresOf: ReadonlyMap<string, readonly Row[]>): {
  readonly lines: string[];
  /** Missed, or not measured. */
  readonly open: number;
} {
  const judged = TARGETS.filter(({ suite }) => figuresOf.has(suite)).map((each) =>
    judge(each, figuresOf.get(each.suite) ?? []),
  );
  const lines = judged.map(({ target, verdict, found }) => `${verdict.padEnd(12)} ${line(target)}: ${found}`);
  return { lines, open: judged.filter(({ verdict }) => verdict === 'missed' || verdict === 'not measured').length };
}

function line({ suite, says, point, fixed, sense, limit, stretch }: Target): string {
  const more = stretch === undefined ? '' : `, stretch ${stretch}`;
  return `${suite}: ${says} [${point}${fixed ? ', fixed rate' : ''}] ${sense} ${limit}${more}`;
}
