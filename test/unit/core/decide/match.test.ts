import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compileMatcher,
  conditionsHold,
  hostMatches,
  type MatchInput,
  queryValue,
} from '../../../../core/decide/match.ts';
import { compilePath, pathMatches } from '../../../../core/decide/path.ts';
import type { RouteMatch } from '../../../../core/model/mesh.ts';
import type { Route } from '../../../../core/model/view.ts';
import { type Request, request, route } from './routes.ts';

function chosen(routes: readonly Route[], asked: Request): string | null {
  return compileMatcher(routes).match(request(asked))?.ruleId ?? null;
}

test('exact goes before template, template before prefix, prefix before glob, whatever the order in the file', () => {
  const routes = [route('/**'), route('prefix /users'), route('/users/{id}'), route('/users/me')];
  assert.equal(chosen(routes, { path: '/users/me' }), '/users/me');
  assert.equal(chosen(routes, { path: '/users/42' }), '/users/{id}');
  assert.equal(chosen(routes, { path: '/users/42/orders' }), 'prefix /users');
  assert.equal(chosen(routes, { path: '/other' }), '/**');
});

test('a prefix goes before a longer glob', () => {
  assert.equal(chosen([route('/a/b/c/**'), route('prefix /a')], { path: '/a/b/c/d' }), 'prefix /a');
});

test('within a kind the longer literal beginning goes first', () => {
  const routes = [route('prefix /'), route('prefix /a'), route('prefix /a/b'), route('/{x}/b'), route('/a/{y}')];
  assert.equal(chosen(routes, { path: '/a/b' }), '/a/{y}');
  assert.equal(chosen(routes, { path: '/c/b' }), '/{x}/b');
  assert.equal(chosen(routes, { path: '/a/b/c' }), 'prefix /a/b');
  assert.equal(chosen(routes, { path: '/a/c/c' }), 'prefix /a');
  assert.equal(chosen(routes, { path: '/z/z/z' }), 'prefix /');
  assert.equal(chosen([route('/api/**'), route('/api/orders/**')], { path: '/api/orders' }), '/api/orders/**');
});

test('between equals the order in the file decides', () => {
  const routes = [route('/a/{x}', {}, 'first'), route('/a/{y}', {}, 'second')];
  assert.equal(chosen(routes, { path: '/a/b' }), 'first');
  const posted = [route('/a', { methods: ['POST'] }, 'post'), route('/a', {}, 'any')];
  assert.equal(chosen(posted, { path: '/a', method: 'POST' }), 'post');
  assert.equal(chosen(posted, { path: '/a', method: 'GET' }), 'any');
});

test('a more specific route whose conditions do not hold leaves the request to the next one', () => {
  const routes = [
    route('/**'),
    route('/a', { methods: ['POST'] }, 'post'),
    route('/{x}', { hosts: ['b.test'] }, 'host'),
    route('prefix /a', { headers: [{ name: 'x-beta', value: '1' }] }, 'header'),
    route('/a/**', { query: [{ name: 'v', value: '2' }] }, 'query'),
  ];
  assert.equal(chosen(routes, { path: '/a', method: 'POST' }), 'post');
  assert.equal(chosen(routes, { path: '/a', host: 'b.test' }), 'host');
  assert.equal(chosen(routes, { path: '/a', headers: { 'x-beta': '1' } }), 'header');
  assert.equal(chosen(routes, { path: '/a', query: 'v=2' }), 'query');
  assert.equal(chosen(routes, { path: '/a' }), '/**');
  assert.equal(chosen(routes.slice(1), { path: '/a' }), null);
});

test('methods are case-sensitive, and every header and parameter must be there', () => {
  const match = {
    methods: ['GET'],
    headers: [
      { name: 'a', value: '1' },
      { name: 'b', value: '' },
    ],
    query: [{ name: 'q', value: 'x y' }],
  };
  const routes = [route('/a', match)];
  const good = { path: '/a', headers: { a: '1', b: '' }, query: 'q=x+y' };
  assert.equal(chosen(routes, good), '/a');
  assert.equal(chosen(routes, { ...good, method: 'get' }), null);
  assert.equal(chosen(routes, { ...good, headers: { a: '1' } }), null);
  assert.equal(chosen(routes, { ...good, headers: { a: '11', b: '' } }), null);
  assert.equal(chosen(routes, { ...good, query: 'q=z&q=x+y' }), null);
});

test('a path that is no path matches nothing but itself', () => {
  const routes = [
    route('/**'),
    route('prefix /'),
    route('*'),
    { ...route('/a'), match: { ...route('/a').match, path: { kind: 'exact', path: '*' } } } as const,
  ];
  assert.equal(chosen(routes.slice(0, 3), { path: '*', method: 'OPTIONS' }), null);
  assert.equal(chosen(routes, { path: '*', method: 'OPTIONS' }), '/a');
  assert.equal(chosen(routes, { path: '' }), null);
});

test('names of the language are ordinary segments', () => {
  const routes = [route('/__proto__/{x}'), route('prefix /constructor')];
  assert.equal(chosen(routes, { path: '/__proto__/a' }), '/__proto__/{x}');
  assert.equal(chosen(routes, { path: '/constructor' }), 'prefix /constructor');
  assert.equal(chosen(routes, { path: '/toString/a' }), null);
});

