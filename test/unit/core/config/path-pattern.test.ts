import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alwaysHasPrefix, parsePathPattern, parsePathPrefix } from '../../../../core/config/path-pattern.ts';
import { compilePath, pathMatches } from '../../../../core/decide/path.ts';

function kindOf(text: string): string {
  const pattern = parsePathPattern(text);
  return pattern.ok ? `${pattern.value.kind} ${pattern.value.path}` : 'fault';
}

test('the kind of a pattern follows from how it is written', () => {
  assert.equal(kindOf('/'), 'exact /');
  assert.equal(kindOf('/healthz'), 'exact /healthz');
  assert.equal(kindOf('/a/'), 'exact /a/');
  assert.equal(kindOf('/users/{id}'), 'template /users/{id}');
  assert.equal(kindOf('/api/**'), 'glob /api/**');
  assert.equal(kindOf('/**'), 'glob /**');
  assert.equal(kindOf('/api/*/x'), 'glob /api/*/x');
  assert.equal(kindOf('/users/{id}/**'), 'glob /users/*/**');
  assert.equal(kindOf('/k%C3%A4se'), 'exact /k%C3%A4se');
});

test('what no request path can be is a fault', () => {
  for (const text of [
    '',
    'a',
    '/a?b',
    '/a#b',
    '/a b',
    '/ä',
    '/%',
    '/%4',
    '/a//b',
    '//',
    '/./a',
    '/a/..',
    '/a\\b',
    '/a"',
  ]) {
    assert.equal(kindOf(text), 'fault', text);
  }
  for (const text of ['/**/a', '/*.png', '/a**', '/x{id}', '/{id', '/{}', '/{1}', '/{a}/{a}', '/{a b}']) {
    assert.equal(kindOf(text), 'fault', text);
  }
});

test('a pattern is brought into the form in which request paths are matched', () => {
  assert.equal(kindOf('/%7euser/k%c3%a4se'), 'exact /~user/k%C3%A4se');
  assert.equal(kindOf('/%61/*'), 'glob /a/*');
  assert.deepEqual(parsePathPrefix('/%61/'), { ok: true, value: '/a' });
  for (const text of ['/a%2Fb', '/a%5cb', '/%00', '/a/..;x/b', '/a/%2e%2E/b', '/%2e'])
    assert.equal(kindOf(text), 'fault');
});

test('a prefix has no wildcards and no slash at its end', () => {
  assert.deepEqual(parsePathPrefix('/a/b/'), { ok: true, value: '/a/b' });
  assert.deepEqual(parsePathPrefix('/'), { ok: true, value: '/' });
  assert.equal(parsePathPrefix('/a/*').ok, false);
  assert.equal(parsePathPrefix('a').ok, false);
});

test('a pattern that always has a prefix matches no path without it', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', '*', '{x}', '**');
  const join = (parts: readonly string[]) => `/${parts.join('/')}`;
  const plain = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 }).map(join);
  const text = fc.array(segment, { minLength: 1, maxLength: 4 }).map(join);
  fc.assert(
    fc.property(text, plain, plain, (written, prefix, path) => {
      const pattern = parsePathPattern(written);
      if (!pattern.ok || !pathMatches(compilePath(pattern.value), path)) return;
      if (alwaysHasPrefix(pattern.value, prefix)) assert.ok(path === prefix || path.startsWith(`${prefix}/`));
    }),
    { numRuns: 3000 },
  );
  assert.equal(alwaysHasPrefix({ kind: 'prefix', path: '/a' }, '/a'), true);
  assert.equal(alwaysHasPrefix({ kind: 'glob', path: '/ab/**' }, '/a'), false);
});
