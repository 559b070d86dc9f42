import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { copyFile, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { MeshError } from '../../core/kit/error.ts';
import { silentLog } from '../../core/kit/log.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import { certificatesOf } from '../../certs/x509/pem.ts';
import { systemClock, type AgentClock } from '../../proxy/agent/agent.ts';
import { obtainIdentity } from '../../proxy/agent/identity.ts';
import { loadIdentity } from '../../proxy/agent/identity-folder.ts';
import { localServerCertificate } from '../../proxy/agent/identity-local.ts';
import { renewIdentity, requestServerCertificate } from '../../proxy/agent/identity-renewal.ts';
import {
  startJoinableControlPlane,
  type JoinableControlPlane,
  type JoinableOptions,
} from '../support/joinable-control-plane.ts';
import { openssl } from '../support/openssl.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function joined(t: TestContext, account: string, options: JoinableOptions = {}) {
  const folder = await temporaryFolder(t);
  const plane = await startJoinableControlPlane(t, folder, options);
  const stateDir = join(folder, account);
  const token = await plane.token({ account, ...(account === 'orders' ? { version: 'v2' } : {}) });
  const identity = await obtain(t, plane, stateDir, token);
  return { folder, plane, stateDir, identity, address: plane.discoveryAddress, services: plane.services };
}

function obtain(
  t: TestContext,
  plane: JoinableControlPlane,
  stateDir: string,
  token: string | null,
  clock: AgentClock = systemClock,
) {
  return obtainIdentity({
    joinAddresses: [plane.joinAddress],
    token,
    stateDir,
    services: plane.services,
    log: silentLog,
    signal: AbortSignal.any([t.signal, AbortSignal.timeout(20_000)]),
    clock,
  });
}

test('a renewed SVID has a new key and serial, and is the same instance of the same version', async (t) => {
  const { plane, stateDir, identity, address, services } = await joined(t, 'orders');
  const renewed = await renewIdentity({ address, identity, services, stateDir });
  assert.equal(renewed.spiffeId, identity.spiffeId);
  assert.equal(renewed.instance, identity.instance);
  assert.notEqual(renewed.keyPem, identity.keyPem);
  assert.deepEqual(await loadIdentity(stateDir), renewed);
  const leaf = certificatesOf(renewed.chainPem);
  const peer = verifyPeer((leaf.ok && leaf.value[0]) || Buffer.alloc(0), { trustDomain: 'shop.test' });
  assert.ok(peer.ok);
  assert.equal(plane.ledger.grantOf(peer.value.serial)?.version, 'v2');
  const again = await renewIdentity({ address, identity: renewed, services, stateDir });
  assert.equal(again.instance, identity.instance);
});

test('a certificate that the ledger does not know renews nothing', async (t) => {
  const { plane, stateDir, identity, address, services } = await joined(t, 'orders');
  // Further than any certificate lives: to the ledger it is expired.
  plane.advance(80 * 3_600_000);
  await assert.rejects(renewIdentity({ address, identity, services, stateDir }), { code: 'peer-refused' });
  assert.deepEqual(await loadIdentity(stateDir), identity);
});

test('an edge gets a server certificate for its own hosts; a sidecar gets none', async (t) => {
  const hostsOfEdge = (edge: string) => (edge === 'main' ? ['api.shop.test'] : []);
  const edge = await joined(t, 'edge-main', { hostsOfEdge });
  const certificate = await requestServerCertificate(edge);
  const chain = certificatesOf(certificate.chainPem);
  assert.ok(chain.ok && chain.value[0] !== undefined);
  const leaf = new X509Certificate(chain.value[0]);
  for (const host of ['api.shop.test', 'localhost']) assert.ok(leaf.checkHost(host) !== undefined, host);
  for (const address of ['127.0.0.1', '::1']) assert.ok(leaf.checkIP(address) !== undefined, address);
  assert.ok(!(leaf.subjectAltName ?? '').includes('URI'));
  await writeFile(join(edge.folder, 'leaf.pem'), certificate.chainPem);
  await writeFile(join(edge.folder, 'root.pem'), edge.identity.bundlePem);
  const trust = ['-x509_strict', '-purpose', 'sslserver', '-CAfile', join(edge.folder, 'root.pem')];
  const said = await openssl([
    'verify',
    ...trust,
    '-untrusted',
    join(edge.folder, 'leaf.pem'),
    join(edge.folder, 'leaf.pem'),
  ]);
  assert.match(said, /: OK/);
  const sidecar = await joined(t, 'orders', { hostsOfEdge });
  await assert.rejects(requestServerCertificate(sidecar), { code: 'csr-refused' });
});

