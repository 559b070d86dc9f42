import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rewriteTarget } from '../../../../core/decide/rewrite.ts';

const table: readonly (readonly [string, string, string, string])[] = [
  // Source of the first ones: Gateway API, the table of ReplacePrefixMatch.
  ['/foo/bar', '/foo', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo', '/xyz/', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz', '/xyz/bar'],
  ['/foo/bar', '/foo/', '/xyz/', '/xyz/bar'],
  ['/foo', '/foo', '/xyz', '/xyz'],
  ['/foo/', '/foo', '/xyz', '/xyz/'],
  ['/foo/bar', '/foo', '', '/bar'],
  ['/foo/', '/foo', '', '/'],
  ['/foo', '/foo', '', '/'],
  ['/foo/', '/foo', '/', '/'],
  ['/foo', '/foo', '/', '/'],
  ['/foo?q=1', '/foo', '/xyz', '/xyz?q=1'],
  ['/foo?q=/foo', '/foo', '/', '/?q=/foo'],
  ['/foo/a?q', '/foo', '/', '/a?q'],
  ['/foobar', '/foo', '/xyz', '/foobar'],
  ['/other/foo', '/foo', '/xyz', '/other/foo'],
  ['/a', '/', '/b', '/b/a'],
  ['/', '/', '/b', '/b/'],
  ['*', '/', '/b', '*'],
];

for (const [target, prefix, to, expected] of table) {
  test(`${target} with ${prefix} to ${to === '' ? 'nothing' : to} becomes ${expected}`, () => {
    assert.equal(rewriteTarget(target, { prefix, to }), expected);
  });
}

test('without a rewrite a target stays as it is', () => assert.equal(rewriteTarget('/a?b', null), '/a?b'));
