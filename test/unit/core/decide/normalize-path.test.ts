import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalizePath } from '../../../../core/decide/normalize-path.ts';

const kept = [
  '/',
  '/a',
  '/a/b/',
  '/a//b',
  '//',
  '/a/...',
  '/a/.hidden',
  '/a.b/c..',
  '/a/..b',
  '/%C3%A9',
  '/a;x=1',
  '*',
  '/%252e',
  '/a/~b-_.c',
];

for (const path of kept) {
  test(`${path} is in normal form already`, () => assert.equal(normalizePath(path), path));
}

const changed: readonly (readonly [string, string])[] = [
  // RFC 3986 §5.2.4's own example.
  ['/a/b/c/./../../g', '/a/g'],
  ['/.', '/'],
  ['/..', '/'],
  ['/../../a', '/a'],
  ['/a/..', '/'],
  ['/a/b/..', '/a/'],
  ['/a/b/.', '/a/b/'],
  ['/a/./b', '/a/b'],
  ['/a//../b', '/a/b'],
  ['/a/%2e%2e/b', '/b'],
  ['/a/.%2E/b', '/b'],
  ['/a/%2e', '/a/'],
  ['/%61%7e%5F', '/a~_'],
  ['/%c3%a9', '/%C3%A9'],
  ['/%30%39%41%5A%61%7A', '/09AZaz'],
  ['/%40%5b%60%7b%3a', '/%40%5B%60%7B%3A'],
  ['/%3f%23', '/%3F%23'],
  ['/%25%32%65', '/%252e'],
];

for (const [path, normal] of changed) {
  test(`${path} becomes ${normal}`, () => assert.equal(normalizePath(path), normal));
}

const refused = [
  '',
  'a',
  '**',
  'http://a/',
  '/a%2fb',
  '/a%2Fb',
  '/%2f',
  '/a%5cb',
  '/a%00',
  '/a%',
  '/a%2',
  '/a%2g',
  '/a%zz',
  '/a%%41',
  '/a\\b',
  '/..\\a',
  '/a b',
  '/a\tb',
  '/a\u0000',
  '/a\u007f',
  '/a?b',
  '/a#b',
  '/a/..;/b',
  '/a/..;x=1',
  '/.;/b',
  '/a/%2e%2e;/b',
];

for (const path of refused) {
  test(`${JSON.stringify(path)} is refused`, () => assert.equal(normalizePath(path), null));
}

const pieces = fc.constantFrom(
  '/',
  '.',
  '..',
  'a',
  '%2e',
  '%2E',
  '%2f',
  '%41',
  '%',
  '%c3',
  ';',
  '\\',
  '//',
  '%25',
  '%5C',
  'é',
);
const hostile = fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join('')}`);

test('what is let through is in normal form: once more changes nothing, and no dot segment is left', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        hostile,
        fc.string().map((text) => `/${text}`),
      ),
      (path) => {
        const normal = normalizePath(path);
        if (normal === null) return;
        assert.equal(normalizePath(normal), normal);
        assert.ok(normal.startsWith('/'));
        for (const segment of normal.split('/')) {
          assert.ok(segment !== '.' && segment !== '..');
          // However often somebody behind us decodes what RFC 3986 lets them decode, no separator appears.
          assert.doesNotMatch(segment, /%2f|%5c|%00|\\/i);
        }
      },
    ),
    { numRuns: 10_000 },
  );
});

test('it resolves a path as the URL of the platform does, where that one has no other opinion', () => {
  const plain = fc.array(fc.constantFrom('/', '.', '..', 'a', '%2e', 'b/'), { maxLength: 12 });
  fc.assert(
    fc.property(plain, (parts) => {
      const path = `/a/${parts.join('')}`;
      assert.equal(normalizePath(path), new URL(`http://h${path}`).pathname.replaceAll('%2e', '.'));
    }),
    { numRuns: 5000 },
  );
});