test('a crash between certificate and key leaves a pair that fits', async (t) => {
  const { stateDir, identity, address, services } = await joined(t, 'orders');
  const keep = join(stateDir, 'kept.pem');
  await copyFile(join(stateDir, 'key.pem'), keep);
  const renewed = await renewIdentity({ address, identity, services, stateDir });
  // As it was the moment before the new key took its place.
  await rename(join(stateDir, 'key.pem'), join(stateDir, 'next-key.pem'));
  await rename(keep, join(stateDir, 'key.pem'));
  assert.deepEqual(await loadIdentity(stateDir), renewed);
  assert.deepEqual((await readdir(stateDir)).sort(), ['bundle.pem', 'instance.json', 'key.pem', 'svid.pem']);
});

test('an identity that does not hold together is not used', async (t) => {
  const { plane, stateDir } = await joined(t, 'orders');
  const other = join(stateDir, '..', 'users');
  await obtain(t, plane, other, await plane.token({ account: 'users' }));
  for (const name of ['key.pem', 'svid.pem', 'instance.json', 'bundle.pem']) {
    const before = await readFile(join(stateDir, name));
    const broken = name === 'key.pem' ? await readFile(join(other, name)) : Buffer.from('broken');
    await writeFile(join(stateDir, name), broken);
    assert.equal(await loadIdentity(stateDir), null, name);
    await writeFile(join(stateDir, name), before);
  }
  const elsewhere = await joined(t, 'orders');
  await writeFile(join(stateDir, 'bundle.pem'), elsewhere.identity.bundlePem);
  assert.equal(await loadIdentity(stateDir), null, 'roots of another mesh');
  await rename(join(stateDir, 'svid.pem'), join(stateDir, 'gone'));
  await assert.rejects(obtain(t, plane, stateDir, null), { code: 'token-invalid' });
});

test('a token of another authority makes the kept identity worthless', async (t) => {
  const first = await joined(t, 'orders');
  const folder = await temporaryFolder(t);
  const anew = await startJoinableControlPlane(t, folder);
  const token = await anew.token({ account: 'orders' });
  const identity = await obtain(t, anew, first.stateDir, token);
  assert.notEqual(identity.bundlePem, first.identity.bundlePem);
});

test('an identity that has expired is not used again', async (t) => {
  const { plane, stateDir, identity } = await joined(t, 'orders');
  const later: AgentClock = { ...systemClock, now: () => identity.notAfter };
  await assert.rejects(obtain(t, plane, stateDir, null, later), (error: MeshError) => {
    assert.equal(error.code, 'token-invalid');
    assert.match(error.detail, /no longer good and there is no token/);
    return true;
  });
});

test('another token for the same folder is meant: its version counts from then on', async (t) => {
  const { plane, stateDir, identity } = await joined(t, 'orders');
  const token = await plane.token({ account: 'orders', version: 'v3' });
  const anew = await obtain(t, plane, stateDir, token);
  assert.notEqual(anew.instance, identity.instance);
  const leaf = certificatesOf(anew.chainPem);
  const peer = verifyPeer((leaf.ok && leaf.value[0]) || Buffer.alloc(0), { trustDomain: 'shop.test' });
  assert.ok(peer.ok);
  assert.equal(plane.ledger.grantOf(peer.value.serial)?.version, 'v3');
  assert.deepEqual(await obtain(t, plane, stateDir, token), anew);
});

test('a standalone edge makes its own authority once and signs by it', async (t) => {
  const caDir = join(await temporaryFolder(t), 'ca');
  const options = { caDir, trustDomain: 'shop.test', hosts: ['a.test'], clock: Date.now, random: randomBytes };
  const first = await localServerCertificate(options);
  const second = await localServerCertificate(options);
  assert.equal(first.bundlePem, second.bundlePem);
  assert.notEqual(first.chainPem, second.chainPem);
  assert.ok(first.notAfter > Date.now());
});
