import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decoding, readDer } from '../../../../certs/x509/der-reader.ts';
import { octets, oid, sequence, yes } from '../../../../certs/x509/der-writer.ts';
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  readExtensions,
  subjectAltName,
} from '../../../../certs/x509/extensions.ts';

const UNKNOWN = '1.3.6.1.4.1.99999.1';
const flawOf = (...extensions: Buffer[]): string => {
  const read = decoding(() => readExtensions(readDer(sequence(...extensions))));
  return read.ok ? '' : read.error;
};

test('what is written is read back', () => {
  const names = [{ kind: 'dns' as const, value: 'a.test' }];
  const read = readExtensions(
    readDer(
      sequence(
        basicConstraints(true, 3),
        keyUsage(['keyCertSign', 'cRLSign']),
        extendedKeyUsage(['serverAuth']),
        subjectAltName(names, true),
      ),
    ),
  );
  assert.deepEqual(read, {
    names,
    isAuthority: true,
    pathLength: 3,
    keyUsage: new Set(['keyCertSign', 'cRLSign']),
    extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'],
    nameConstraints: null,
    subjectKeyId: null,
    authorityKeyId: null,
  });
});

test('an extension that comes twice is refused: which one counts would be a guess', () => {
  const one = subjectAltName([{ kind: 'uri', value: 'spiffe://shop.test/ns/default/sa/orders' }], true);
  const other = subjectAltName([{ kind: 'uri', value: 'spiffe://shop.test/ns/default/sa/payments' }], true);
  assert.equal(flawOf(one, other), 'an extension that comes twice');
});

test('a critical extension that is not understood is refused; others are passed over', () => {
  assert.equal(
    flawOf(sequence(oid(UNKNOWN), yes(), octets(sequence()))),
    'a critical extension that is not understood',
  );
  assert.equal(flawOf(sequence(oid(UNKNOWN), octets(sequence()))), '');
});

test('an extension of another shape is refused', () => {
  assert.match(flawOf(sequence(oid(UNKNOWN))), /shape|missing|tag/);
  assert.match(flawOf(sequence(oid(UNKNOWN), octets(sequence()), octets(sequence()))), /tag|strange|boolean/);
  assert.match(flawOf(sequence(oid(UNKNOWN), octets(Buffer.concat([sequence(), sequence()])))), /after the end/);
});
