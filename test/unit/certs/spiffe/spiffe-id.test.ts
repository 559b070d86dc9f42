import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSpiffeId, workloadOf } from '../../../../certs/spiffe/spiffe-id.ts';

test('a workload id gives its trust domain, namespace and account', () => {
  const parts = parseSpiffeId('spiffe://shop.test/ns/default/sa/orders');
  assert.ok(parts.ok);
  assert.equal(parts.value.trustDomain, 'shop.test');
  assert.deepEqual(workloadOf(parts.value), { namespace: 'default', account: 'orders' });
});

test('a trust domain is an id without a path, and no workload', () => {
  const parts = parseSpiffeId('spiffe://shop_1.test-2');
  assert.ok(parts.ok);
  assert.deepEqual(parts.value.segments, []);
  assert.equal(workloadOf(parts.value), null);
});

for (const text of [
  '',
  'spiffe://',
  'spiffe:///ns/default',
  'http://shop.test/a',
  'SPIFFE://shop.test/a',
  'spiffe://Shop.test/a',
  'spiffe://shop.test:443/a',
  'spiffe://user@shop.test/a',
  'spiffe://shop.test/a?b',
  'spiffe://shop.test/a#b',
  'spiffe://shop.test/',
  'spiffe://shop.test/a/',
  'spiffe://shop.test//a',
  'spiffe://shop.test/./a',
  'spiffe://shop.test/../a',
  'spiffe://shop.test/%61',
  'spiffe://shop.test/a b',
  'spiffe://shop.test/a\n',
  'spiffe://shop.test/ä',
  `spiffe://${'a'.repeat(256)}/a`,
  `spiffe://shop.test/${'a'.repeat(2048)}`,
]) {
  test(`${JSON.stringify(text.slice(0, 40))} is no SPIFFE id`, () => assert.equal(parseSpiffeId(text).ok, false));
}

test('dots within a segment are only letters', () => {
  assert.equal(parseSpiffeId('spiffe://shop.test/.../a.b').ok, true);
});
