import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_DURATION, parseDuration } from '../../../../core/config/duration.ts';

test('durations are milliseconds', () => {
  for (const [text, value] of [
    ['2s', 2000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['1.1s', 1100],
    ['0.001s', 1],
    ['1m', 60_000],
    ['24h', MAX_DURATION],
    ['0', 0],
    ['0s', 0],
    [0, 0],
  ] as const) {
    assert.equal(parseDuration(text), value, String(text));
  }
});

test('what is no duration, no whole number of milliseconds or longer than a day is null', () => {
  for (const text of [
    '',
    '2',
    '2 s',
    's',
    '-1s',
    '1e3s',
    '0.5ms',
    '0.0001s',
    '25h',
    '1d',
    '２s',
    '1s ',
    '99999999999ms',
  ]) {
    assert.equal(parseDuration(text), null, text);
  }
});

test('every whole number of milliseconds up to a day can be written in seconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_DURATION }), (value) => {
      assert.equal(parseDuration(`${value}ms`), value);
      assert.equal(parseDuration(`${(value / 1000).toFixed(3)}s`), value);
    }),
  );
});
