import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SnapshotStore } from '../../../../control-plane/snapshot/snapshot-store.ts';
import { parseConfig, type ParsedConfig } from '../../../../core/config/parse.ts';
import { loadServices } from '../../../../proto/codec/services.ts';

function parsed(text: string): ParsedConfig {
  const result = parseConfig([{ name: 'weft.yaml', text }]);
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.error));
  return result.value;
}

const MESH = `version: 1
mesh: { trustDomain: shop.test }
services:
  orders: { port: 8080, calls: [payments] }
  payments: { port: 8082 }
`;

test('the first config is a change, the same meaning again is none, another one is', () => {
  const store = new SnapshotStore('shop.test', loadServices().discovery.Stream);
  const inForce = () => store.snapshot;
  assert.equal(inForce(), null);
  const changed = (text: string) => {
    const applied = store.apply(parsed(text));
    assert.ok(applied.ok);
    return applied.value.changed;
  };
  assert.equal(changed(MESH), true);
  const first = inForce();
  assert.equal(changed(`# a comment\n${MESH}`), false);
  assert.equal(inForce(), first);
  assert.equal(changed(MESH.replace('8082', '8083')), true);
  assert.notEqual(inForce()?.hash, first?.hash);
});

test('places follow an edit that changes nothing else', () => {
  const store = new SnapshotStore('shop.test', loadServices().discovery.Stream);
  store.apply(parsed(MESH));
  assert.equal(store.locate('services.payments'), 'weft.yaml:5:3');
  store.apply(parsed(`# a comment\n${MESH}`));
  assert.equal(store.locate('services.payments'), 'weft.yaml:6:3');
  assert.equal(store.locate('services.nobody'), '');
});

test('a config of another trust domain is refused and the one before it stays', () => {
  const store = new SnapshotStore('shop.test', loadServices().discovery.Stream);
  store.apply(parsed(MESH));
  const before = store.snapshot;
  const applied = store.apply(parsed(MESH.replace('shop.test', 'other.test')));
  assert.ok(!applied.ok);
  assert.match(applied.error[0]?.message ?? '', /"other\.test".*"shop\.test"/);
  assert.match(applied.error[0]?.at ?? '', /^weft\.yaml:2:\d+$/);
  assert.equal(store.snapshot, before);
});

test('what no proxy would take is refused with its place, and the config before it stays', () => {
  const store = new SnapshotStore('shop.test', loadServices().discovery.Stream);
  store.apply(parsed(MESH));
  const before = store.snapshot;
  const edges = 'edges:\n  main:\n    listeners: [{ port: 80 }]\n    routes: [{ match: /api, to: orders }]\n';
  const config = parsed(MESH + edges);
  // The parser has the same bounds; a mesh that comes from elsewhere may have none.
  const main = config.mesh.edges.get('main') ?? assert.fail();
  const routes = main.routes.map((route) => ({
    ...route,
    match: { ...route.match, headers: [{ name: 'x-long', value: 'a'.repeat(9_000) }] },
  }));
  const mesh = { ...config.mesh, edges: new Map([['main', { ...main, routes }]]) };
  const applied = store.apply({ ...config, mesh });
  assert.ok(!applied.ok);
  assert.equal(applied.error[0]?.ruleId, 'edges.main.routes[0]');
  assert.match(
    applied.error[0]?.message ?? '',
    /^no proxy would take it: routes\/edge\/main routes\[0\].* 9000 characters/,
  );
  assert.match(applied.error[0]?.at ?? '', /^weft\.yaml:9:\d+$/);
  assert.equal(store.snapshot, before);
});