test('hosts are exact names or a suffix of one label or more; none given is every host', () => {
  assert.ok(hostMatches([], 'any'));
  assert.ok(hostMatches(['a.test', '*.b.test'], 'a.test'));
  assert.ok(hostMatches(['*.b.test'], 'x.b.test') && hostMatches(['*.b.test'], 'x.y.b.test'));
  assert.ok(
    !hostMatches(['*.b.test'], 'b.test') &&
      !hostMatches(['*.b.test'], '.b.test') &&
      !hostMatches(['*.b.test'], 'xb.test'),
  );
  assert.ok(!hostMatches(['a.test'], 'a.test.evil') && !hostMatches(['a.test'], ''));
});

test('a query is read as forms write it, first value first, and broken escapes are text', () => {
  assert.equal(queryValue('a=1&b=2&a=3', 'a'), '1');
  assert.equal(queryValue('a=1&b=2', 'b'), '2');
  assert.equal(queryValue('a&b=2', 'a'), '');
  assert.equal(queryValue('a=b=c', 'a'), 'b=c');
  assert.equal(queryValue('%61=x%20y', 'a'), 'x y');
  assert.equal(queryValue('a=%zz', 'a'), '%zz');
  assert.equal(queryValue('ab=1&&', 'a'), undefined);
  assert.equal(queryValue('', 'a'), undefined);
});

/** The same meaning in the plainest way: every route, sorted, one after the other. */
function reference(routes: readonly Route[], input: MatchInput): Route | null {
  const kinds = ['exact', 'template', 'prefix', 'glob'];
  const literal = ({ kind, path }: Route['match']['path']): number => {
    if (kind === 'exact') return path.length;
    if (kind === 'prefix') return path.replace(/\/$/, '').length + 1;
    const wild = path.search(kind === 'template' ? /\{/ : /\*/);
    return wild === -1 ? path.length : wild;
  };
  const sorted = routes.toSorted((a, b) => {
    const byKind = kinds.indexOf(a.match.path.kind) - kinds.indexOf(b.match.path.kind);
    return byKind || literal(b.match.path) - literal(a.match.path);
  });
  const found = sorted.find(
    ({ match }) => pathMatches(compilePath(match.path), input.path) && conditionsHold(match, input),
  );
  return found ?? null;
}

const segment = fc.constantFrom('a', 'b', 'c');
const optional = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { maxLength: 1 });
const conditions: fc.Arbitrary<Partial<RouteMatch>> = fc.record({
  hosts: optional(fc.constantFrom('a.test', '*.test')),
  methods: optional(fc.constantFrom('GET', 'POST')),
  headers: optional(fc.constant({ name: 'x', value: '1' })),
  query: optional(fc.constant({ name: 'q', value: '1' })),
});
const anyPath = fc.oneof(
  fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`),
  fc.array(fc.oneof(segment, fc.constant('{x}')), { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`),
  fc.array(segment, { maxLength: 2 }).map((parts) => `prefix /${parts.join('/')}`),
  fc.array(fc.oneof(segment, fc.constant('*')), { maxLength: 2 }).map((parts) => ['', ...parts, '**'].join('/')),
);
const anyRoutes = fc
  .array(fc.tuple(anyPath, conditions), { minLength: 1, maxLength: 12 })
  .map((list) => list.map(([path, match], index) => route(path, match, `${index} ${path}`)));
const anyRequest = fc
  .record({
    host: fc.constantFrom('a.test', 'b.test', 'other'),
    method: fc.constantFrom('GET', 'POST'),
    path: fc.array(fc.oneof(segment, fc.constant('')), { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
    query: fc.constantFrom('', 'q=1'),
    headers: fc.constantFrom({}, { x: '1' }),
  })
  .map(request);

test('the compiled matcher chooses what trying every route in order would choose', () => {
  fc.assert(
    fc.property(anyRoutes, fc.array(anyRequest, { minLength: 5, maxLength: 20 }), (routes, requests) => {
      const matcher = compileMatcher(routes);
      for (const one of requests) assert.equal(matcher.match(one)?.ruleId, reference(routes, one)?.ruleId);
    }),
    { numRuns: 2000 },
  );
});

test('a hostile path costs no more visits than there are places in the tree', () => {
  // {x}/{x}/… beside a/a/…: each level has two ways on, so trying all ways would be 2^16.
  const routes: Route[] = [];
  for (let depth = 1; depth <= 16; depth++) {
    for (const first of ['a', '{x}']) routes.push(route(`/${first}${'/{x}'.repeat(depth - 1)}/b`));
    for (const first of ['a', '{x}']) routes.push(route(`/${first}${'/a'.repeat(depth - 1)}/b`));
  }
  const matcher = compileMatcher(routes);
  const input = request({ path: `/${'a/'.repeat(4000)}` });
  const started = performance.now();
  for (let i = 0; i < 1000; i++) assert.equal(matcher.match(input), null);
  assert.ok(performance.now() - started < 2000);
});
