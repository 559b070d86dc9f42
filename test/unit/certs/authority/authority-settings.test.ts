import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { initAuthority, openAuthority } from '../../../../certs/authority/authority-folder.ts';
import { readAuthoritySettings } from '../../../../certs/authority/authority-settings.ts';
import { readIssuances, recordIssuance, type Issuance } from '../../../../certs/authority/issuance-log.ts';
import { identityOf } from '../../../../certs/policy/names.ts';
import { generateKeyPair } from '../../../../certs/x509/key.ts';
import { exists } from '../../../../host/files.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const HOUR = 3_600_000;

test('a usual authority has no settings of its own, as those of before', async (t) => {
  const dir = await temporaryFolder(t);
  await initAuthority(dir, { trustDomain: 'shop.test', clock: Date.now, random: randomBytes });
  assert.equal(await exists(join(dir, 'authority.json')), false);
  assert.deepEqual(await readAuthoritySettings(dir), { trustDomain: null, svidLife: 72 * HOUR, signCommand: null });
});

test('identities live as long as the authority says, from an hour to ninety days', async (t) => {
  const clock = fixedClock();
  const ambient = { clock, random: randomBytes };
  for (const hours of [1, 24, 2_160]) {
    const dir = join(await temporaryFolder(t), 'ca');
    await initAuthority(dir, { trustDomain: 'shop.test', svidLife: hours * HOUR, ...ambient });
    const authority = await openAuthority(dir, ambient);
    const { publicKey } = generateKeyPair();
    const identity = identityOf('shop.test', 'orders');
    const { notBefore, notAfter } = await authority.signSvid({ publicKey, identity });
    assert.deepEqual([notBefore, notAfter], [clock() - 60_000, clock() + hours * HOUR]);
    assert.equal((await authority.signSvid({ publicKey, identity, life: HOUR })).notAfter, clock() + HOUR);
  }
  for (const svidLife of [0, HOUR - 1, 1.5 * HOUR, 2_161 * HOUR, Number.NaN]) {
    const dir = join(await temporaryFolder(t), 'ca');
    await assert.rejects(initAuthority(dir, { trustDomain: 'shop.test', svidLife, ...ambient }), { code: 'usage' });
  }
});

test('a test may have identities of seconds, backdated by less', async (t) => {
  const clock = fixedClock();
  const dir = join(await temporaryFolder(t), 'ca');
  await initAuthority(dir, { trustDomain: 'shop.test', clock, random: randomBytes });
  const authority = await openAuthority(dir, { clock, random: randomBytes, lives: { svid: 6_000, backdate: 1_000 } });
  const { publicKey } = generateKeyPair();
  const svid = await authority.signSvid({ publicKey, identity: identityOf('shop.test', 'orders') });
  assert.deepEqual([svid.notBefore, svid.notAfter], [clock() - 1_000, clock() + 6_000]);
});

test('settings that make no sense are said to be damaged, with what is wrong', async (t) => {
  const dir = await temporaryFolder(t);
  await initAuthority(dir, { trustDomain: 'shop.test', clock: Date.now, random: randomBytes });
  for (const [text, why] of [
    ['{', /not JSON/],
    ['[]', null],
    ['1', /not an object/],
    ['{"trustDomain":"A B"}', /trustDomain is none/],
    ['{"svidHours":0.5}', /svidHours/],
    ['{"svidHours":"72"}', /svidHours/],
    ['{"signCommand":"sign"}', /signCommand/],
    ['{"signCommand":[]}', /signCommand/],
  ] as const) {
    await writeFile(join(dir, 'authority.json'), text);
    const opened = openAuthority(dir, { clock: Date.now, random: randomBytes });
    if (why === null) await opened;
    else {
      await assert.rejects(opened, (error: { code?: string; detail?: string }) => {
        assert.equal(error.code, 'state-corrupt');
        assert.match(error.detail ?? '', why);
        return true;
      });
    }
  }
  await rm(join(dir, 'authority.json'));
});

test('what was issued is logged in order; many at once do not mix, and a torn line hides no other', async (t) => {
  const dir = await temporaryFolder(t);
  assert.deepEqual(await readIssuances(dir), []);
  const issuances = Array.from({ length: 30 }, (_, i): Issuance => {
    const about = {
      by: 'alice@desk',
      purpose: 'svid' as const,
      subject: 'x'.repeat(i * 30),
      serial: String(i),
      key: 'k',
    };
    return { issuedAt: i, notAfter: i, ...about };
  });
  await Promise.all(issuances.map((each) => recordIssuance(dir, each)));
  const serials = (list: readonly Issuance[]): string[] => list.map(({ serial }) => serial).toSorted();
  assert.deepEqual(serials(await readIssuances(dir)), serials(issuances));
  await writeFile(join(dir, 'issuance.jsonl'), '{"torn', { flag: 'a' });
  assert.deepEqual(serials(await readIssuances(dir)), serials(issuances));
});
