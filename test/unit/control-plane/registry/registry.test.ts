import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry, type Instance } from '../../../../control-plane/registry/registry.ts';
import { hostOfPeer, plainAddress } from '../../../../control-plane/registry/peer-address.ts';
import { MEMBERSHIP } from '../../../../core/decide/membership.ts';
import { clusterName } from '../../../../core/model/brand.ts';
import { fakeTimers } from '../../../support/fake-timers.ts';

const orders = (name: string, version: string | null, inboundPort = 15_006): Instance => ({
  account: 'orders',
  version,
  instance: name,
  address: '127.0.0.1',
  inboundPort,
});

function makeRegistry() {
  const timers = fakeTimers();
  const registry = new Registry({ policy: { ...MEMBERSHIP, grace: 2_000 }, now: timers.now, after: timers.after });
  let changes = 0;
  registry.onChange(() => {
    changes++;
  });
  const ids = (service: string, version?: string) =>
    registry.endpointsOf(clusterName(service, version)).map(({ id }) => id);
  return { timers, registry, ids, changes: () => changes };
}

test('a cluster has the instances of its service, a version of it only those of the version', () => {
  const { registry, ids } = makeRegistry();
  registry.join(orders('orders-3', 'v2', 3));
  registry.join(orders('orders-1', 'v1', 1));
  registry.join(orders('orders-2', 'v1', 2));
  registry.join({ ...orders('users-1', null), account: 'users' });
  assert.deepEqual(ids('orders'), ['orders-1', 'orders-2', 'orders-3']);
  assert.deepEqual(ids('orders', 'v1'), ['orders-1', 'orders-2']);
  assert.deepEqual(ids('users'), ['users-1']);
  assert.deepEqual(ids('nobody'), []);
  assert.deepEqual(registry.endpointsOf(clusterName('orders', 'v2')), [
    { id: 'orders-3', host: '127.0.0.1', port: 3, weight: 1 },
  ]);
});

test('an edge or a job is an instance that nobody can call', () => {
  const { registry, ids } = makeRegistry();
  registry.join({ ...orders('edge-main-1', null, 0), account: 'edge-main' });
  assert.deepEqual(ids('edge-main'), []);
  assert.equal(registry.instances().length, 1);
});

test('an instance whose stream is lost keeps its place for the grace time', () => {
  const { registry, timers, ids, changes } = makeRegistry();
  const place = registry.join(orders('orders-1', null));
  place.leave('lost');
  timers.advance(1_999);
  assert.deepEqual(ids('orders'), ['orders-1']);
  assert.equal(changes(), 1);
  timers.advance(1);
  assert.deepEqual(ids('orders'), []);
  assert.equal(changes(), 2);
});

test('an instance that comes back within the grace time is no event', () => {
  const { registry, timers, ids, changes } = makeRegistry();
  registry.join(orders('orders-1', null)).leave('lost');
  timers.advance(1_000);
  registry.join(orders('orders-1', null));
  assert.equal(timers.pending(), 0);
  timers.advance(60_000);
  assert.deepEqual(ids('orders'), ['orders-1']);
  assert.equal(changes(), 1);
});

test('an instance that says goodbye is gone at once', () => {
  const { registry, ids, timers } = makeRegistry();
  registry.join(orders('orders-1', null)).leave('left');
  assert.deepEqual(ids('orders'), []);
  assert.equal(timers.pending(), 0);
});

test('an older stream of an instance cannot take the newer one out', () => {
  const { registry, timers, ids } = makeRegistry();
  const old = registry.join(orders('orders-1', null, 1));
  const place = registry.join(orders('orders-1', null, 2));
  old.leave('left');
  old.leave('lost');
  timers.advance(60_000);
  assert.deepEqual(ids('orders'), ['orders-1']);
  place.leave('lost');
  timers.advance(2_000);
  assert.deepEqual(ids('orders'), []);
});

