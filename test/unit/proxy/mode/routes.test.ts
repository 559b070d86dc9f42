import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshError } from '../../../../core/kit/error.ts';
import { clusterName } from '../../../../core/model/brand.ts';
import type { Route } from '../../../../core/model/view.ts';
import { CompiledRoutes } from '../../../../proxy/mode/routes.ts';
import { RequestTarget } from '../../../../core/decide/request-target.ts';
import { FakeCluster, testHead, testRecord } from '../../../support/exchange-fakes.ts';
import { route, staticCluster } from '../../../support/proxy-harness.ts';

const clusters = new Map(['v1', 'v2'].map((name) => [name, new FakeCluster(staticCluster(name), ['a'])]));
const find = (name: string): FakeCluster | null => clusters.get(name) ?? null;

function targetOf(path: string): RequestTarget {
  const target = new RequestTarget();
  assert.equal(target.read(testHead({}, { target: path })), true);
  return target;
}

function split(weights: Readonly<Record<string, number>>): Route {
  const all = Object.entries(weights).map(([name, weight]) => ({ cluster: clusterName(name), weight }));
  return { ...route('/'), split: all };
}

test('the matched route is on the record, and is the rule of the outcome', () => {
  const routes = new CompiledRoutes(
    {
      name: 't',
      routes: [route('/', { to: 'v1' }), route('/api', { to: 'v2', index: 1, rewriteTo: '/new', timeout: 7 })],
    },
    find,
    () => 0,
  );
  const record = testRecord();
  const action = routes.match(targetOf('/api/1?q'), record);
  assert.ok(!(action instanceof MeshError));
  assert.equal(record.route, 'edges.main.routes[1]');
  assert.equal(record.rule, 'edges.main.routes[1]');
  assert.equal(action.timeout, 7);
  assert.equal(action.choose(), clusters.get('v2'));
  assert.equal(action.rewrite('/api/1?q'), '/new/1?q');
});

test('no route is an expected outcome with its own code', () => {
  const routes = new CompiledRoutes({ name: 't', routes: [route('/api', { to: 'v1' })] }, find, () => 0);
  const none = routes.match(targetOf('/apix'), testRecord());
  assert.ok(none instanceof MeshError);
  assert.equal(none.code, 'no-route');
});

test('a split follows its weights', () => {
  let next = 0;
  const routes = new CompiledRoutes({ name: 't', routes: [split({ v1: 95, v2: 5 })] }, find, () => next++ / 100);
  const chosen = Array.from({ length: 100 }, () => {
    const action = routes.match(targetOf('/'), testRecord());
    return action instanceof MeshError ? 'none' : action.choose()?.cluster.name;
  });
  assert.equal(chosen.filter((name) => name === 'v1').length, 95);
  assert.equal(chosen.filter((name) => name === 'v2').length, 5);
});

test('a route to a cluster that is not in the view leads nowhere', () => {
  const routes = new CompiledRoutes({ name: 't', routes: [route('/', { to: 'gone' })] }, find, () => 0);
  const action = routes.match(targetOf('/'), testRecord());
  assert.ok(!(action instanceof MeshError));
  assert.equal(action.choose(), null);
});
