import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeError, MeshError } from '../../../../core/kit/error.ts';
import { ERRORS, type ErrorCode, type ErrorEntry } from '../../../../core/kit/error-table.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];
const entries: readonly (readonly [string, ErrorEntry])[] = Object.entries(ERRORS);

/** The rows of every table in docs/errors.md: code, HTTP, gRPC, flag, meaning, remedy. */
function documented(): string[][] {
  const text = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => {
    const cells = row.split('|').slice(1, -1);
    return cells.map((cell) => cell.trim());
  });
}

test('docs/errors.md has every code once, with its statuses and its flag', () => {
  const row = (cells: readonly string[]): string => cells.slice(0, 4).join(' | ');
  const expected = entries.map(([code, { http, grpc, flag }]) =>
    row([`\`${code}\``, http === 0 ? '-' : `${http}`, `${grpc}`, flag]),
  );
  const found = documented().map(row);
  const missing = expected.filter((one) => !found.includes(one));
  const unknown = found.filter((one) => !expected.includes(one));
  assert.deepEqual({ missing, unknown }, { missing: [], unknown: [] }, 'keep docs/errors.md with the table');
  assert.equal(new Set(found).size, found.length, 'a row is there twice');
});

test('docs/errors.md says of every code what it means and what to do', () => {
  for (const row of documented()) {
    assert.equal(row.length, 6, row[0]);
    assert.ok((row[4] ?? '').length > 10 && (row[5] ?? '').length > 4, row[0]);
  }
});

test('every entry is whole: a status of its class or none, a gRPC failure, a known flag, one public sentence of its own', () => {
  // Source: Envoy access log, %RESPONSE_FLAGS%.
  const flags = new Set(['-', 'DPE', 'DT', 'DC', 'NR', 'UAEX', 'NC', 'UH', 'SI', 'UO', 'UF', 'UC', 'UR', 'UPE', 'UT']);
  for (const [code, entry] of entries) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    assert.ok(entry.http === 0 || (entry.http >= 400 && entry.http <= 599), code);
    assert.ok(entry.grpc >= 1 && entry.grpc <= 16, code);
    assert.ok(flags.has(entry.flag), `${code}: ${entry.flag}`);
    assert.match(entry.message, /^[a-z].{5,100}[^.]$/, code);
  }
  assert.equal(new Set(entries.map(([, entry]) => entry.message)).size, entries.length, 'a message is used twice');
});

test('an error keeps what is public apart from what is for the log', () => {
  const cause = new Error('low');
  for (const code of codes) {
    const error = new MeshError(code, { detail: 'orders at 10.0.0.7', hint: 'start it', unprocessed: true, cause });
    assert.equal(error.message, ERRORS[code].message);
    assert.ok(!error.message.includes('10.0.0.7'));
    assert.equal(error.cause, cause);
  }
});

test('an error is described in one line, whatever is in it', () => {
  const error = new MeshError('internal', { detail: 'two\n  lines', hint: 'a hint' });
  assert.equal(describeError(error), 'a fault inside the proxy: two lines (a hint)');
  assert.equal(describeError(new Error('a\nb')), 'a b');
  assert.equal(describeError('text'), 'text');
});
