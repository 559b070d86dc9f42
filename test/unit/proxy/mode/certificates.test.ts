import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { CertificateFile } from '../../../../proxy/mode/certificate-file.ts';
import { ServerCertificates } from '../../../../proxy/mode/certificates.ts';
import type { KeyMaterial } from '../../../../proxy/tls/material.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { makeTestAuthority } from '../../../support/test-authority.ts';

const HOUR = 3_600_000;
const HOSTS = ['b.shop.test', 'a.shop.test'];
let material: KeyMaterial;
before(async () => {
  // Any certificate of 72 h will do.
  material = await (await makeTestAuthority()).svid('edge-main');
});

/** `away`: nobody can be asked. */
function edgeIn(folder: string, { away = false, after = 0 } = {}) {
  const log = recordingLog();
  let asked = 0;
  const source = async (): Promise<KeyMaterial> => {
    asked += 1;
    if (away) throw new Error('nobody is there');
    return material;
  };
  const store = new CertificateFile(folder, log, () => Date.now() + after);
  return { certificates: new ServerCertificates(source, store), asked: () => asked, log };
}

test('a certificate is asked for once and kept for the next start, with its key, 0600', async (t) => {
  const folder = await temporaryFolder(t);
  const first = edgeIn(folder);
  await first.certificates.for(HOSTS);
  await first.certificates.for(HOSTS.toReversed());
  assert.equal(first.asked(), 1);
  assert.equal((await stat(join(folder, 'server-certificates.json'))).mode & 0o777, 0o600);
  const second = edgeIn(folder, { away: true });
  const { keyPem, chainPem } = material;
  assert.deepEqual(await second.certificates.for(HOSTS), { keyPem, chainPem, hosts: HOSTS });
  assert.equal(second.asked(), 0);
  await assert.rejects(second.certificates.for(['other.shop.test']), /nobody is there/);
});

test('past half of its life another one is asked for first, and it serves where nobody can be asked', async (t) => {
  const folder = await temporaryFolder(t);
  await edgeIn(folder).certificates.for(HOSTS);
  const old = edgeIn(folder, { after: 40 * HOUR });
  await old.certificates.for(HOSTS);
  assert.equal(old.asked(), 1);
  const away = edgeIn(folder, { away: true, after: 40 * HOUR });
  assert.equal((await away.certificates.for(HOSTS)).keyPem, material.keyPem);
  assert.equal(away.asked(), 1);
});

test('one that has expired never serves', async (t) => {
  const folder = await temporaryFolder(t);
  await edgeIn(folder).certificates.for(HOSTS);
  const late = edgeIn(folder, { away: true, after: 73 * HOUR });
  await assert.rejects(late.certificates.for(HOSTS), /nobody is there/);
});

test('a torn file is one line and counts as none', async (t) => {
  const folder = await temporaryFolder(t);
  await edgeIn(folder).certificates.for(HOSTS);
  const path = join(folder, 'server-certificates.json');
  await writeFile(path, (await readFile(path, 'utf8')).slice(0, 99));
  const { certificates, asked, log } = edgeIn(folder);
  await certificates.for(HOSTS);
  assert.equal(asked(), 1);
  assert.match(log.lines[0]?.message ?? '', /^the kept server certificates are ignored: /);
});
