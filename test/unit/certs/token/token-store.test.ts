import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createToken, findToken, useToken, type TokenRequest } from '../../../../certs/token/token-store.ts';
import { parseToken, type JoinToken } from '../../../../certs/token/token-text.ts';
import { Secret } from '../../../../certs/token/secret.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

async function made(t: TestContext, request: TokenRequest) {
  const clock = fixedClock();
  const stateDir = await temporaryFolder(t);
  const options = { stateDir, clock, random: randomBytes };
  const rootFingerprint = Buffer.alloc(32, 7).toString('base64url');
  const text = (await createToken({ ...options, rootFingerprint }, request)).reveal();
  const token = parseToken(text);
  assert.ok(token.ok);
  return { ...options, clock, text, token: token.value };
}

const codeOf = (result: { ok: boolean; error?: { code: string } }): string =>
  result.ok ? 'ok' : (result.error?.code ?? '');

test('a token says what it is good for to whoever holds it', async (t) => {
  const { token, ...options } = await made(t, { account: 'orders', version: 'v2' });
  const grant = await findToken(options, token);
  assert.ok(grant.ok);
  assert.deepEqual(grant.value, {
    tokenId: token.id,
    account: 'orders',
    version: 'v2',
    instance: null,
    expiresAt: options.clock() + 3_600_000,
    uses: 1,
  });
});

test('its secret is nowhere on disk, and its files are for their owner alone', async (t) => {
  const { token, stateDir } = await made(t, { account: 'orders' });
  const folder = join(stateDir, 'tokens');
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  for (const name of await readdir(folder)) {
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
    assert.ok(!(await readFile(join(folder, name), 'utf8')).includes(token.secret.reveal()));
  }
});

test('an unknown id and a wrong secret are told apart by nobody', async (t) => {
  const { token, ...options } = await made(t, { account: 'orders' });
  const secret = new Secret(randomBytes(32).toString('base64url'));
  const forged: JoinToken = { ...token, secret };
  assert.equal(codeOf(await findToken(options, forged)), 'token-invalid');
  assert.equal(codeOf(await findToken(options, { ...token, id: '0000000000000000' })), 'token-invalid');
  options.clock.advance(3_600_000);
  assert.equal(codeOf(await findToken(options, forged)), 'token-invalid');
  assert.equal(codeOf(await findToken(options, token)), 'token-expired');
});

test('of many keys at once one gets it, and that one may come back', async (t) => {
  const { token, ...options } = await made(t, { account: 'orders' });
  const grant = await findToken(options, token);
  assert.ok(grant.ok);
  const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
  const results = await Promise.all(keys.map((key) => useToken(options, grant.value, key)));
  const winners = keys.filter((_, index) => results[index]?.ok);
  assert.equal(winners.length, 1);
  assert.equal(codeOf(await useToken(options, grant.value, winners[0] ?? '')), 'ok');
  assert.equal(codeOf(await useToken(options, grant.value, 'late')), 'token-used');
});

test('a token with three uses serves three keys', async (t) => {
  const { token, ...options } = await made(t, { account: 'orders', uses: 3 });
  const grant = await findToken(options, token);
  assert.ok(grant.ok);
  const results = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => useToken(options, grant.value, key)));
  assert.equal(results.filter((result) => result.ok).length, 3);
});

test('a damaged record is a fault, not a token', async (t) => {
  const { token, ...options } = await made(t, { account: 'orders' });
  await writeFile(join(options.stateDir, 'tokens', `${token.id}.json`), '{"account":"payments"}');
  await assert.rejects(findToken(options, token), { code: 'state-corrupt' });
});

test('requests that make no sense are refused', async (t) => {
  const wrong: TokenRequest[] = [
    { account: '' },
    { account: 'Orders' },
    { account: '../orders' },
    { account: 'weft-control-plane' },
    { account: 'orders', ttl: 0 },
    { account: 'orders', ttl: 1e15 },
    { account: 'orders', uses: 0 },
    { account: 'orders', version: 'a/b' },
    { account: 'orders', instance: 'a b' },
    { account: 'orders', instance: 'orders-1', uses: 2 },
  ];
  for (const request of wrong) await assert.rejects(made(t, request), { code: 'usage' });
});
