import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  issueCertificate,
  readCertificate,
  selfIssuer,
  type CertificateTemplate,
} from '../../../../certs/x509/certificate.ts';
import type { GeneralName } from '../../../../certs/x509/general-name.ts';
import { generateKeyPair, keyIdOf } from '../../../../certs/x509/key.ts';
import { encodeName } from '../../../../certs/x509/name.ts';
import { certificatesPem } from '../../../../certs/x509/pem.ts';
import { identityOfCertificate } from '../../../../certs/spiffe/peer.ts';
import { openssl } from '../../../support/openssl.ts';

const NOW = Date.now();
const DAY = 86_400_000;
const ID: GeneralName = { kind: 'uri', value: 'spiffe://shop.test/ns/default/sa/orders' };

function rootAndLeaf(change: Partial<CertificateTemplate> = {}) {
  const rootKeys = generateKeyPair();
  const subject = { organization: 'Weft', commonName: 'test root' };
  const root = issueCertificate(
    {
      publicKey: rootKeys.publicKey,
      subject,
      names: [],
      notBefore: NOW - 60_000,
      notAfter: NOW + 30 * DAY,
      usage: { kind: 'authority', pathLength: 0 },
    },
    selfIssuer(rootKeys.privateKey, rootKeys.publicKey, subject),
    randomBytes,
  );
  const keys = generateKeyPair();
  const leaf = issueCertificate(
    {
      publicKey: keys.publicKey,
      subject: {},
      names: [ID],
      notBefore: NOW - 60_000,
      notAfter: NOW + DAY,
      usage: { kind: 'leaf', extended: ['serverAuth', 'clientAuth'] },
      ...change,
    },
    { ...rootKeys, subject: encodeName(subject), keyId: keyIdOf(rootKeys.publicKey) },
    randomBytes,
  );
  return { root, leaf, keys, rootKeys };
}

const text = (der: Uint8Array): Promise<string> => openssl(['x509', '-noout', '-text'], certificatesPem([der]));

test('openssl reads a leaf as it was meant: signature, names, usage, identifiers', async () => {
  const { leaf, root } = rootAndLeaf();
  const printed = await text(leaf.der);
  assert.match(printed, /Version: 3/);
  assert.match(printed, /ecdsa-with-SHA256/);
  assert.match(printed, /Subject Alternative Name: critical\s+URI:spiffe:\/\/shop\.test\/ns\/default\/sa\/orders/);
  assert.match(printed, /Basic Constraints: critical\s+CA:FALSE/);
  assert.match(printed, /Key Usage: critical\s+Digital Signature\n/);
  assert.match(printed, /TLS Web Server Authentication, TLS Web Client Authentication/);
  const authorityKey = /Authority Key Identifier: \n\s+([0-9A-F:]+)/.exec(printed)?.[1];
  const rootKey = /Subject Key Identifier: \n\s+([0-9A-F:]+)/.exec(await text(root.der))?.[1];
  assert.ok(rootKey !== undefined && rootKey === authorityKey);
});

test('the alternative name is critical only where the subject is empty', async () => {
  const { leaf } = rootAndLeaf({ subject: { commonName: 'somebody' } });
  assert.match(await text(leaf.der), /Subject Alternative Name: \n/);
});

test('the algorithm has no parameters, in both places', () => {
  const { leaf } = rootAndLeaf();
  const bare = '300a06082a8648ce3d040302';
  assert.equal(leaf.der.toString('hex').split(bare).length - 1, 2);
});

test('DNS names and addresses of both families are written as such', async () => {
  const names: GeneralName[] = [
    { kind: 'dns', value: '*.shop.test' },
    { kind: 'ip', value: '127.0.0.1' },
    { kind: 'ip', value: '::1' },
    { kind: 'ip', value: '2001:db8::5:0' },
  ];
  const { leaf } = rootAndLeaf({ names });
  assert.match(
    await text(leaf.der),
    /DNS:\*\.shop\.test, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1, IP Address:2001:DB8:0:0:0:0:5:0/,
  );
});

test('a name that is not plain ASCII is never written', () => {
  for (const value of ['a b', 'a\0b', 'ä', 'a\n', '']) {
    assert.throws(() => rootAndLeaf({ names: [{ kind: 'dns', value }] }), TypeError);
  }
});

test('serials are positive, 128 bits long and differ', () => {
  const serials = new Set<string>();
  for (let index = 0; index < 8; index += 1) {
    const { leaf } = rootAndLeaf();
    const first = Number.parseInt(leaf.serial.slice(0, 2), 16);
    assert.ok(leaf.serial.length === 32 && first >= 0x40 && first < 0x80);
    assert.equal(new X509Certificate(leaf.der).serialNumber.toLowerCase(), leaf.serial);
    serials.add(leaf.serial);
  }
  assert.equal(serials.size, 8);
});

test('what was issued is read back: times, serial, names, authority or not', () => {
  const { leaf, root } = rootAndLeaf({ notAfter: Date.UTC(2051, 4, 6, 7, 8, 9) });
  const fields = readCertificate(leaf.der);
  assert.ok(fields.ok);
  assert.equal(fields.value.serial, leaf.serial);
  assert.equal(fields.value.notAfter, Date.UTC(2051, 4, 6, 7, 8, 9));
  assert.equal(fields.value.notBefore, Math.floor((NOW - 60_000) / 1000) * 1000);
  assert.deepEqual(fields.value.extensions.names, [ID]);
  assert.equal(fields.value.extensions.isAuthority, false);
  const of = readCertificate(root.der);
  assert.ok(of.ok && of.value.extensions.isAuthority && of.value.extensions.pathLength === 0);
});

test('a certificate with any bytes changed, cut or added is read or refused, never more', () => {
  const { leaf } = rootAndLeaf();
  const change = fc.record({
    at: fc.nat(leaf.der.length - 1),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    drop: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      let der = Buffer.from(leaf.der);
      for (const { at, bytes, drop } of changes) {
        der = Buffer.concat([der.subarray(0, at), bytes, der.subarray(at + drop)]);
      }
      readCertificate(der);
      identityOfCertificate(der);
    }),
    { numRuns: 2000 },
  );
});
