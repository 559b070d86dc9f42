import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountsByService, changedAccounts } from '../../../../core/compile/concern.ts';
import { compileSnapshot, type Snapshot } from '../../../../core/compile/snapshot.ts';
import { parseConfig } from '../../../../core/config/parse.ts';
import { sha256Hex } from '../../../../host/hash.ts';

const BASE = {
  orders: '{ port: 8080, calls: [payments] }',
  payments: '{ port: 8081, calls: [bank] }',
  carts: '{ port: 8082 }',
  bank: '{ endpoints: [192.0.2.1:443] }',
};

function snapshotOf(services: Readonly<Record<string, string>>, before: Snapshot | null = null): Snapshot {
  const lines = Object.entries(services).map(([name, value]) => `  ${name}: ${value}`);
  const edge = 'edges:\n  main:\n    listeners: [{ port: 80 }]\n    routes: [{ match: { prefix: / }, to: orders }]\n';
  const parsed = parseConfig([{ name: 'weft.yaml', text: `version: 1\nservices:\n${lines.join('\n')}\n${edge}` }]);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const compiled = compileSnapshot(parsed.value.mesh, sha256Hex, before);
  assert.ok(compiled.ok);
  return compiled.value;
}

test('instances of a service concern those who call it and the edges with a route to it', () => {
  const concerned = accountsByService(snapshotOf(BASE));
  assert.deepEqual([...(concerned.get('payments') ?? [])], ['orders']);
  assert.deepEqual([...(concerned.get('orders') ?? [])], ['edge-main']);
  assert.equal(concerned.get('carts'), undefined);
});

test('an edit concerns the accounts whose resources it changes, and those that come and go', () => {
  const base = snapshotOf(BASE);
  const after = (change: Readonly<Record<string, string>>, without = '') => {
    const services = Object.fromEntries(Object.entries({ ...BASE, ...change }).filter(([name]) => name !== without));
    return [...changedAccounts(base, snapshotOf(services, base))].sort();
  };
  assert.deepEqual(after({}), []);
  assert.deepEqual(after({ payments: '{ port: 8081, calls: [bank], timeout: 3s }' }), ['orders', 'payments']);
  assert.deepEqual(after({ bank: '{ endpoints: [192.0.2.2:443] }' }), ['payments']);
  assert.deepEqual(after({ new: '{ port: 8085 }' }), ['new']);
  assert.deepEqual(after({}, 'carts'), ['carts']);
  assert.deepEqual([...changedAccounts(null, base)].sort(), ['carts', 'edge-main', 'orders', 'payments']);
});
