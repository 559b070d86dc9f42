import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { formatToken, parseToken } from '../../../../certs/token/token-text.ts';

const TEXT = `weft1.0123456789abcdef.${'s'.repeat(43)}.${'r'.repeat(43)}`;

test('a token survives parsing and formatting, with white space around it', () => {
  const token = parseToken(` ${TEXT}\n`);
  assert.ok(token.ok);
  assert.equal(formatToken(token.value), TEXT);
});

test('its secret shows in no print of it', () => {
  const token = parseToken(TEXT);
  assert.ok(token.ok);
  for (const printed of [
    inspect(token),
    JSON.stringify(token),
    String(token.value.secret),
    inspect(token.value.secret),
  ]) {
    assert.ok(!printed.includes('sss'), printed);
  }
});

test('what is no token is refused without being repeated', () => {
  for (const text of [
    '',
    'weft1',
    'weft1.x.y.z',
    TEXT.slice(1),
    `${TEXT}.x`,
    TEXT.replace('0123', '../0'),
    TEXT.toUpperCase(),
  ]) {
    const token = parseToken(text);
    assert.ok(!token.ok && token.error.code === 'token-invalid' && !token.error.detail.includes('ss'));
  }
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => assert.equal(parseToken(text).ok, false)));
});
