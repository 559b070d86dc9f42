import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { listTokens, revokeToken } from '../../../../certs/token/token-list.ts';
import { createToken, findToken, useToken, type TokenRequest } from '../../../../certs/token/token-store.ts';
import { parseToken, type JoinToken } from '../../../../certs/token/token-text.ts';
import { readState, writeState } from '../../../../host/files.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

async function store(t: TestContext) {
  const clock = fixedClock();
  const stateDir = await temporaryFolder(t);
  const options = { stateDir, clock, random: randomBytes };
  const rootFingerprint = Buffer.alloc(32, 7).toString('base64url');
  const make = async (request: TokenRequest): Promise<JoinToken> => {
    const token = parseToken((await createToken({ ...options, rootFingerprint }, request)).reveal());
    assert.ok(token.ok);
    return token.value;
  };
  return { ...options, make };
}

test('the list says what has become of each, and holds no secret', async (t) => {
  const { make, ...options } = await store(t);
  const used = await make({ account: 'orders', version: 'v2', by: 'alice@desk' });
  const grant = await findToken(options, used);
  assert.ok(grant.ok && (await useToken(options, grant.value, 'key')).ok);
  const counted = await make({ account: 'web', uses: 3, ttl: 2 * 3_600_000 });
  const late = await make({ account: 'users', ttl: 1_000 });
  options.clock.advance(1_001);
  const list = await listTokens(options);
  assert.deepEqual(
    list.map(({ tokenId, account, state, used: taken, uses }) => [tokenId, account, state, taken, uses]),
    [
      [late.id, 'users', 'expired', 0, 1],
      [used.id, 'orders', 'used', 1, 1],
      [counted.id, 'web', 'valid', 0, 3],
    ],
  );
  assert.equal(list[1]?.createdBy, 'alice@desk');
  assert.equal(list[1]?.version, 'v2');
  const text = JSON.stringify(list);
  for (const token of [used, counted, late]) assert.ok(!text.includes(token.secret.reveal()));
  assert.ok(!text.includes('secretHash'));
});

test('nobody joins with a revoked token, and who holds it hears that it is not valid', async (t) => {
  const { make, ...options } = await store(t);
  const [one, other] = [await make({ account: 'orders', uses: 5 }), await make({ account: 'orders' })];
  assert.equal(await revokeToken(options, one.id.slice(0, 12)), one.id);
  const found = await findToken(options, one);
  assert.ok(!found.ok && found.error.code === 'token-invalid');
  assert.match(found.error.detail, /was revoked/);
  assert.ok((await findToken(options, other)).ok);
  const [revoked] = (await listTokens(options)).filter(({ tokenId }) => tokenId === one.id);
  assert.equal(revoked?.state, 'revoked');
  options.clock.advance(1_000);
  await revokeToken(options, one.id);
  assert.equal((await listTokens(options)).find(({ tokenId }) => tokenId === one.id)?.revokedAt, revoked?.revokedAt);
});

test('an id that is none, or could be two, revokes nothing', async (t) => {
  const { make, ...options } = await store(t);
  await assert.rejects(revokeToken(options, 'ab'), { code: 'usage', hint: 'see `weft token list`' });
  for (let i = 0; i < 20; i += 1) await make({ account: 'orders' });
  const ids = (await listTokens(options)).map(({ tokenId }) => tokenId);
  const shared = ids.find((id, i) => ids.some((each, j) => j !== i && each[0] === id[0]))?.[0] ?? '';
  await assert.rejects(revokeToken(options, shared), { code: 'usage' });
  await assert.rejects(revokeToken(options, ''), { code: 'usage' });
  assert.ok((await listTokens(options)).every(({ state }) => state === 'valid'));
});

test('records of before are read, and damaged ones do not hide the others', async (t) => {
  const { make, ...options } = await store(t);
  const [old, damaged] = [await make({ account: 'orders' }), await make({ account: 'web' })];
  const path = (token: JoinToken): string => join(options.stateDir, 'tokens', `${token.id}.json`);
  const { createdAt: _, ...before } = (await readState(path(old))) as Record<string, unknown>;
  await writeState(path(old), before);
  await writeFile(path(damaged), (await readFile(path(damaged), 'utf8')).slice(0, -9));
  const list = await listTokens(options);
  assert.deepEqual(
    list.map(({ tokenId, createdAt }) => [tokenId, createdAt]),
    [[old.id, null]],
  );
  assert.ok((await findToken(options, old)).ok);
});

test('without a folder there are no tokens', async (t) => {
  const stateDir = join(await temporaryFolder(t), 'none');
  assert.deepEqual(await listTokens({ stateDir, clock: Date.now }), []);
});
