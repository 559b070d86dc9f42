import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../../core/kit/log.ts';
import { EdgeCertificates } from '../../../../proxy/tls/edge-tls.ts';
import { MeshTls } from '../../../../proxy/tls/mesh-tls.ts';
import { makeTestAuthority } from '../../../support/test-authority.ts';

test('a certificate is chosen by name, exact or under a wildcard; the first stands for everything else', async () => {
  const authority = await makeTestAuthority();
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((account) => authority.svid(account)));
  assert.ok(a && b && c);
  const certificates = new EdgeCertificates([
    { ...a, hosts: ['api.shop.test'] },
    { ...b, hosts: ['*.shop.test'] },
    { ...c, hosts: ['other.test'] },
  ]);
  const first = certificates.find('api.shop.test');
  const wild = certificates.find('www.shop.test');
  const other = certificates.find('OTHER.test');
  assert.equal(new Set([first, wild, other]).size, 3);
  assert.equal(certificates.find('API.shop.test'), first);
  assert.equal(certificates.find('shop.test'), first);
  assert.equal(certificates.find(''), first);
});

test('material that cannot be used is refused as a whole, and what was there stays', async () => {
  const authority = await makeTestAuthority();
  const good = await authority.svid('orders');
  const other = await authority.svid('orders');
  const mixed = { ...good, keyPem: other.keyPem };
  const tls = new MeshTls({ trustDomain: 'shop.test', material: good, log: silentLog });
  const before = tls.context;
  assert.throws(() => tls.update(mixed));
  assert.equal(tls.context, before);
  tls.update(other);
  assert.notEqual(tls.context, before);
  const certificates = new EdgeCertificates([{ ...good, hosts: [] }]);
  const shown = certificates.find('a');
  assert.throws(() => certificates.update([{ ...mixed, hosts: [] }]));
  assert.equal(certificates.find('a'), shown);
});
