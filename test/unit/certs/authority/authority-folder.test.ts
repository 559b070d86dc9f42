import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { initAuthority, openAuthority } from '../../../../certs/authority/authority-folder.ts';
import { identityOf } from '../../../../certs/policy/names.ts';
import { generateKeyPair } from '../../../../certs/x509/key.ts';
import { certificatesPem } from '../../../../certs/x509/pem.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';
import { openssl } from '../../../support/openssl.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const FILES = ['root.pem', 'root.key', 'intermediate.pem', 'intermediate.key'];
const random = randomBytes;
const DAY = 86_400_000;

test('an authority is four files for their owner alone', async (t) => {
  const dir = join(await temporaryFolder(t), 'deep', 'ca');
  await initAuthority(dir, { trustDomain: 'shop.test', clock: Date.now, random });
  assert.equal((await stat(dir)).mode & 0o777, 0o700);
  for (const name of FILES) assert.equal((await stat(join(dir, name))).mode & 0o777, 0o600, name);
});

test('openssl verifies what it signs, strictly, for servers and clients', async (t) => {
  const dir = await temporaryFolder(t);
  await initAuthority(dir, { trustDomain: 'shop.test', clock: Date.now, random });
  const authority = await openAuthority(dir, { clock: Date.now, random });
  const { publicKey } = generateKeyPair();
  const svid = await authority.signSvid({ publicKey, identity: identityOf('shop.test', 'orders') });
  const server = await authority.signServerCertificate({
    publicKey,
    hosts: ['api.shop.test', '*.shop.test', '10.0.0.1'],
  });
  await writeFile(join(dir, 'svid.pem'), certificatesPem(svid.chain));
  await writeFile(join(dir, 'server.pem'), certificatesPem(server.chain));
  const verify = (name: string, ...more: string[]): Promise<string> => {
    const trust = ['-x509_strict', '-CAfile', join(dir, 'root.pem'), '-untrusted', join(dir, 'intermediate.pem')];
    return openssl(['verify', ...trust, ...more, join(dir, name)]);
  };
  for (const purpose of ['sslserver', 'sslclient']) assert.match(await verify('svid.pem', '-purpose', purpose), /: OK/);
  assert.match(await verify('server.pem', '-purpose', 'sslserver', '-verify_hostname', 'localhost'), /: OK/);
  assert.match(await verify('server.pem', '-purpose', 'sslserver', '-verify_hostname', 'a.shop.test'), /: OK/);
  assert.match(await verify('server.pem', '-purpose', 'sslserver', '-verify_ip', '10.0.0.1'), /: OK/);
  await assert.rejects(verify('server.pem', '-purpose', 'sslclient'));
  await assert.rejects(verify('server.pem', '-verify_hostname', 'elsewhere.test'));
});

test('lives are 10 years, 1 year and 72 hours, and begin a minute ago', async (t) => {
  const dir = await temporaryFolder(t);
  const clock = fixedClock();
  await initAuthority(dir, { trustDomain: 'shop.test', clock, random });
  const authority = await openAuthority(dir, { clock, random });
  const svid = await authority.signSvid({
    publicKey: generateKeyPair().publicKey,
    identity: identityOf('shop.test', 'orders'),
  });
  const dates = (pem: string): Promise<string> => openssl(['x509', '-noout', '-dates'], pem);
  assert.match(
    await dates(await readFile(join(dir, 'root.pem'), 'utf8')),
    /Nov 22 11:59:00 2026[^]*Nov 19 12:00:00 2036/,
  );
  assert.match(await dates(await readFile(join(dir, 'intermediate.pem'), 'utf8')), /Nov 22 12:00:00 2027/);
  assert.match(await dates(certificatesPem(svid.chain)), /Nov 22 11:59:00 2026[^]*Nov 25 12:00:00 2026/);
  assert.equal(svid.notAfter, clock() + 3 * DAY);
});

test('nothing outlives the signing certificate, and after its end nothing is signed', async (t) => {
  const dir = await temporaryFolder(t);
  const clock = fixedClock();
  await initAuthority(dir, { trustDomain: 'shop.test', clock, random });
  const authority = await openAuthority(dir, { clock, random });
  const request = { publicKey: generateKeyPair().publicKey, identity: identityOf('shop.test', 'orders') };
  clock.advance(364 * DAY);
  assert.equal((await authority.signSvid(request)).notAfter, clock() + DAY);
  clock.advance(DAY);
  await assert.rejects(authority.signSvid(request), { code: 'authority-expired' });
});

test('an authority is never overwritten, not even by one made at the same moment', async (t) => {
  const dir = join(await temporaryFolder(t), 'ca');
  const make = () => initAuthority(dir, { trustDomain: 'shop.test', clock: Date.now, random });
  const results = await Promise.allSettled([make(), make(), make()]);
  const refused = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason.code);
  assert.deepEqual(refused, ['authority-exists', 'authority-exists']);
  await openAuthority(dir, { clock: Date.now, random });
  await assert.rejects(make(), { code: 'authority-exists' });
});

test('a trust domain that is none is refused', async (t) => {
  const dir = join(await temporaryFolder(t), 'ca');
  for (const trustDomain of ['', 'Shop.test', 'a/b', 'a:1']) {
    await assert.rejects(initAuthority(dir, { trustDomain, clock: Date.now, random }), { code: 'usage' });
  }
});

test('a missing authority says how to make one; a damaged one what is wrong', async (t) => {
  const folder = await temporaryFolder(t);
  const ambient = { clock: Date.now, random };
  await assert.rejects(openAuthority(join(folder, 'none'), ambient), {
    code: 'authority-missing',
    hint: 'make one with `weft ca init --trust-domain NAME`, the name under mesh.trustDomain',
  });
  const dir = join(folder, 'one');
  const other = join(folder, 'other');
  await initAuthority(dir, { trustDomain: 'shop.test', ...ambient });
  await initAuthority(other, { trustDomain: 'shop.test', ...ambient });
  const broken = async (name: string, change: () => Promise<void>, why: RegExp): Promise<void> => {
    const before = await readFile(join(dir, name));
    await change();
    await assert.rejects(openAuthority(dir, ambient), (error: { code?: string; detail?: string }) => {
      assert.equal(error.code, 'state-corrupt');
      assert.match(error.detail ?? '', why);
      return true;
    });
    await writeFile(join(dir, name), before);
  };
  const swap = (name: string) => () => copyFile(join(other, name), join(dir, name));
  await broken('intermediate.key', swap('intermediate.key'), /is not the key of/);
  await broken('root.pem', swap('root.pem'), /is not signed by/);
  await broken('intermediate.pem', () => writeFile(join(dir, 'intermediate.pem'), 'x'), /no certificate/);
  await broken('intermediate.key', () => writeFile(join(dir, 'intermediate.key'), 'x'), /private key/);
  await broken('intermediate.pem', () => rm(join(dir, 'intermediate.pem')), /missing/);
  await openAuthority(dir, ambient);
  const interrupted = await temporaryFolder(t);
  await copyFile(join(dir, 'root.key'), join(interrupted, 'root.key'));
  await assert.rejects(openAuthority(interrupted, ambient), { code: 'state-corrupt' });
});
