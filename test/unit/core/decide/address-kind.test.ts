import assert from 'node:assert/strict';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostKind, isPlainIpv4, parseIpv6, parseLooseIpv4 } from '../../../../core/decide/address-kind.ts';

const KINDS: Readonly<Record<string, readonly string[]>> = {
  loopback: [
    ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'a.localhost.', '127.0.0.1', '127.0.0.1.', '127.15.3.7'],
    ...['127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.1', '0X7F.0.0.1', '0177.0.0.1', '0177.1', '017700000001'],
    ...['::1', '[::1]', '[0:0:0:0:0:0:0:1]', '[0000::0001]', '[::ffff:127.0.0.1]', '[::FFFF:7f00:1]', '[::127.0.0.1]'],
    ...[
      '[::ffff:0:127.0.0.1]',
      '[64:ff9b::127.0.0.1]',
      '[64:ff9b:1::7f00:1]',
      '[2002:7f00:1::]',
      '[::1%25lo]',
      '[::1%lo]',
    ],
  ],
  unspecified: ['0', '0.0.0.0', '0x0', '0.0', '00', '::', '[::]', '[::ffff:0.0.0.0]', '[::ffff:0:0]', '0.1.2.3', '7'],
  'link-local': [
    ...['169.254.169.254', '2852039166', '0xa9fea9fe', '169.254.43518', '0251.0376.0251.0376', 'fe80::1', '[fe80::1]'],
    ...['[fe80::1%25eth0]', '[febf::1]', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]', '[2002:a9fe:a9fe::1]'],
  ],
  address: [
    '10.0.0.1',
    '167772161',
    '0xa.1',
    '8.8.8.8',
    '255.255.255.255',
    '[fd00::1]',
    '[::ffff:10.0.0.1]',
    '128.0.0.1',
  ],
  name: [
    ...[
      '',
      'orders',
      'orders.default',
      'localhost.example',
      'xlocalhost',
      '127.0.0.1.example',
      '127.0.0.1.2',
      '256.1.1.1',
    ],
    ...[
      '127.0.0.256',
      '4294967296',
      '0x1ffffffff',

      '127..1',
      '[::1',
      ':::',
      '[1::2::3]',
      '[12345::]',
      '1e3',
    ],
  ],
};

for (const [kind, hosts] of Object.entries(KINDS)) {
  test(`what is written in any of these ways is ${kind}`, () => {
    for (const host of hosts) assert.equal(hostKind(host), kind, host);
  });
}

test('IPv6 is read as Node reads it', () => {
  const ipv6 = fc.oneof(
    fc.ipV6(),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef::.'.split('')), maxLength: 30 }),
  );
  fc.assert(
    fc.property(ipv6, (text) => {
      assert.equal(parseIpv6(text) !== null && text !== '', isIPv6(text), text);
      assert.ok((parseIpv6(text)?.length ?? 8) === 8);
    }),
  );
});

test('plain IPv4 is what Node takes for it, and whatever an address embeds is found', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.ipV4(), fc.string({ unit: fc.constantFrom(...'0123456789.'.split('')), maxLength: 16 })),
      (text) => {
        assert.equal(isPlainIpv4(text), isIP(text) === 4, text);
      },
    ),
  );
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8);
  fc.assert(
    fc.property(fc.ipV4(), fc.constantFrom('::ffff:', '64:ff9b::', '::ffff:0:', ''), (address, prefix) => {
      const written = prefix === '' ? String(parseLooseIpv4(address)) : `[${prefix}${address}]`;
      assert.equal(hostKind(written) === 'loopback', loopback.check(address), written);
    }),
  );
});
