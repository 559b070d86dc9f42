import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshError } from '../../../../core/kit/error.ts';
import { clusterName } from '../../../../core/model/brand.ts';
import type { Cluster, Endpoint } from '../../../../core/model/view.ts';
import { ClusterSet, type ClusterView } from '../../../../proxy/cluster/cluster-set.ts';
import { POOL_LIMITS } from '../../../../proxy/cluster/pool.ts';
import { testHead } from '../../../support/exchange-fakes.ts';
import { endpointAt, staticCluster } from '../../../support/proxy-harness.ts';

/** Dialling fails for these ports. */
function clusterSet(dead: readonly number[] = []): ClusterSet {
  return new ClusterSet({
    dial: (_cluster, endpoint, done) => {
      queueMicrotask(() =>
        dead.includes(endpoint.port)
          ? done(new MeshError('wrong-identity', { unprocessed: true, detail: 'it is users' }), null)
          : done(null, null),
      );
      return () => {};
    },
    createConnection: () => {
      throw new Error('never connected here');
    },
    limits: POOL_LIMITS,
    now: () => 0,
    random: () => 0,
  });
}

function viewOf(clusters: Readonly<Record<string, readonly Endpoint[]>>, change: Partial<Cluster> = {}): ClusterView {
  const names = Object.keys(clusters);
  return {
    clusters: new Map(names.map((name) => [name, { ...staticCluster(name), ...change }])),
    endpoints: new Map(names.map((name) => [name, { cluster: clusterName(name), endpoints: clusters[name] ?? [] }])),
  };
}

function addresses(set: ClusterSet, name: string, count: number): string[] {
  const handle = set.handle(name);
  return Array.from({ length: count }, () => handle?.pick(null)?.address.split(':')[1] ?? 'none');
}

test('round robin takes turns, and by weight where endpoints have weights', () => {
  const set = clusterSet();
  set.commit(set.prepare(viewOf({ up: [1, 2, 3].map(endpointAt) })));
  assert.deepEqual(addresses(set, 'up', 6), ['1', '2', '3', '1', '2', '3']);
  set.commit(set.prepare(viewOf({ up: [{ ...endpointAt(1), weight: 3 }, endpointAt(2)] })));
  assert.deepEqual(addresses(set, 'up', 8).filter((port) => port === '1').length, 6);
});

test('a second try goes elsewhere where it can, and takes nobody’s turn', () => {
  const set = clusterSet();
  set.commit(set.prepare(viewOf({ up: [1, 2].map(endpointAt) })));
  const handle = set.handle('up');
  const first = handle?.pick(null) ?? null;
  assert.equal(first?.address, '127.0.0.1:1');
  assert.equal(handle?.pick(first)?.address, '127.0.0.1:2');
  assert.equal(handle?.pick(null)?.address, '127.0.0.1:2');
  set.commit(set.prepare(viewOf({ up: [endpointAt(1)] })));
  assert.equal(set.handle('up')?.pick(first)?.address, '127.0.0.1:1');
  set.commit(set.prepare(viewOf({ up: [] })));
  assert.equal(set.handle('up')?.pick(null), null);
  assert.equal(set.handle('none'), null);
});

test('pools outlive a view where the endpoint and whom it must prove to be stay the same', () => {
  const set = clusterSet();
  set.commit(set.prepare(viewOf({ up: [1, 2].map(endpointAt) })));
  const before = set.states.get('up')?.pools ?? [];
  set.commit(set.prepare(viewOf({ up: [2, 3].map(endpointAt) }, { balance: 'least-request' })));
  const after = set.states.get('up')?.pools ?? [];
  assert.equal(after[0], before[1]);
  const kept = set.states.get('up')?.pools[0];
  set.commit(set.prepare(viewOf({ up: [2, 3].map(endpointAt) }, { kind: 'mesh' })));
  assert.notEqual(set.states.get('up')?.pools[0], kept);
});

test('requests that wait for an instance hear at once that it moved; where it only left they end in their own time', () => {
  const set = new ClusterSet({
    dial: () => () => {},
    createConnection: () => {
      throw new Error('never connected here');
    },
    limits: POOL_LIMITS,
    now: () => 0,
    random: () => 0,
  });
  const told: string[] = [];
  set.commit(set.prepare(viewOf({ up: [endpointAt(1), endpointAt(2)] })));
  for (const pool of set.states.get('up')?.pools ?? []) {
    const ignored = (): void => assert.fail('nothing comes from an instance that is away');
    const handler = { onInformational: ignored, onHead: ignored, onData: ignored, onEnd: ignored };
    const onError = (error: MeshError): number => told.push(`${pool.id} ${error.unprocessed}`);
    pool.request(testHead(), { ...handler, onUpgrade: ignored, onDrain: ignored, onError }, false);
  }
  set.commit(set.prepare(viewOf({ up: [{ ...endpointAt(1), host: '127.0.0.9' }] })));
  assert.deepEqual(told, [`${endpointAt(1).id} true`]);
});

test('what was prepared and abandoned changes nothing', () => {
  const set = clusterSet();
  set.commit(set.prepare(viewOf({ up: [endpointAt(1)] })));
  set.abandon(set.prepare(viewOf({ up: [endpointAt(2)], other: [endpointAt(3)] })));
  assert.deepEqual(set.usable(), { up: 1 });
  assert.deepEqual(addresses(set, 'up', 1), ['1']);
});

test('warming fails for a new mesh cluster of which no endpoint answers, and for nothing else', async () => {
  const set = clusterSet([9]);
  const warm = async (view: ClusterView): Promise<string> => {
    const prepared = set.prepare(view);
    const result = await set.warm(prepared);
    if (result.ok) set.commit(prepared);
    else set.abandon(prepared);
    return result.ok ? 'ok' : `${result.error.cluster.name} ${result.error.error.code}`;
  };
  const mesh = { kind: 'mesh' } as const;
  assert.equal(await warm(viewOf({ up: [endpointAt(9)] }, mesh)), 'up wrong-identity');
  assert.equal(await warm(viewOf({ up: [endpointAt(9)] })), 'ok');
  set.close();
  assert.equal(await warm(viewOf({ up: [] }, mesh)), 'ok');
  assert.equal(await warm(viewOf({ up: [endpointAt(9)] }, mesh)), 'ok');
});
