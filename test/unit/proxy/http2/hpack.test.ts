import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HpackDecoder } from '../../../../proxy/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../../proxy/http2/hpack-encoder.ts';
import { HTTP2_LIMITS } from '../../../../proxy/http2/limits.ts';

type Fields = readonly (readonly [string, string])[];

function decode(decoder: HpackDecoder, block: Buffer): [string, string][] {
  const fields: [string, string][] = [];
  const ok = decoder.decode(block, 0, block.length, { onField: (name, value) => void fields.push([name, value]) });
  assert.ok(ok, decoder.detail);
  return fields;
}

function encode(encoder: HpackEncoder, fields: Fields): Buffer {
  encoder.begin();
  for (const [name, value] of fields) encoder.add(name, value);
  const length = encoder.finish();
  return Buffer.from(encoder.block.subarray(0, length));
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** RFC 7541 C.4 and C.6: Huffman, three blocks each on one connection, the latter with a table of 256 bytes. */
test('the examples of RFC 7541 decode to what it says', () => {
  const requests = new HpackDecoder(HTTP2_LIMITS);
  assert.deepEqual(decode(requests, hex('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff')), [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ]);
  assert.deepEqual(decode(requests, hex('8286 84be 5886 a8eb 1064 9cbf')).slice(3), [
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ]);
  assert.deepEqual(decode(requests, hex('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf')).slice(3), [
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ]);
  const answers = new HpackDecoder({ ...HTTP2_LIMITS, tableBytes: 256 });
  const first = hex(
    `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7
    8f0b 97c8 e9ae 82ae 43d3`.replaceAll(/\s/g, ''),
  );
  assert.equal(decode(answers, first).length, 4);
  assert.equal(decode(answers, hex('4883 640e ffc1 c0bf'))[0]?.[1], '307');
  const third = hex(
    `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
    dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`.replaceAll(/\s/g, ''),
  );
  assert.deepEqual(decode(answers, third).at(-1), [
    'set-cookie',
    'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ]);
});

const value = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019 ;=/\u00e9\u00ff'.split('')), maxLength: 300 })
  .map((text) => text.trim());
const field = fc.tuple(
  fc.constantFrom(':path', ':status', 'x-a', 'X-A', 'cookie', 'Accept', 'x-request-id', 'content-type', 'via'),
  fc.oneof(value, fc.constantFrom('200', '404', '/', 'a', 'text/html')),
);

test('whatever is encoded decodes to the same, block after block, also when the peer changes the table', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(field, { maxLength: 12 }), fc.option(fc.nat({ max: 5_000 }))), { maxLength: 30 }),
      (blocks) => {
        const encoder = new HpackEncoder(4_096);
        const decoder = new HpackDecoder(HTTP2_LIMITS);
        for (const [fields, size] of blocks) {
          if (size !== null) encoder.resize(size);
          const expected = fields.map(([name, text]) => [name.toLowerCase(), text]);
          assert.deepEqual(decode(decoder, encode(encoder, fields)), expected);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a field that comes again and again costs one byte, one that always differs fills no table', () => {
  const encoder = new HpackEncoder(4_096);
  const decoder = new HpackDecoder(HTTP2_LIMITS);
  let length = 0;
  for (let i = 0; i < 50; i++) {
    const fields: Fields = [
      [':method', 'GET'],
      [':path', '/items/42'],
      ['x-request-id', `0123456789abcdef-${i}`],
      ['user-agent', 'wrk'],
    ];
    const block = encode(encoder, fields);
    assert.deepEqual(decode(decoder, block), fields);
    length = block.length;
  }
  assert.ok(length < 3 + 35, `${length} bytes`);
});

test('of a field that always differs the name becomes an index, and stays one when the table has forgotten it', () => {
  const encoder = new HpackEncoder(HTTP2_LIMITS.tableBytes);
  const decoder = new HpackDecoder(HTTP2_LIMITS);
  const name = 'x-a-name-of-some-length';
  const sizes: number[] = [];
  for (let i = 0; i < 1_000; i++) {
    const fields: Fields = [
      [name, `value-${i.toString().padStart(6, '0')}`],
      // Comes twice, so that it fills the table.
      ['x-other', `${'y'.repeat(200)}${Math.floor(i / 2)}`],
    ];
    const block = encode(encoder, fields);
    assert.deepEqual(decode(decoder, block), fields);
    encoder.begin();
    encoder.add(name, `alone-${i.toString().padStart(6, '0')}`);
    const alone = Buffer.from(encoder.block.subarray(0, encoder.finish()));
    assert.equal(decode(decoder, alone).length, 1);
    sizes.push(alone.length);
  }
  const short = sizes.filter((size) => size < name.length);
  assert.ok(short.length > 500, `${short.length} of ${sizes.length}`);
});

test('secrets are never indexed, however often they come', () => {
  const encoder = new HpackEncoder(4_096);
  for (let i = 0; i < 3; i++) {
    const block = encode(encoder, [['Authorization', 'Bearer x']]);
    assert.equal((block[0] as number) >> 4, 1);
    assert.ok(block.toString('latin1').endsWith('Bearer x'));
  }
});

test('fields that cannot be written throw, and change nothing', () => {
  const encoder = new HpackEncoder(4_096);
  const decoder = new HpackDecoder(HTTP2_LIMITS);
  const good: Fields = [['x-a', 'b']];
  for (let i = 0; i < 3; i++) {
    for (const bad of [
      ['x-a', 'b\r\nc'],
      ['x a', 'b'],
      ['', 'b'],
      ['x-a', '\u0161'],
      ['x-\u0161', 'b'],
    ] as const) {
      assert.throws(() => encode(encoder, [...good, bad]), /inside the proxy/);
    }
    assert.deepEqual(decode(decoder, encode(encoder, good)), good);
  }
});

test('what belongs to one HTTP/1.1 connection is not written', () => {
  const own: Fields = ['Connection', 'Upgrade', 'Keep-Alive', 'Transfer-Encoding', 'Host', 'Content-Length'].map(
    (name) => [name, '1'],
  );
  assert.equal(encode(new HpackEncoder(4_096), own).length, 0);
});

test('no bytes make the decoder throw or hang', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder(HTTP2_LIMITS);
      for (const bytes of blocks) {
        const block = Buffer.from(bytes);
        if (!decoder.decode(block, 0, block.length, { onField() {} })) break;
      }
    }),
    { numRuns: 2_000 },
  );
});
