// Lines of a head that nobody touched go on as they came: which must never show.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FieldParser } from '../../../../proxy/http1/fields.ts';
import { SERVER_LIMITS } from '../../../../proxy/http1/limits.ts';
import { requestHead } from '../../../../proxy/http1/write-head.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';

const NAMES = ['Accept', 'X-A', 'x-a', 'Host', 'Connection', 'TE', 'X-Weft-B', 'Te', 'X-Request-Id', 'Keep-Alive'];

function parsed(text: string): HeaderList | null {
  const parser = new FieldParser(SERVER_LIMITS);
  return parser.parse(text, 0, text.length) ? parser.headers : null;
}

/** The same fields, with nothing known of how they came. */
function plain(headers: HeaderList): HeaderList {
  const list = new HeaderList();
  for (let i = 0; i < headers.fields.length; i += 2)
    list.add(headers.fields[i] as string, headers.fields[i + 1] as string);
  return list;
}

const write = (headers: HeaderList): string => requestHead('GET', '/', 'host', headers, '');

const line = fc
  .record({
    name: fc.constantFrom(...NAMES),
    before: fc.constantFrom('', ' ', ' ', ' ', '\t', '  '),
    value: fc.constantFrom('', '1', 'a b', 'close', 'x-a', 'trailers', '\xe9'),
    after: fc.constantFrom('', '', '', ' ', '\t'),
  })
  .map(({ name, before, value, after }) => `${name}:${before}${value}${after}\r\n`);

const change = fc.oneof(
  fc.record({ what: fc.constant('add'), name: fc.constantFrom('via', 'x-a'), value: fc.constantFrom('1', 'new') }),
  fc.record({
    what: fc.constant('set'),
    name: fc.constantFrom('x-a', 'accept', 'x-new'),
    value: fc.constantFrom('1', '2'),
  }),
  fc.record({
    what: fc.constantFrom('remove', 'prefix'),
    name: fc.constantFrom('x-a', 'x-', 'accept'),
    value: fc.constant(''),
  }),
  fc.record({ what: fc.constant('at'), name: fc.nat(9).map(String), value: fc.constantFrom('', '1', 'other') }),
);

function apply(headers: HeaderList, { what, name, value }: { what: string; name: string; value: string }): void {
  if (what === 'add') headers.add(name, value);
  else if (what === 'set') headers.set(name, value);
  else if (what === 'remove') headers.remove(name);
  else if (what === 'prefix') headers.removePrefix(name);
  else if (headers.count > 0) {
    const index = (Number(name) % headers.count) * 2;
    if (value === '') headers.removeAt(index);
    else headers.setAt(index, value);
  }
}

test('a head is written alike whether its fields came in lines or one by one, whatever was changed in between', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.array(change, { maxLength: 5 }), (lines, changes) => {
      const headers = parsed(lines.join(''));
      fc.pre(headers !== null);
      const twin = plain(headers);
      assert.equal(write(headers), write(twin));
      for (const one of changes) {
        apply(headers, one);
        apply(twin, one);
        assert.deepEqual(headers.fields, twin.fields);
        assert.equal(write(headers), write(twin));
      }
    }),
    { numRuns: 1_000 },
  );
});

test('lines that follow each other go on as one piece; what the hop keeps to itself and odd spacing end it', () => {
  const text = 'A: 1\r\nB: 2\r\nConnection: close\r\nC: 3\r\nD:4\r\nE: 5 \r\nF: 6\r\n';
  const headers = parsed(text);
  assert.deepEqual(
    headers?.runs.map(({ from, to }) => text.slice(from, to)),
    ['A: 1\r\nB: 2\r\n', 'C: 3\r\n', 'F: 6\r\n'],
  );
});

test('what is added to a list is checked when it is written, beside lines that were', () => {
  const headers = parsed('A: 1\r\n');
  headers?.add('x', 'two\r\nlines: 1');
  assert.throws(() => write(headers ?? new HeaderList()), { code: 'internal' });
  const changed = parsed('A: 1\r\nB: 2\r\n');
  changed?.set('b', 'two\r\nlines: 1');
  assert.throws(() => write(changed ?? new HeaderList()), { code: 'internal' });
});
