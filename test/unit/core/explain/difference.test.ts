import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { compileSnapshot, type Snapshot } from '../../../../core/compile/snapshot.ts';
import { parseConfig } from '../../../../core/config/parse.ts';
import { differenceOf } from '../../../../core/explain/difference.ts';

const SHOP = `version: 1
services:
  web: { port: 3000, calls: [orders] }
  orders: { port: 8080, calls: [payments], timeout: 2s, versions: { v1: { instances: 2 }, v2: {} } }
  payments: { port: 8082, allow: [{ from: orders, methods: [POST] }] }
edges:
  main:
    listeners: [{ port: 8080, address: 127.0.0.1 }]
    routes:
      - { match: POST /api/**, to: orders }
      - { match: /**, to: web }
`;

function snapshotOf(text: string, before: Snapshot | null = null): Snapshot {
  const parsed = parseConfig([{ name: 'weft.yaml', text }]);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const compiled = compileSnapshot(
    parsed.value.mesh,
    (each) => createHash('sha256').update(each).digest('hex'),
    before,
  );
  assert.ok(compiled.ok, JSON.stringify(compiled));
  return compiled.value;
}

type Edit = readonly [from: string, to: string];

function difference(...edits: readonly Edit[]) {
  const before = snapshotOf(SHOP);
  let text = SHOP;
  for (const [from, to] of edits) {
    assert.ok(text.includes(from), from);
    text = text.replace(from, to);
  }
  return differenceOf(before, snapshotOf(text, before));
}

function settings(...edits: readonly Edit[]) {
  return difference(...edits).settings.map(({ path, words }) => `${path}: ${words}`);
}

test('what means the same differs in nothing', () => {
  const same = difference(['version: 1', 'version: 1 # comment']);
  assert.deepEqual([same.changed, same.settings, same.accounts], [false, [], []]);
});

test('a health check is said as it is written', () => {
  const to = (text: string): readonly string[] => settings(['port: 3000', `port: 3000, health: ${text}`]);
  assert.deepEqual(to('none'), ['services.web.health: a TCP connection every 5s → none']);
  assert.deepEqual(to('/healthz'), ['services.web.health.path: none → /healthz']);
  assert.deepEqual(to('{ interval: 2s, timeout: 500ms, unhealthy: 5 }'), [
    'services.web.health.interval: 5s → 2s',
    'services.web.health.timeout: 1s → 500ms',
    'services.web.health.unhealthy: 3 → 5',
  ]);
});

test('settings are said by the path and in the words of the file', () => {
  assert.deepEqual(settings(['timeout: 2s', 'timeout: 1500ms']), ['services.orders.timeout.request: 2s → 1500ms']);
  assert.deepEqual(settings(['timeout: 2s, ', '']), ['services.orders.timeout.request: 2s → none']);
  assert.deepEqual(
    settings(['calls: [orders]', 'calls: [orders, payments]'], ['from: orders', 'from: [orders, web]']),
    [
      'services.payments.allow[0]: new: from orders, web POST',
      'services.payments.allow[0]: removed: from orders POST',
      'services.web.calls[1]: new: payments',
    ],
  );
  assert.deepEqual(settings(['v2: {}', 'v2: {}, v3: {}'], ['instances: 2', 'instances: 4']), [
    'services.orders.versions[0].instances: 2 → 4 (v1)',
    'services.orders.versions[2]: new: v3 × 1',
  ]);
  assert.deepEqual(settings(['match: /**, to: web', 'match: /**, to: { orders: 1, web: 3 }']), [
    'edges.main.routes[1].to[0]: new: orders (/**)',
    'edges.main.routes[1].to[1].weight: 1 → 3 (web) (/**)',
  ]);
  assert.deepEqual(settings(['  web:', '  extra: { port: 1 }\n  web:']), ['services.extra: new']);
});

test('a route that comes first moves the others and is the only one that is said', () => {
  const moved = settings(['      - { match: POST', '      - { match: /first, to: web }\n      - { match: POST']);
  assert.deepEqual(moved, ['edges.main.routes[0]: new: /first → web']);
});

test('whose views change, and in what; the others are not named', () => {
  const { accounts } = difference(['timeout: 2s', 'timeout: 3s']);
  assert.deepEqual(
    accounts.map(({ account, words }) => [account, words]),
    [
      ['edge-main', 'changed routes edge/main'],
      ['orders', 'changed listener inbound'],
      ['web', 'changed routes outbound/orders'],
    ],
  );
  const more = difference(['calls: [orders]', 'calls: [orders, payments]']);
  assert.deepEqual(
    more.accounts.map(({ account, words }) => [account, words]),
    [
      ['payments', 'changed listener inbound'],
      ['web', 'new cluster payments; new listener outbound/payments; new routes outbound/payments'],
    ],
  );
});

test('services that come and go are said as such', () => {
  const { accounts } = difference(
    ['  web: { port: 3000, calls: [orders] }\n', '  shop: { port: 3000 }\n'],
    ['to: web', 'to: shop'],
  );
  assert.deepEqual(
    accounts.map(({ account, kind }) => [account, kind]),
    [
      ['edge-main', 'changed'],
      ['orders', 'changed'],
      ['shop', 'added'],
      ['web', 'removed'],
    ],
  );
});

test('before the first one everything is new', () => {
  const first = differenceOf(null, snapshotOf(SHOP));
  assert.deepEqual([first.from, first.changed], [null, true]);
  assert.deepEqual(new Set(first.settings.map(({ kind }) => kind)), new Set(['added']));
});
