// bench/results/SUITE.json: the figures of each suite's last written run; bench/RESULTS.md, its plots and the README's
// table are made from them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Effort } from './effort.ts';
import type { Row } from './sample.ts';

export interface SuiteFigures {
  readonly suite: string;
  readonly date: string;
  readonly node: string;
  readonly machine: string;
  readonly effort: Effort;
  readonly notes: readonly string[];
  readonly rows: readonly Row[];
}

export const BENCH: string = dirname(fileURLToPath(import.meta.url));
const FOLDER = join(BENCH, 'results');

export function figures(suite: string, effort: Effort, rows: readonly Row[], notes: readonly string[]): SuiteFigures {
  const machine = `${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores`;
  return {
    suite,
    date: new Date().toISOString().slice(0, 16),
    node: process.versions.node,
    machine,
    effort,
    notes,
    rows,
  };
}

export function store(found: SuiteFigures): void {
  mkdirSync(FOLDER, { recursive: true });
  const rounded = JSON.stringify(found, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(5)) : value,
  );
  // A row to a line: what a new run changed can be read in a diff.
  writeFileSync(fileOf(found.suite), `${rounded.replaceAll(/\{"point"/g, '\n{"point"')}\n`);
}

/** Null where it never ran. */
export function load(suite: string): SuiteFigures | null {
  // Written by `store`.
  return existsSync(fileOf(suite)) ? (JSON.parse(readFileSync(fileOf(suite), 'utf8')) as SuiteFigures) : null;
}

function fileOf(suite: string): string {
  return join(FOLDER, `${suite}.json`);
}

/** Replaces what stands between the markers of that name. */
export function writeBetweenMarkers(file: string, name: string, text: string): void {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const old = readFileSync(file, 'utf8');
  const [from, to] = [old.indexOf(open), old.indexOf(close)];
  if (from < 0 || to < 0) throw new Error(`${file} has no place for ${name}`);
  writeFileSync(file, `${old.slice(0, from)}${open}\n${text}\n${old.slice(to)}`);
}
