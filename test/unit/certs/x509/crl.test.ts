import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CRL_REASONS, issueCrl, readCrl, type CrlReason, type RevokedCertificate } from '../../../../certs/x509/crl.ts';
import { generateKeyPair, keyIdOf } from '../../../../certs/x509/key.ts';
import { encodeName } from '../../../../certs/x509/name.ts';
import { pemOf } from '../../../../certs/x509/pem.ts';
import { explicit, octets, oid, sequence, smallInteger, time, yes } from '../../../../certs/x509/der-writer.ts';
import { signatureAlgorithm, signatureHolds, signed } from '../../../../certs/x509/signature.ts';
import { openssl } from '../../../support/openssl.ts';

const NOW = 1_795_000_000_000;
const DAY = 86_400_000;
const keys = generateKeyPair();
const subject = encodeName({ organization: 'Weft', commonName: 'issuing' });
const issuer = { ...keys, subject, keyId: keyIdOf(keys.publicKey) };

function listOf(revoked: readonly RevokedCertificate[], number = 7): Buffer {
  return issueCrl({ number, thisUpdate: NOW, nextUpdate: NOW + DAY, revoked }, issuer);
}

const entry = (serial: string, reason: CrlReason = 'unspecified'): RevokedCertificate => ({
  serial,
  revokedAt: NOW - DAY,
  reason,
});

test('what is written is read back, and its signature holds', () => {
  const reasons = Object.keys(CRL_REASONS) as CrlReason[];
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.stringMatching(/^[1-7][0-9a-f]{31}$/), { maxLength: 20 }),
      fc.nat({ max: 0x7f_ff_ff }),
      (serials, number) => {
        const revoked = serials.map((serial, i) => entry(serial, reasons[i % reasons.length]));
        const read = readCrl(listOf(revoked, number));
        assert.ok(read.ok, read.ok ? '' : read.error);
        assert.deepEqual([...read.value.revoked.values()], revoked);
        const { number: found, thisUpdate, nextUpdate } = read.value;
        assert.deepEqual([found, thisUpdate, nextUpdate], [number, NOW, NOW + DAY]);
        assert.deepEqual(read.value.issuer, subject);
        assert.ok(signatureHolds(read.value.signed, keys.publicKey));
        assert.ok(!signatureHolds(read.value.signed, generateKeyPair().publicKey));
      },
    ),
    { numRuns: 30 },
  );
});

test('openssl reads the same: number, dates, serials, reasons', async () => {
  const der = listOf([entry('4102'), entry('4103', 'keyCompromise')]);
  const said = await openssl(['crl', '-noout', '-text'], pemOf('X509 CRL', der));
  assert.match(said, /Version 2/);
  assert.match(said, /CRL Number:\s+7\n/);
  assert.match(said, /Serial Number: 4102[^]*Serial Number: 4103[^]*Key Compromise/);
  assert.match(said, /Authority Key Identifier/);
});

test('a list with nothing in it says so by leaving the list out', async () => {
  const read = readCrl(listOf([]));
  assert.ok(read.ok);
  assert.equal(read.value.revoked.size, 0);
  assert.match(await openssl(['crl', '-noout', '-text'], pemOf('X509 CRL', listOf([]))), /No Revoked Certificates/);
});

test('two thousand entries are read', () => {
  const revoked = Array.from({ length: 2_000 }, (_, i) => entry((0x10_00_00 + i).toString(16)));
  const read = readCrl(listOf(revoked));
  assert.ok(read.ok, read.ok ? '' : read.error);
  assert.equal(read.value.revoked.size, 2_000);
});

test('a list with any byte changed is read or refused, never more', () => {
  const der = listOf([entry('4102', 'superseded')]);
  fc.assert(
    fc.property(fc.nat({ max: der.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ change;
      assert.equal(typeof readCrl(changed).ok, 'boolean');
      assert.equal(readCrl(der.subarray(0, at)).ok, false);
    }),
  );
});

test('a list of changes only is refused: it says so critically', () => {
  const delta = sequence(oid('2.5.29.27'), yes(), octets(smallInteger(6)));
  const tbs = sequence(
    smallInteger(1),
    signatureAlgorithm(keys.publicKey),
    subject,
    time(NOW),
    explicit(0, sequence(delta)),
  );
  const der = signed(tbs, keys.privateKey);
  assert.deepEqual(readCrl(der), { ok: false, error: 'a critical extension that is not understood' });
});
