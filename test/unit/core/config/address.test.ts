import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressesOverlap,
  hostIsCovered,
  isIpAddress,
  parseHostPattern,
  parseHostPort,
} from '../../../../core/config/address.ts';

test('what is an IP address is what node takes for one', () => {
  const odd = fc.constantFrom('::', '1::', '::1.2.3.4', '1:2:3:4:5:6:7::', '1:::2', ':1', '1.2.3', '1.2.3.256', '::g');
  const noise = fc.string({ unit: fc.constantFrom(':', '.', '1', 'f', '0', '25', '::'), maxLength: 12 });
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), odd, noise), (text) => {
      // Leading zeros in IPv4 are octal to some and decimal to others: node refuses them, so must we.
      assert.equal(isIpAddress(text), isIP(text) !== 0, text);
    }),
    { numRuns: 2000 },
  );
});

test('an endpoint is host and port', () => {
  assert.deepEqual(parseHostPort('127.0.0.1:9000'), { host: '127.0.0.1', port: 9000 });
  assert.deepEqual(parseHostPort('[2001:DB8::1]:1'), { host: '2001:db8::1', port: 1 });
  assert.deepEqual(parseHostPort('db_1.internal:65535'), { host: 'db_1.internal', port: 65_535 });
});

test('what is no endpoint is null', () => {
  for (const text of [
    '',
    'a',
    'a:',
    ':1',
    'a:0',
    'a:65536',
    '::1:80',
    '[::1]',
    '[a]:1',
    '1.2.3.999:1',
    'a..b:1',
    'a b:1',
  ]) {
    assert.equal(parseHostPort(text), null, text);
  }
});

test('host patterns are lower-cased, lose their final dot, and have a wildcard in front only', () => {
  assert.equal(parseHostPattern('API.Shop.test.'), 'api.shop.test');
  assert.equal(parseHostPattern('*.shop.test'), '*.shop.test');
  for (const text of ['', '*', 'a.*', '*a.test', 'a_b', 'a..b', '-a', 'a:80', 'x'.repeat(64), `${'a.'.repeat(130)}a`]) {
    assert.equal(parseHostPattern(text), null, text);
  }
});

test('a wildcard address overlaps every address of its family, and :: those of both', () => {
  assert.equal(addressesOverlap('0.0.0.0', '127.0.0.1'), true);
  assert.equal(addressesOverlap('127.0.0.1', '0.0.0.0'), true);
  assert.equal(addressesOverlap('0.0.0.0', '::1'), false);
  assert.equal(addressesOverlap('::', '127.0.0.1'), true);
  assert.equal(addressesOverlap('::1', '127.0.0.1'), false);
  assert.equal(addressesOverlap('127.0.0.1', '127.0.0.2'), false);
});

test('a host is covered by itself, by its suffix and by no list at all', () => {
  assert.equal(hostIsCovered('a.shop.test', ['*.shop.test']), true);
  assert.equal(hostIsCovered('shop.test', ['*.shop.test']), false);
  assert.equal(hostIsCovered('*.a.shop.test', ['*.shop.test']), true);
  assert.equal(hostIsCovered('a.test', []), true);
});
