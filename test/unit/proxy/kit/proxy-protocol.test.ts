import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../../../proxy/kit/crc32c.ts';
import { type ProxiedPair, readProxyHeader, writeProxyHeader } from '../../../../proxy/kit/proxy-protocol.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const PAIR: ProxiedPair = {
  source: { address: '192.0.2.7', port: 56_324 },
  destination: { address: '198.51.100.1', port: 443 },
};

function v2(command: number, family: number, payload: string, length = payload.length / 2): Buffer {
  const head = [command, family, length >> 8, length & 0xff].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return Buffer.from(SIGNATURE + head + payload, 'hex');
}

/** 192.0.2.7:56324 → 198.51.100.1:443 */
const ADDRESSES = 'c0000207c6336401dc0401bb';

test('a header of version 1 names the client, and what follows it is not touched', () => {
  const line = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n';
  const read = readProxyHeader(Buffer.from(`${line}GET / HTTP/1.1\r\n`));
  assert.deepEqual(read, { kind: 'header', length: line.length, pair: PAIR });
  const six = readProxyHeader(Buffer.from('PROXY TCP6 2001:db8::1 ::1 1 65535\r\n'));
  assert.ok(six.kind === 'header');
  assert.deepEqual(six.pair, {
    source: { address: '2001:db8::1', port: 1 },
    destination: { address: '::1', port: 65_535 },
  });
});

test('UNKNOWN, LOCAL and AF_UNIX are headers that name nobody', () => {
  for (const bytes of [
    Buffer.from('PROXY UNKNOWN\r\n'),
    Buffer.from('PROXY UNKNOWN ffff:f:f what ever 1 2\r\n'),
    v2(0x20, 0x00, ''),
    v2(0x20, 0x11, ADDRESSES),
    v2(0x21, 0x00, '01020304'),
    v2(0x21, 0x31, '00'.repeat(216)),
  ]) {
    assert.deepEqual(
      readProxyHeader(bytes),
      { kind: 'header', length: bytes.length, pair: null },
      bytes.toString('hex'),
    );
  }
});

test('a header of version 2 may have fields behind its addresses, which are skipped', () => {
  const alpn = `0100026832${'ee0003010203'}`;
  assert.deepEqual(readProxyHeader(v2(0x21, 0x11, ADDRESSES + alpn)), {
    kind: 'header',
    length: 16 + 12 + alpn.length / 2,
    pair: PAIR,
  });
});

test('a checksum is checked where there is one', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
  const bytes = v2(0x21, 0x11, `${ADDRESSES}03000400000000`);
  bytes.writeUInt32BE(crc32c(bytes), bytes.length - 4);
  assert.equal(readProxyHeader(bytes).kind, 'header');
  bytes.writeUInt8(8, 16);
  assert.deepEqual(readProxyHeader(bytes), { kind: 'invalid', reason: 'its checksum is wrong' });
});

const HOSTILE: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['no header', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a TLS record', Buffer.from('1603010200', 'hex')],
  ['lower case', Buffer.from('proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['a line without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
  ['an end beyond 107 bytes', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(93)}\r\n`)],
  ['two spaces', Buffer.from('PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['a leading zero', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n')],
  ['an octal address', Buffer.from('PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n')],
  ['a port too high', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n')],
  ['a port that is no number', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 0x1 2\r\n')],
  ['IPv6 as TCP4', Buffer.from('PROXY TCP4 ::1 ::1 1 2\r\n')],
  ['IPv4 as TCP6', Buffer.from('PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['a zone', Buffer.from('PROXY TCP6 fe80::1%lo ::1 1 2\r\n')],
  ['UDP', Buffer.from('PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['more words', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n')],
  ['fewer words', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n')],
  ['an odd byte in an address', Buffer.from('PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n')],
  ['version 3', v2(0x31, 0x11, ADDRESSES)],
  ['an unknown command', v2(0x22, 0x11, ADDRESSES)],
  ['an unknown family', v2(0x21, 0x41, ADDRESSES)],
  ['an unknown transport', v2(0x21, 0x13, ADDRESSES)],
  ['datagrams', v2(0x21, 0x12, ADDRESSES)],
  ['addresses that are cut off', v2(0x21, 0x11, ADDRESSES.slice(2))],
  ['a length that would keep 64 KiB', v2(0x21, 0x11, ADDRESSES, 0xffff)],
  ['a field beyond the header', v2(0x21, 0x11, `${ADDRESSES}010003ff`)],
  ['a field without its length', v2(0x21, 0x11, `${ADDRESSES}0100`)],
  ['a checksum of three bytes', v2(0x21, 0x11, `${ADDRESSES}030003000000`)],
];

for (const [what, bytes] of HOSTILE) {
  test(`refused: ${what}`, () => {
    const read = readProxyHeader(bytes);
    assert.equal(read.kind, 'invalid', JSON.stringify(read));
  });
}

const octet = fc.integer({ min: 0, max: 255 });
const port = fc.integer({ min: 0, max: 65_535 });
const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'));
const v6 = fc.ipV6().map((text) => new URL(`http://[${text}]/`).hostname.slice(1, -1));
const pairOf = (address: fc.Arbitrary<string>): fc.Arbitrary<ProxiedPair> =>
  fc
    .record({ source: fc.record({ address, port }), destination: fc.record({ address, port }) })
    .map((pair) => structuredClone(pair));
const version = fc.constantFrom('v1' as const, 'v2' as const);

test('what is written is read again, whatever follows, and every prefix of it wants more', () => {
  fc.assert(
    fc.property(
      version,
      fc.option(fc.oneof(pairOf(v4), pairOf(v6))),
      fc.uint8Array({ maxLength: 20 }),
      (form, pair, rest) => {
        const header = writeProxyHeader(form, pair);
        const read = readProxyHeader(Buffer.concat([header, rest]));
        assert.deepEqual(read, { kind: 'header', length: header.length, pair });
        for (let length = 0; length < header.length; length++) {
          assert.equal(readProxyHeader(header.subarray(0, length)).kind, 'more');
        }
      },
    ),
  );
});

test('ends of two families are written as IPv6, and what is no address as unknown', () => {
  const mixed = { source: { address: '10.0.0.1', port: 1 }, destination: { address: '::1', port: 2 } };
  assert.equal(writeProxyHeader('v1', mixed).toString(), 'PROXY TCP6 ::ffff:10.0.0.1 ::1 1 2\r\n');
  const read = readProxyHeader(writeProxyHeader('v2', mixed));
  assert.ok(read.kind === 'header');
  assert.equal(read.pair?.source.address, '::ffff:a00:1');
  const path = { source: { address: '', port: 0 }, destination: { address: '::1', port: 2 } };
  assert.equal(writeProxyHeader('v1', path).toString(), 'PROXY UNKNOWN\r\n');
});

test('any bytes at all have an outcome, and never one that needs more than it may', () => {
  const beginning = fc.constantFrom(Buffer.alloc(0), Buffer.from('PROXY '), Buffer.from(SIGNATURE, 'hex'));
  fc.assert(
    fc.property(beginning, fc.uint8Array({ maxLength: 5_000 }), (start, rest) => {
      const bytes = Buffer.concat([start, rest]);
      const read = readProxyHeader(bytes);
      if (read.kind === 'more') assert.ok(bytes.length < 4_096);
      if (read.kind === 'header') assert.ok(read.length <= bytes.length);
    }),
  );
});
