import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { spiffeId } from '../../../../core/model/brand.ts';
import { identityOfCertificate, verifyPeer } from '../../../../certs/spiffe/peer.ts';
import { issueCertificate, selfIssuer, type CertificateTemplate } from '../../../../certs/x509/certificate.ts';
import type { GeneralName } from '../../../../certs/x509/general-name.ts';
import { generateKeyPair } from '../../../../certs/x509/key.ts';

const ORDERS = spiffeId('shop.test', 'default', 'orders');
const uri = (value: string): GeneralName => ({ kind: 'uri', value });

function certificate(names: readonly GeneralName[], usage?: CertificateTemplate['usage']): Buffer {
  const { publicKey, privateKey } = generateKeyPair();
  const template: CertificateTemplate = {
    publicKey,
    subject: {},
    names,
    notBefore: 0,
    notAfter: 4_000_000_000_000,
    usage: usage ?? { kind: 'leaf', extended: ['serverAuth', 'clientAuth'] },
  };
  return issueCertificate(template, selfIssuer(privateKey, publicKey, {}), randomBytes).der;
}

function reason(names: readonly GeneralName[], usage?: CertificateTemplate['usage']): string {
  const identity = identityOfCertificate(certificate(names, usage));
  return identity.ok ? '' : identity.error;
}

test('the identity is the one URI name, from bytes or from a certificate object', () => {
  const der = certificate([uri(ORDERS), { kind: 'dns', value: 'orders' }]);
  assert.deepEqual(identityOfCertificate(der), { ok: true, value: ORDERS });
  assert.deepEqual(identityOfCertificate(new X509Certificate(der)), { ok: true, value: ORDERS });
});

test('no URI name, two of them, or one that is no workload is refused', () => {
  assert.match(reason([{ kind: 'dns', value: 'orders' }]), /0 URI names/);
  assert.match(reason([uri(ORDERS), uri(spiffeId('shop.test', 'default', 'users'))]), /2 URI names/);
  assert.match(reason([uri('https://shop.test/')]), /not a SPIFFE id/);
  assert.match(reason([uri('spiffe://shop.test')]), /names a trust domain/);
});

test('a DNS name that spells a second identity as Node would print it changes nothing', () => {
  const injected = certificate([
    uri(ORDERS),
    { kind: 'dns', value: 'a,URI:spiffe://shop.test/ns/default/sa/payments' },
  ]);
  assert.deepEqual(identityOfCertificate(injected), { ok: true, value: ORDERS });
});

test("an authority's certificate is no peer", () => {
  assert.match(reason([uri(ORDERS)], { kind: 'authority', pathLength: 0 }), /authority/);
});

test('a peer must be of the trust domain and, where one is expected, of that identity', () => {
  const der = certificate([uri(ORDERS)]);
  assert.equal(verifyPeer(der, { trustDomain: 'shop.test' }).ok, true);
  assert.equal(verifyPeer(der, { trustDomain: 'shop.test', identity: ORDERS }).ok, true);
  assert.deepEqual(verifyPeer(der, { trustDomain: 'other.test' }), {
    ok: false,
    error: `${ORDERS} is of another trust domain`,
  });
  const users = spiffeId('shop.test', 'default', 'users');
  assert.deepEqual(verifyPeer(der, { trustDomain: 'shop.test', identity: users }), {
    ok: false,
    error: `it is ${ORDERS}, not ${users}`,
  });
});
