import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findAmbiguities } from '../../../../core/decide/ambiguity.ts';
import { compileMatcher } from '../../../../core/decide/match.ts';
import type { Route } from '../../../../core/model/view.ts';
import { request, route } from './routes.ts';

function found(...routes: Route[]): string[] {
  return findAmbiguities(routes).map(({ kind, first, other }) => `${first.ruleId} ${kind} ${other.ruleId}`);
}

test('a route that another one takes all requests from is shadowed', () => {
  assert.deepEqual(found(route('/a', {}, '1'), route('/a', {}, '2')), ['1 shadowed 2']);
  assert.deepEqual(found(route('/a', {}, '1'), route('/a', { methods: ['POST'] }, '2')), ['1 shadowed 2']);
  assert.deepEqual(found(route('/a/{x}', {}, '1'), route('/a/{y}', {}, '2')), ['1 shadowed 2']);
  assert.deepEqual(found(route('/a', { hosts: ['*.test'] }, '1'), route('/a', { hosts: ['x.test'] }, '2')), [
    '1 shadowed 2',
  ]);
});

test('also where the one that is never reached stands first in the file', () => {
  assert.deepEqual(found(route('/a/**', {}, 'glob'), route('prefix /a', {}, 'prefix')), ['prefix shadowed glob']);
  assert.deepEqual(found(route('/{a}/**', {}, 'g'), route('prefix /', {}, 'p')), ['p shadowed g']);
});

test('a route is said to be shadowed once', () => {
  assert.deepEqual(found(route('/a', {}, '1'), route('/a', {}, '2'), route('/a', {}, '3')), [
    '1 shadowed 2',
    '1 shadowed 3',
  ]);
});

test('a narrower route before a wider one is how it is meant', () => {
  const header = [{ name: 'x-beta', value: '1' }];
  assert.deepEqual(found(route('/a', { methods: ['POST'] }, '1'), route('/a', {}, '2')), []);
  assert.deepEqual(found(route('/a', { headers: header }, '1'), route('/a', {}, '2')), []);
  assert.deepEqual(
    found(route('/a', {}, '1'), route('/{x}', {}, '2'), route('prefix /', {}, '3'), route('/**', {}, '4')),
    ['3 shadowed 4'],
  );
  assert.deepEqual(found(route('prefix /a', {}, '1'), route('prefix /', {}, '2')), []);
});

test('two that meet in some requests, neither of them narrower, overlap', () => {
  const beta = [{ name: 'x-beta', value: '1' }];
  assert.deepEqual(found(route('/a', { methods: ['POST'] }, '1'), route('/a', { headers: beta }, '2')), [
    '1 overlap 2',
  ]);
  assert.deepEqual(
    found(route('/a', { methods: ['GET', 'POST'] }, '1'), route('/a', { methods: ['POST', 'PUT'] }, '2')),
    ['1 overlap 2'],
  );
  assert.deepEqual(found(route('/a/{x}/b/{y}', {}, '1'), route('/a/{x}/{y}/c', {}, '2')), ['1 overlap 2']);
  assert.deepEqual(
    found(route('/a', { hosts: ['*.x.test'] }, '1'), route('/a', { hosts: ['a.x.test'], methods: ['GET'] }, '2')),
    ['1 shadowed 2'],
  );
});

test('conditions are compared by name and by value', () => {
  const beta = (value: string, name = 'x-beta'): { name: string; value: string }[] => [{ name, value }];
  const first = route('/a', { headers: beta('1') }, '1');
  assert.deepEqual(found(first, route('/a', { headers: beta('1'), methods: ['GET'] }, '2')), ['1 shadowed 2']);
  assert.deepEqual(found(first, route('/a', { headers: beta('2'), methods: ['GET'] }, '2')), []);
  assert.deepEqual(found(first, route('/a', { headers: beta('1', 'x-other') }, '2')), ['1 overlap 2']);
  assert.deepEqual(found(first, route('/a', { headers: beta('2', 'x-other') }, '2')), ['1 overlap 2']);
  const wide = route('/a', { hosts: ['*.test'], methods: ['GET'] }, 'wide');
  const one = route('/a', { hosts: ['a.test'] }, 'one');
  assert.deepEqual(found(wide, one), ['wide overlap one']);
  assert.deepEqual(found(one, wide), ['one overlap wide']);
});

test('two that never meet, or whose order the path decides, do not', () => {
  assert.deepEqual(found(route('/a', { methods: ['GET'] }, '1'), route('/a', { methods: ['POST'] }, '2')), []);
  assert.deepEqual(found(route('/a', { hosts: ['a.test'] }, '1'), route('/a', { hosts: ['b.test'] }, '2')), []);
  const value = (text: string): { name: string; value: string }[] => [{ name: 'v', value: text }];
  assert.deepEqual(found(route('/a', { query: value('1') }, '1'), route('/a', { query: value('2') }, '2')), []);
  assert.deepEqual(found(route('/a', { headers: value('1') }, '1'), route('/a', { headers: value('2') }, '2')), []);
  assert.deepEqual(found(route('/{x}/b', {}, '1'), route('/a/{y}', {}, '2')), []);
});

test('what is called shadowed is never chosen', () => {
  const paths = fc.constantFrom('/a', '/a/{x}', '/{x}', 'prefix /a', 'prefix /', '/a/**', '/*/**', '/**', '/{x}/{y}');
  const methods = fc.constantFrom([], ['GET'], ['POST'], ['GET', 'POST']);
  const hosts = fc.constantFrom([], ['a.test'], ['*.test'], ['*.a.test']);
  const routes = fc
    .array(fc.tuple(paths, methods, hosts), { minLength: 2, maxLength: 6 })
    .map((list) => list.map(([path, ms, hs], index) => route(path, { methods: ms, hosts: hs }, `${index}`)));
  const asked = fc.record({
    path: fc.constantFrom('/', '/a', '/b', '/a/', '/a/b', '/b/c', '/a/b/c'),
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    host: fc.constantFrom('a.test', 'x.a.test', 'other'),
  });
  fc.assert(
    fc.property(routes, asked, (list, one) => {
      const shadowed = findAmbiguities(list).filter(({ kind }) => kind === 'shadowed');
      const winner = compileMatcher(list).match(request(one));
      assert.ok(shadowed.every(({ other }) => other !== winner));
    }),
    { numRuns: 5000 },
  );
});
