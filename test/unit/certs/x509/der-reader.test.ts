import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  childrenOf,
  decoding,
  insideOctets,
  MAX_DER_SIZE,
  readBoolean,
  readDer,
  readOid,
  readSmallInteger,
  type Tlv,
} from '../../../../certs/x509/der-reader.ts';
import {
  namedBits,
  octets,
  oid,
  sequence,
  smallInteger,
  time,
  tlv,
  unsigned,
} from '../../../../certs/x509/der-writer.ts';

const flaw = (hex: string): string => {
  const result = decoding(() => childrenOf(readDer(Buffer.from(hex, 'hex'))));
  return result.ok ? '' : result.error;
};

test('what is written is read back, with its raw bytes kept', () => {
  const inner = unsigned(Uint8Array.of(0x80));
  const outer = sequence(inner, octets(Buffer.alloc(300, 7)));
  const [first, second] = childrenOf(readDer(outer));
  assert.equal(first?.raw.toString('hex'), '02020080');
  assert.equal(second?.content.length, 300);
});

test('lengths that DER forbids are refused', () => {
  assert.match(flaw('3080020100'), /DER does not allow/, 'indefinite');
  assert.match(flaw('308103020100'), /not minimal/, 'long form for a short length');
  assert.match(flaw('30820003020100'), /not minimal/, 'leading zero');
  assert.match(flaw('308400000003020100'), /DER does not allow/, 'four bytes of length');
  assert.match(flaw('3004020100'), /breaks off/);
  assert.match(flaw('30030201'), /breaks off/);
  assert.match(flaw('300302010000'), /after the end/);
  assert.match(flaw('3f03020100'), /more than one byte/);
  assert.match(flaw(''), /breaks off/);
});

test('size, nesting and number of values are bounded', () => {
  assert.equal(decoding(() => readDer(new Uint8Array(MAX_DER_SIZE + 1))).ok, false);
  let nested: Buffer = sequence();
  for (let depth = 0; depth < 20; depth += 1) nested = sequence(nested);
  const descent = decoding(() => {
    let value: Tlv | undefined = readDer(nested);
    while (value !== undefined) value = childrenOf(value)[0];
  });
  assert.deepEqual(descent, { ok: false, error: 'nested deeper than 16' });
  let wrapped: Buffer = octets(Buffer.alloc(0));
  for (let depth = 0; depth < 20; depth += 1) wrapped = octets(wrapped);
  const unwrapping = decoding(() => {
    let value = readDer(wrapped);
    for (;;) value = insideOctets(value);
  });
  assert.deepEqual(unwrapping, { ok: false, error: 'nested deeper than 16' });
  const many = sequence(...new Array<Buffer>(300).fill(smallInteger(1)));
  assert.match(decoding(() => childrenOf(readDer(many))).ok ? '' : 'refused', /refused/);
});

test('object identifiers keep their arcs, however large, and have one spelling', () => {
  for (const dotted of ['2.5.29.17', '1.2.840.113549.1.9.14', '1.3.101.112', '2.999.3']) {
    assert.equal(readOid(readDer(oid(dotted))), dotted);
  }
  assert.equal(decoding(() => readOid(readDer(Buffer.from('06032a8001', 'hex')))).ok, false);
  assert.equal(decoding(() => readOid(readDer(Buffer.from('06022a81', 'hex')))).ok, false);
});

test('booleans and integers have one spelling', () => {
  assert.equal(decoding(() => readBoolean(readDer(Buffer.from('010101', 'hex')))).ok, false);
  assert.equal(decoding(() => readSmallInteger(readDer(Buffer.from('0201ff', 'hex')))).ok, false);
  assert.equal(readSmallInteger(readDer(smallInteger(300))), 300);
});

test('named bits end with the last one that is set', () => {
  assert.equal(namedBits([0]).toString('hex'), '03020780');
  assert.equal(namedBits([5, 6]).toString('hex'), '03020106');
});

test('times have two digits of the year before 2050 and four from then on', () => {
  assert.equal(
    time(Date.UTC(2049, 11, 31, 23, 59, 59, 900))
      .subarray(2)
      .toString(),
    '491231235959Z',
  );
  assert.equal(
    time(Date.UTC(2050, 0, 1))
      .subarray(2)
      .toString(),
    '20500101000000Z',
  );
});

test('any bytes are read or refused, and never more', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      decoding(() => childrenOf(readDer(tlv(0x30, bytes))).map((value) => decoding(() => readOid(value))));
      decoding(() => childrenOf(readDer(bytes)));
    }),
  );
});
