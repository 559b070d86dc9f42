import assert from 'node:assert/strict';
import { BlockList, isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressBytes, compileCidrs, parseCidr } from '../../../../core/kit/cidr.ts';

const lies = (address: string, ...blocks: string[]): boolean =>
  compileCidrs(
    blocks.map((text) => {
      const block = parseCidr(text);
      assert.ok(block !== null, text);
      return block;
    }),
  )(address);

test('an address lies in a block of its own family, and an IPv4 address written as IPv6 is the IPv4 one', () => {
  assert.ok(lies('10.255.0.1', '10.0.0.0/8'));
  assert.ok(!lies('11.0.0.1', '10.0.0.0/8'));
  assert.ok(lies('::ffff:10.0.0.1', '10.0.0.0/8'));
  assert.ok(lies('10.0.0.1', '::ffff:10.0.0.0/104'));
  assert.ok(lies('fd12::1', 'fd00::/8', '10.0.0.0/8'));
  assert.ok(lies('192.0.2.1', '192.0.2.1') && !lies('192.0.2.2', '192.0.2.1'));
  assert.ok(lies('203.0.113.9', '0.0.0.0/0') && !lies('2001:db8::1', '0.0.0.0/0'));
  assert.ok(lies('2001:db8::1', '::/0'));
});

test('what is no address lies nowhere, and what is no block is none', () => {
  for (const text of ['', 'unknown', '10.0.0', '10.0.0.256', '010.0.0.1', '10.0.0.1:80', 'fe80::1%eth0', '1::2::3']) {
    assert.ok(!lies(text, '0.0.0.0/0', '::/0'), text);
    assert.equal(parseCidr(text), null, text);
  }
  for (const text of ['10.0.0.1/8', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '/8', 'fd00::/129', '::ffff:1.2.3.4/90'])
    assert.equal(parseCidr(text), null, text);
});

test('addresses and blocks are read as Node reads them', () => {
  const v4 = fc.ipV4();
  const v6 = fc.ipV6();
  const one = fc.oneof(v4, v6);
  const property = fc.property(one, one, fc.nat(128), (base, address, wanted) => {
    assert.equal(addressBytes(base) !== null, isIP(base) !== 0, base);
    const bytes = addressBytes(base) ?? [];
    const bits = Math.min(wanted, bytes.length * 8);
    const masked = bytes.map((byte, i) => byte & ((0xff << (8 - Math.min(8, Math.max(0, bits - i * 8)))) & 0xff));
    const text =
      bytes.length === 4
        ? masked.join('.')
        : Array.from({ length: 8 }, (_, i) =>
            (((masked[2 * i] ?? 0) << 8) | (masked[2 * i + 1] ?? 0)).toString(16),
          ).join(':');
    const list = new BlockList();
    list.addSubnet(text, bits, bytes.length === 4 ? 'ipv4' : 'ipv6');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    // Node counts ::ffff:0:0/96 to both families.
    if (addressBytes(address)?.length !== (family === 'ipv4' ? 4 : 16)) return;
    if (bytes.length === 16 && family === 'ipv4') return;
    assert.equal(lies(address, `${text}/${bits}`), list.check(address, family), `${address} in ${text}/${bits}`);
  });
  fc.assert(property, { numRuns: 1_000, seed: 1 });
});
