import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeCsr, readCsr } from '../../../../certs/x509/csr.ts';
import { generateKeyPair, sameKey } from '../../../../certs/x509/key.ts';
import { pemOf } from '../../../../certs/x509/pem.ts';
import { openssl } from '../../../support/openssl.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const ORDERS = 'spiffe://shop.test/ns/default/sa/orders';

test('openssl accepts our request and its proof of possession', async () => {
  const csr = makeCsr(generateKeyPair(), [{ kind: 'uri', value: ORDERS }]);
  const said = await openssl(['req', '-verify', '-noout', '-text'], pemOf('CERTIFICATE REQUEST', csr));
  assert.match(said, /verify OK/);
  assert.match(said, /URI:spiffe:\/\/shop\.test\/ns\/default\/sa\/orders/);
  assert.match(
    await openssl(['req', '-verify', '-noout'], pemOf('CERTIFICATE REQUEST', makeCsr(generateKeyPair()))),
    /OK/,
  );
});

for (const [kind, make] of [
  ['P-256', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
  ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384']],
  ['Ed25519', ['-newkey', 'ed25519']],
  ['RSA', ['-newkey', 'rsa:2048']],
] as const) {
  test(`a request that openssl made with a key of kind ${kind} is read and its signature checked`, async (t) => {
    const folder = await temporaryFolder(t);
    const key = join(folder, 'key');
    const out = join(folder, 'csr');
    const names = `subjectAltName=URI:${ORDERS},DNS:a.test,IP:10.0.0.1,email:a@b.test,RID:1.2.3.4`;
    const form = ['-outform', 'DER', '-out', out, '-subj', '/CN=x', '-addext', names];
    await openssl(['req', '-new', ...make, '-nodes', '-keyout', key, ...form]);
    const der = await readFile(out);
    const csr = readCsr(der);
    assert.ok(csr.ok);
    assert.deepEqual(csr.value.names, [
      { kind: 'uri', value: ORDERS },
      { kind: 'dns', value: 'a.test' },
      { kind: 'ip', value: '10.0.0.1' },
      { kind: 'email', value: 'a@b.test' },
      { kind: 'other', value: '0x88' },
    ]);
    const tampered = Buffer.from(der);
    const at = tampered.indexOf('sa/orders');
    tampered[at + 3] = 'p'.charCodeAt(0);
    assert.deepEqual(readCsr(tampered), { ok: false, error: 'its signature does not hold' });
  });
}

test('a request signed by another key than its own is refused', () => {
  const [one, other] = [generateKeyPair(), generateKeyPair()];
  const csr = makeCsr({ publicKey: one.publicKey, privateKey: other.privateKey });
  assert.deepEqual(readCsr(csr), { ok: false, error: 'its signature does not hold' });
});

test('a request gives back the key it was made for', () => {
  const keys = generateKeyPair();
  const csr = readCsr(makeCsr(keys));
  assert.ok(csr.ok && sameKey(csr.value.publicKey, keys.publicKey));
  assert.deepEqual(csr.value.names, []);
});

test('a request with any byte changed is refused, without a throw', () => {
  const csr = makeCsr(generateKeyPair(), [{ kind: 'uri', value: ORDERS }]);
  fc.assert(
    fc.property(fc.nat(csr.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
      const changed = Buffer.from(csr);
      changed[at] = (changed[at] ?? 0) ^ difference;
      assert.equal(readCsr(changed).ok, false);
    }),
    { numRuns: 1500 },
  );
});

test('any bytes at all are refused, without a throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => assert.equal(readCsr(bytes).ok, false)));
});
