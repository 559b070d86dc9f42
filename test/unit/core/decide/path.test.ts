import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePath, pathCovers, pathMatches, pathsOverlap } from '../../../../core/decide/path.ts';
import { pattern } from './routes.ts';

const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['/healthz', ['/healthz'], ['/healthz/', '/Healthz', '/healthz/x', '/', '']],
  ['/', ['/'], ['//', '/a', '']],
  [
    '/users/{id}',
    ['/users/42', '/users/{id}', '/users/%2A'],
    ['/users', '/users/', '/users/42/', '/users/42/x', '/user/42'],
  ],
  ['/users/{id}/', ['/users/42/'], ['/users/42', '/users//']],
  ['/{a}/{b}', ['/x/y'], ['/x', '/x/', '//y', '/x/y/z']],
  ['/x{a}', ['/x{a}'], ['/xy']],
  ['prefix /static', ['/static', '/static/', '/static/a/b'], ['/statics', '/stati', '/']],
  ['prefix /static/', ['/static', '/static/', '/static/a'], ['/statics']],
  ['prefix /', ['/', '/a', '//', '/a/b'], ['', '*']],
  ['/api/orders/**', ['/api/orders', '/api/orders/', '/api/orders/1/lines'], ['/api/orders2', '/api', '/api/order']],
  ['/**', ['/', '/a', '/a/b/'], ['', '*', 'a']],
  ['/a/*/c', ['/a/b/c'], ['/a//c', '/a/c', '/a/b/c/', '/a/b/d/c']],
  ['/a/*/**', ['/a/b', '/a/b/', '/a/b/c'], ['/a', '/a/', '/a//c']],
  ['/a/*.png', ['/a/*.png'], ['/a/b.png']],
  ['/a/**/c', ['/a/**/c'], ['/a/b/c', '/a/c']],
];

for (const [text, hits, misses] of table) {
  test(`${text} matches what it says and nothing else`, () => {
    const compiled = compilePath(pattern(text));
    for (const path of hits) assert.ok(pathMatches(compiled, path), `${text} should match ${path}`);
    for (const path of misses) assert.ok(!pathMatches(compiled, path), `${text} should not match ${path}`);
  });
}

const segment = fc.constantFrom('a', 'b', 'c', '');
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
const anyPattern = fc.oneof(
  path,
  fc.array(fc.constantFrom('a', 'b', '{x}'), { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`),
  fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 }).map((parts) => `prefix /${parts.join('/')}`),
  fc
    .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 3 }), fc.constantFrom('*', '**'))
    .map(([parts, last]) => `/${[...parts, last].join('/')}`),
);

test('a pattern that covers another matches every path of it', () => {
  fc.assert(
    fc.property(anyPattern, anyPattern, path, (outer, inner, one) => {
      const [wide, narrow] = [compilePath(pattern(outer)), compilePath(pattern(inner))];
      if (pathCovers(wide, narrow) && pathMatches(narrow, one)) assert.ok(pathMatches(wide, one));
    }),
    { numRuns: 5000 },
  );
});

test('two patterns that both match some path overlap', () => {
  fc.assert(
    fc.property(anyPattern, anyPattern, path, (first, second, one) => {
      const [a, b] = [compilePath(pattern(first)), compilePath(pattern(second))];
      if (pathMatches(a, one) && pathMatches(b, one)) assert.ok(pathsOverlap(a, b) && pathsOverlap(b, a));
    }),
    { numRuns: 5000 },
  );
});

test('covering and overlapping are said where they hold, too', () => {
  const covers = (a: string, b: string): boolean => pathCovers(compilePath(pattern(a)), compilePath(pattern(b)));
  const overlap = (a: string, b: string): boolean => pathsOverlap(compilePath(pattern(a)), compilePath(pattern(b)));
  assert.ok(
    covers('/a/**', 'prefix /a') && covers('prefix /a', '/a/**') && covers('/{x}', '/a') && covers('/**', '/a/{b}'),
  );
  assert.ok(!covers('/a/*', '/a/**') && !covers('/a', '/{x}') && !covers('/{x}', '/') && !covers('/a/**', '/b/**'));
  assert.ok(overlap('/{x}/b', '/a/{y}') && overlap('/a/**', '/{x}/b/c') && overlap('prefix /a', '/a'));
  assert.ok(!overlap('/{x}/b', '/a/c') && !overlap('/a/{x}', '/a') && !overlap('/{x}', '/'));
});
