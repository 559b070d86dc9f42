import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { loopbackAddresses } from '../../../../core/compile/loopback.ts';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/), { maxLength: 60 });

/** Two names that fall on one address. */
function collidingPair(): readonly [string, string] {
  const seen = new Map<string, string>();
  for (let index = 0; ; index++) {
    const name = `service-${index}`;
    const address = loopbackAddresses([name]).get(name) ?? '';
    const other = seen.get(address);
    if (other !== undefined) return [other, name];
    seen.set(address, name);
  }
}

test('the address of a name never changes: hosts lines are written once', () => {
  const addresses = loopbackAddresses(['orders', 'payments', 'users', 'web']);
  assert.deepEqual(Object.fromEntries(addresses), {
    orders: '127.15.148.113',
    payments: '127.15.116.43',
    users: '127.15.126.131',
    web: '127.15.247.197',
  });
});

test('every service has an address of its own in 127.15.0.0/16, whatever the order of the names', () => {
  fc.assert(
    fc.property(names, (list) => {
      const addresses = loopbackAddresses(list);
      assert.deepEqual([...addresses.keys()], [...list].sort());
      assert.equal(new Set(addresses.values()).size, list.length);
      for (const address of addresses.values()) {
        const octets = address.split('.').map(Number);
        assert.deepEqual(octets.slice(0, 2), [127, 15]);
        assert.ok((octets[2] ?? -1) >= 0 && (octets[2] ?? 256) <= 255, address);
        assert.ok((octets[3] ?? 0) >= 1 && (octets[3] ?? 255) <= 254, address);
      }
      assert.deepEqual(loopbackAddresses(list.toReversed()), addresses);
    }),
  );
});

test('a service that comes moves nobody, unless it falls on the very address of another', () => {
  fc.assert(
    fc.property(names, fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/), (list, added) => {
      const before = loopbackAddresses(list);
      const after = loopbackAddresses([...list, added]);
      const home = loopbackAddresses([added]).get(added);
      for (const [name, address] of before) {
        if (name !== added && address !== home) assert.equal(after.get(name), address, name);
      }
    }),
  );
});

test('of two names that fall on one address the first keeps it and the other has another, which nobody pays for', () => {
  const [a, b] = collidingPair();
  const home = loopbackAddresses([a]).get(a);
  assert.equal(loopbackAddresses([b]).get(b), home);
  const both = loopbackAddresses([b, a]);
  const [first, second] = [a, b].sort();
  assert.equal(both.get(first ?? ''), home);
  assert.notEqual(both.get(second ?? ''), home);
  const many = Array.from({ length: 200 }, (_, index) => `other-${index}`);
  const alone = loopbackAddresses(many);
  const together = loopbackAddresses([...many, a, b]);
  const taken = new Set([together.get(a), together.get(b)]);
  for (const name of many) if (!taken.has(alone.get(name))) assert.equal(together.get(name), alone.get(name));
});

test('more services than addresses are a fault, not an endless search', () => {
  const most = Array.from({ length: 65_024 }, (_, index) => `s${index}`);
  assert.equal(new Set(loopbackAddresses(most.slice(0, 20_000)).values()).size, 20_000);
  assert.throws(() => loopbackAddresses([...most, 'one-more']), RangeError);
});

test('who is at home at an address keeps it, also where somebody without a home would come to it first', () => {
  const [, loser = ''] = collidingPair().toSorted();
  const next = loopbackAddresses(collidingPair()).get(loser);
  let resident = '';
  for (let index = 0; resident === ''; index++) {
    const name = `z-${index}`;
    if (loopbackAddresses([name]).get(name) === next) resident = name;
  }
  const all = loopbackAddresses([...collidingPair(), resident]);
  assert.equal(all.get(resident), next);
  assert.notEqual(all.get(loser), next);
});
