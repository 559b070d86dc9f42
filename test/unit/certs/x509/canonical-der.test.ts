import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import forge from 'node-forge';
import { issueCertificate, selfIssuer } from '../../../../certs/x509/certificate.ts';
import { makeCsr } from '../../../../certs/x509/csr.ts';
import { generateKeyPair } from '../../../../certs/x509/key.ts';

const NOW = 1_800_000_000_000;

/** What an independent reader and writer of ASN.1 makes of it: the same bytes, if it is canonical DER. */
function rewritten(der: Buffer): string {
  const read = forge.asn1.fromDer(forge.util.createBuffer(der.toString('latin1')));
  return Buffer.from(forge.asn1.toDer(read).getBytes(), 'latin1').toString('hex');
}

test('certificates are canonical DER to an independent reader', () => {
  const keys = generateKeyPair();
  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
  fc.assert(
    fc.property(label, label, fc.integer({ min: 0, max: 4_000 }), (service, host, days) => {
      const { der } = issueCertificate(
        {
          publicKey: keys.publicKey,
          subject: { organization: 'Weft', commonName: host },
          names: [
            { kind: 'uri', value: `spiffe://shop.test/ns/default/sa/${service}` },
            { kind: 'dns', value: host },
          ],
          notBefore: NOW,
          notAfter: NOW + days * 86_400_000,
          usage: { kind: 'leaf', extended: ['serverAuth', 'clientAuth'] },
        },
        selfIssuer(keys.privateKey, keys.publicKey, { commonName: 'root' }),
        randomBytes,
      );
      assert.equal(rewritten(der), der.toString('hex'));
    }),
    { numRuns: 40 },
  );
});

test('certificate requests are canonical DER to an independent reader', () => {
  const der = makeCsr(generateKeyPair());
  assert.equal(rewritten(der), der.toString('hex'));
});
