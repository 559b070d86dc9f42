// Rows as Markdown tables.
import { median, ratios, type Row, rowOf, spreadOf, valuesOf } from './sample.ts';
import type { Column, TableSpec } from './suite.ts';

/** '' where no row belongs into it. */
export function renderTable(spec: TableSpec, rows: readonly Row[]): string {
  const included = rows.filter((row) => spec.includes(row));
  if (included.length === 0) return '';
  const columns = spec.columns.filter((column) => included.some((row) => valuesOf(row, column.measure).length > 0));
  const titles = columns.flatMap(({ title, main }) =>
    main === true ? [`${title} (min–max)`, ...(spec.base === null ? [] : [`× ${spec.base} (quartiles)`])] : [title],
  );
  const lines = [`| ${[spec.of, 'proxy', ...titles].join(' | ')} |`, `|--|--|${titles.map(() => '--:|').join('')}`];
  for (const row of included) {
    const cells = columns.flatMap((column) => cellsOf(column, row, spec.base, rows));
    const point = row.rate === null ? row.point : `${row.point} at ${row.rate.toLocaleString('en')}/s`;
    lines.push(`| ${[point, row.subject + failed(row), ...cells].join(' | ')} |`);
  }
  return lines.join('\n');
}

function cellsOf(column: Column, row: Row, base: string | null, rows: readonly Row[]): string[] {
  const values = valuesOf(row, column.measure);
  const number = (value: number): string => value.toFixed(column.digits);
  if (column.main !== true) return [values.length === 0 ? '' : number(median(values))];
  const own =
    values.length === 0
      ? ''
      : `${number(median(values))} (${number(Math.min(...values))}–${number(Math.max(...values))})`;
  if (base === null) return [own];
  return [own, against(row, rowOf(rows, base, row), column)];
}

function against(row: Row, base: Row | undefined, { measure }: Column): string {
  if (base === undefined) return '';
  if (base === row) return '1';
  const { median: middle, lower, upper } = spreadOf(ratios(row, base, measure));
  return Number.isNaN(middle) ? '' : `${middle.toFixed(2)} (${lower.toFixed(2)}–${upper.toFixed(2)})`;
}

function failed(row: Row): string {
  const failures = valuesOf(row, 'failures').reduce((a, b) => a + b, 0);
  return failures === 0 ? '' : ` (${failures} failed)`;
}
