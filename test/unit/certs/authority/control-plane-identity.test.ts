import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { initAuthority, openAuthority } from '../../../../certs/authority/authority-folder.ts';
import { controlPlaneIdentity } from '../../../../certs/authority/control-plane-identity.ts';
import { identityOfCertificate } from '../../../../certs/spiffe/peer.ts';
import { certificatesOf } from '../../../../certs/x509/pem.ts';
import { certificateFingerprint } from '../../../../certs/x509/certificate.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

test('the control plane proves its identity with a chain that ends in the pinned root', async (t) => {
  const dir = await temporaryFolder(t);
  const ambient = { clock: fixedClock(), random: randomBytes };
  await initAuthority(dir, { trustDomain: 'shop.test', ...ambient });
  const authority = await openAuthority(dir, ambient);
  const identity = await controlPlaneIdentity(authority, ambient.clock).current();
  const chain = certificatesOf(identity.chainPem);
  assert.ok(chain.ok && chain.value.length === 3);
  const [leaf, , root] = chain.value;
  assert.ok(leaf !== undefined && root !== undefined);
  assert.deepEqual(identityOfCertificate(leaf), {
    ok: true,
    value: 'spiffe://shop.test/ns/default/sa/weft-control-plane',
  });
  assert.ok(new X509Certificate(leaf).checkHost('weft-control-plane') !== undefined);
  assert.equal(certificateFingerprint(root), authority.rootFingerprint);
});

test('it is the same until half of its life, then another one, also for many who ask at once', async (t) => {
  const dir = await temporaryFolder(t);
  const clock = fixedClock();
  await initAuthority(dir, { trustDomain: 'shop.test', clock, random: randomBytes });
  const source = controlPlaneIdentity(await openAuthority(dir, { clock, random: randomBytes }), clock);
  const [first, same] = await Promise.all([source.current(), source.current()]);
  assert.equal(first, same);
  clock.advance(36 * 3_600_000 - 1);
  assert.equal(await source.current(), first);
  clock.advance(1);
  const [second, alsoSecond] = await Promise.all([source.current(), source.current()]);
  assert.equal(second, alsoSecond);
  assert.notEqual(second.keyPem, first.keyPem);
});
