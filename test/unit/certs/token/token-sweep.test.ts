import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createToken, findToken, useToken } from '../../../../certs/token/token-store.ts';
import { sweepTokens } from '../../../../certs/token/token-sweep.ts';
import { parseToken } from '../../../../certs/token/token-text.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const HOUR = 3_600_000;

test('a token goes a day after its expiry, its marks with it; others and damaged ones stay', async (t) => {
  const stateDir = await temporaryFolder(t);
  const clock = fixedClock();
  const options = { stateDir, clock, random: randomBytes, rootFingerprint: 'r'.repeat(43) };
  const token = parseToken((await createToken(options, { account: 'orders' })).reveal());
  await createToken(options, { account: 'users', ttl: 48 * HOUR });
  assert.ok(token.ok);
  const grant = await findToken(options, token.value);
  assert.ok(grant.ok);
  await useToken(options, grant.value, 'key');
  await writeFile(join(stateDir, 'tokens', 'ffffffffffffffff.json'), 'damaged');
  clock.advance(24 * HOUR);
  assert.equal(await sweepTokens(stateDir, clock), 0);
  clock.advance(HOUR);
  assert.equal(await sweepTokens(stateDir, clock), 1);
  assert.equal((await readdir(join(stateDir, 'tokens'))).length, 2);
});

test('a folder without tokens is nothing to sweep', async (t) => {
  assert.equal(await sweepTokens(await temporaryFolder(t), Date.now), 0);
});