test('an instance that comes back on another port is a change', () => {
  const { registry, changes } = makeRegistry();
  registry.join(orders('orders-1', null, 1)).leave('lost');
  registry.join(orders('orders-1', null, 2));
  assert.equal(changes(), 2);
  assert.equal(registry.endpointsOf(clusterName('orders'))[0]?.port, 2);
});

test('the endpoints of a cluster are one list until one of its instances changes', () => {
  const { registry } = makeRegistry();
  registry.join(orders('orders-1', 'v1'));
  const before = registry.endpointsOf(clusterName('orders'));
  registry.join({ ...orders('users-1', null), account: 'users' });
  assert.equal(registry.endpointsOf(clusterName('orders')), before);
  registry.join(orders('orders-2', 'v2'));
  assert.notEqual(registry.endpointsOf(clusterName('orders')), before);
});

test('a closed registry has no timer left', () => {
  const { registry, timers } = makeRegistry();
  registry.join(orders('orders-1', null)).leave('lost');
  registry.close();
  registry.join(orders('orders-2', null)).leave('lost');
  assert.equal(timers.pending(), 0);
});

test('the address of a peer has one spelling', () => {
  assert.equal(hostOfPeer('127.0.0.1:4711'), '127.0.0.1');
  assert.equal(hostOfPeer('::ffff:10.0.0.7:4711'), '10.0.0.7');
  assert.equal(hostOfPeer('[::1]:4711'), '::1');
  assert.equal(hostOfPeer('::1:4711'), '::1');
  assert.equal(hostOfPeer('unknown'), null);
  assert.equal(hostOfPeer('some-host:80'), null);
  assert.equal(plainAddress('::FFFF:192.168.0.1'), '192.168.0.1');
});

test('an instance that may not be called is in no list, and comes back to its place', () => {
  const { registry, ids, changes } = makeRegistry();
  const place = registry.join(orders('orders-1', 'v1'), false);
  assert.deepEqual([ids('orders'), registry.instances(), changes()], [[], [], 0]);
  place.setCallable(true);
  assert.deepEqual([ids('orders'), ids('orders', 'v1'), changes()], [['orders-1'], ['orders-1'], 1]);
  place.setCallable(true);
  place.setCallable(false);
  assert.deepEqual([ids('orders'), changes()], [[], 2]);
});

test('a stream that comes back without a word about it may be called as little as before', () => {
  const { registry, ids, timers } = makeRegistry();
  const place = registry.join(orders('orders-1', null));
  place.setCallable(false);
  place.leave('lost');
  timers.advance(1_000);
  const again = registry.join(orders('orders-1', null));
  place.setCallable(true);
  assert.deepEqual(ids('orders'), [], 'the older stream has nothing to say');
  again.setCallable(true);
  assert.deepEqual(ids('orders'), ['orders-1']);
});

test('whoever comes up where a lost one was takes its place at once', () => {
  const { registry, ids } = makeRegistry();
  registry.join(orders('orders-1', null, 1)).leave('lost');
  registry.join(orders('orders-2', null, 2));
  registry.join({ ...orders('users-1', null, 1), account: 'users' });
  assert.deepEqual([ids('orders'), ids('users')], [['orders-2'], ['users-1']]);
  registry.join(orders('orders-3', null, 2));
  assert.deepEqual(ids('orders'), ['orders-2', 'orders-3'], 'one that is connected stays');
});

test('instances of an earlier run count as there until their time is up or they are back', () => {
  const { registry, ids, timers } = makeRegistry();
  registry.expect([orders('orders-1', null, 1), orders('orders-2', null, 2)], 8_000);
  registry.join(orders('orders-2', null, 2));
  assert.deepEqual(ids('orders'), ['orders-1', 'orders-2']);
  assert.deepEqual(
    registry.lost().map(({ instance }) => instance),
    ['orders-1'],
  );
  timers.advance(8_000);
  assert.deepEqual(ids('orders'), ['orders-2']);
});
