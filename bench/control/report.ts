// The figures of a run as tables, and as the section and the plots that bench/RESULTS.md has of them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { BENCH, writeBetweenMarkers } from '../results.ts';
import type { CompileCost } from './compile.ts';
import { growthPlot, type Line } from './growth-plot.ts';
import type { Outcome } from './scenario.ts';
import type { Verdict } from './verdicts.ts';

export interface Figures {
  readonly date: string;
  readonly node: string;
  readonly machine: string;
  readonly outcomes: readonly Outcome[];
  readonly compiled: readonly CompileCost[];
  readonly verdicts: readonly Verdict[];
  readonly notes: readonly string[];
}

export function figuresOf(run: Pick<Figures, 'outcomes' | 'compiled' | 'verdicts' | 'notes'>): Figures {
  const machine = `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`;
  return { date: new Date().toISOString().slice(0, 16), node: process.versions.node, machine, ...run };
}

export function describeRun({ outcomes, compiled, verdicts, notes }: Figures): string {
  const parts = [verdictTable(verdicts)];
  if (outcomes.length > 0) parts.push(growthTable(outcomes));
  if (compiled.length > 0) parts.push(compileTable(compiled));
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'));
  return parts.join('\n\n');
}

/** Keeps the figures and writes the section and its plots from them. */
export function publishRun(run: Figures): void {
  mkdirSync(join(BENCH, 'results'), { recursive: true });
  const rounded = JSON.stringify(
    run,
    (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value),
    1,
  );
  writeFileSync(join(BENCH, 'results', 'control.json'), `${rounded}\n`);
  const how = `${run.date.replace('T', ' ')} UTC, Node ${run.node}, ${run.machine}.`;
  const plots = [plot('control', 'Control plane, by proxies', 'proxies', proxyLines(run.outcomes))];
  plots.push(plot('control-compile', 'Configuration, by services', 'services', compileLines(run.compiled)));
  const section = [how, describeRun(run), ...plots.filter((each) => each !== '')].join('\n\n');
  writeBetweenMarkers(join(BENCH, 'RESULTS.md'), 'control', section);
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ says, bound, found, met }) => [
    says,
    bound,
    found ?? '',
    met ? 'met' : found === null ? 'not measured' : 'missed',
  ]);
  return table(['target', 'bound', 'found', ''], rows);
}

function growthTable(outcomes: readonly Outcome[]): string {
  const heads = ['proxies', 'services', 'RSS MiB', 'most', 'idle CPU ms/s', 'p50 ms', 'p99 ms', 'CPU ms a change'];
  heads.push('p99 ms, few hear', 'CPU ms a change, few hear', 'edit to last proxy ms', 'join s', 'restart s', 'bodies');
  heads.push('CPU s of joining', 'of the restart', 'of the simulators', 'their RSS MiB');
  const rows = outcomes
    .toSorted((a, b) => a.proxies - b.proxies)
    .map((one) => [
      one.proxies.toLocaleString('en'),
      one.services.toLocaleString('en'),
      ...[one.rssMiB, one.peakMiB, one.idleCpu, one.mixed.p50, one.mixed.p99].map((value) => value.toFixed(0)),
      one.mixed.cpuPerChange.toFixed(1),
      one.few.p99.toFixed(0),
      one.few.cpuPerChange.toFixed(1),
      one.service.ms.toFixed(0),
      seconds(one.joinMs),
      (one.restartMs / 1_000).toFixed(1),
      String(one.restartBodies),
      ...[one.joinCpuMs, one.restartCpuMs, one.simulatorsCpuMs].map(seconds),
      one.simulatorsRssMiB.toFixed(0),
    ]);
  return table(heads, rows);
}

/** Infinity: it was not waited for any longer. */
function seconds(ms: number): string {
  return Number.isFinite(ms) ? (ms / 1_000).toFixed(1) : 'never';
}

function compileTable(compiled: readonly CompileCost[]): string {
  const heads = ['services', 'read ms', 'compile ms', 'read again ms', 'a route changed ms', 'a service changed ms'];
  const rows = compiled.map((one) => [
    one.services.toLocaleString('en'),
    ...[one.readMs, one.compileMs, one.readAgainMs].map((value) => value.toFixed(0)),
    one.routeMs.toFixed(1),
    one.serviceMs.toFixed(1),
  ]);
  return table(heads, rows);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map((_, i) => (i === 0 ? '--' : '--:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function proxyLines(outcomes: readonly Outcome[]): readonly Line[] {
  const sorted = outcomes.toSorted((a, b) => a.proxies - b.proxies);
  const line = (name: string, of: (one: Outcome) => number): Line => ({
    name,
    points: sorted.map((one) => [one.proxies, of(one)]),
  });
  return [
    line('RSS, MiB', ({ peakMiB }) => peakMiB),
    line('a change, p99, ms', ({ mixed }) => mixed.p99),
    line('CPU a change, ms', ({ mixed }) => mixed.cpuPerChange),
    line('CPU, few hear, ms', ({ few }) => few.cpuPerChange),
    line('restart, s', ({ restartMs }) => restartMs / 1_000),
  ];
}

function compileLines(compiled: readonly CompileCost[]): readonly Line[] {
  const line = (name: string, of: (one: CompileCost) => number): Line => ({
    name,
    points: compiled.map((one) => [one.services, of(one)]),
  });
  return [
    line('read, ms', ({ readMs }) => readMs),
    line('compile, ms', ({ compileMs }) => compileMs),
    line('a route changed, ms', ({ routeMs }) => routeMs),
    line('a service changed, ms', ({ serviceMs }) => serviceMs),
  ];
}

function plot(name: string, title: string, xTitle: string, lines: readonly Line[]): string {
  if (lines.every(({ points }) => points.length === 0)) return '';
  mkdirSync(join(BENCH, 'plots'), { recursive: true });
  writeFileSync(join(BENCH, 'plots', `${name}.svg`), growthPlot(title, xTitle, lines));
  return `![${title}](plots/${name}.svg)`;
}
