import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, test } from 'node:test';
import type { Grant } from '../../../../certs/authority/ledger.ts';
import { peerOf } from '../../../../control-plane/server/peer.ts';
import { makeTestAuthority, type TestAuthority } from '../../../support/test-authority.ts';

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

async function certificateOf(account: string): Promise<Uint8Array> {
  const { chainPem } = await authority.svid(account, { version: 'v2', instance: `${account}-7f3a` });
  return new X509Certificate(chainPem).raw;
}

function reasonFor(certificate: Uint8Array | null, change: (grant: Grant | null) => Grant | null = (grant) => grant) {
  const grantOf = (serial: string) => change(authority.grantOf(serial));
  const peer = peerOf(certificate, { trustDomain: authority.trustDomain, grantOf });
  return peer.ok ? '' : peer.error;
}

test('version and instance come from the grant, the account from both', async () => {
  const peer = peerOf(await certificateOf('orders'), authority);
  assert.ok(peer.ok);
  const { notAfter, ...rest } = peer.value;
  assert.deepEqual(rest, { account: 'orders', version: 'v2', instance: 'orders-7f3a' });
  assert.ok(notAfter > Date.now());
});

test('who has no certificate, none of the mesh or none that was granted is refused', async () => {
  const certificate = await certificateOf('orders');
  assert.equal(reasonFor(certificate), '');
  assert.match(reasonFor(null), /no client certificate/);
  assert.match(reasonFor(Buffer.from('garbage')), /cannot be read/);
  assert.match(
    reasonFor(certificate, () => null),
    /was not issued by this control plane/,
  );
  const foreign = peerOf(certificate, { ...authority, trustDomain: 'other.test' });
  assert.ok(!foreign.ok);
  assert.match(foreign.error, /another trust domain/);
});

test('a grant for another identity or another purpose does not count', async () => {
  const certificate = await certificateOf('orders');
  assert.match(
    reasonFor(certificate, (grant) => grant && { ...grant, purpose: 'server' }),
    /was not issued/,
  );
  assert.match(
    reasonFor(certificate, (grant) => grant && { ...grant, identity: 'spiffe://shop.test/ns/default/sa/users' }),
    /was not issued/,
  );
});
