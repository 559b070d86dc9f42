import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpolate, parseEnvFile } from '../../../../../control-plane/cli/compose/interpolate.ts';

const variables = new Map([
  ['SET', 'value'],
  ['EMPTY', ''],
]);

// Source: docs.docker.com/reference/compose-file/interpolation.
const CASES: readonly (readonly [string, string])[] = [
  ['no variable', 'no variable'],
  ['$SET', 'value'],
  ['a${SET}b', 'avalueb'],
  ['$SET/${SET}', 'value/value'],
  ['$$SET', '$SET'],
  ['$UNSET.', '.'],
  ['${UNSET-x}', 'x'],
  ['${EMPTY-x}', ''],
  ['${EMPTY:-x}', 'x'],
  ['${SET:-x}', 'value'],
  ['${SET+x}', 'x'],
  ['${EMPTY+x}', 'x'],
  ['${EMPTY:+x}', ''],
  ['${UNSET+x}', ''],
  ['${SET:?said}', 'value'],
  ['${UNSET:?said}', ''],
  ['${UNSET:-${ALSO:-${SET}}}', 'value'],
  ['${UNSET:-http://a:80/{x}}', 'http://a:80/{x}'],
  ['${', '${'],
  ['${}', '${}'],
  ['$', '$'],
  ['$1', '$1'],
  ['${UNSET', '${UNSET'],
];

for (const [text, expected] of CASES) {
  test(`${JSON.stringify(text)} is read as ${JSON.stringify(expected)}`, () => {
    assert.equal(interpolate(text, variables), expected);
  });
}

test('a text of nothing but braces is read in one go', () => {
  for (const text of ['${'.repeat(300_000), `${'${'.repeat(150_000)}${'}'.repeat(150_000)}`]) {
    assert.equal(interpolate(text, variables), text);
  }
});

test('defaults nested without end come to an end', () => {
  const text = `${'${A:-'.repeat(10_000)}x${'}'.repeat(10_000)}`;
  assert.equal(interpolate(text, new Map()), '');
});

test('an env file has names with values, quotes, comments and exports', () => {
  const text = ['# c', 'A=1', ' export B = "two words" # c', "C='#3'", 'D=x # c', 'E=', 'bad line', 'F: 6', ''].join(
    '\r\n',
  );
  assert.deepEqual(parseEnvFile(text), [
    ['A', '1'],
    ['B', 'two words'],
    ['C', '#3'],
    ['D', 'x'],
    ['E', ''],
    ['F', '6'],
  ]);
});
