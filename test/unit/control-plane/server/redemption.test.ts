import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { initAuthority, openAuthority } from '../../../../certs/authority/authority-folder.ts';
import { openLedger } from '../../../../certs/authority/ledger.ts';
import { createToken, type TokenRequest } from '../../../../certs/token/token-store.ts';
import { makeCsr } from '../../../../certs/x509/csr.ts';
import { generateKeyPair, keyFingerprint } from '../../../../certs/x509/key.ts';
import { redeem, type RedemptionParts } from '../../../../control-plane/server/redemption.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

async function redeeming(t: TestContext) {
  const stateDir = await temporaryFolder(t);
  const ambient = { clock: fixedClock(), random: randomBytes };
  const open = async (name: string) => {
    await initAuthority(join(stateDir, name), { trustDomain: 'shop.test', ...ambient });
    return openAuthority(join(stateDir, name), ambient);
  };
  const authority = await open('ca');
  const ledger = await openLedger(join(stateDir, 'issued.jsonl'), ambient.clock);
  t.after(() => ledger.close());
  const parts: RedemptionParts = { authority, ledger, clock: ambient.clock, stateDir };
  const token = async (request: TokenRequest): Promise<string> => {
    const { rootFingerprint } = authority;
    return (await createToken({ stateDir, rootFingerprint, ...ambient }, request)).reveal();
  };
  return { parts, token, open };
}

test('an instance is named by its service and four digits of its key, or as its token says', async (t) => {
  const { parts, token } = await redeeming(t);
  const keys = generateKeyPair();
  const digits = Buffer.from(keyFingerprint(keys.publicKey), 'base64url').toString('hex');
  const first = await redeem(parts, { token: await token({ account: 'orders' }), csr: makeCsr(keys) });
  assert.ok(first.ok);
  assert.equal(first.value.instance, `orders-${digits.slice(0, 4)}`);
  const named = await token({ account: 'orders', instance: 'orders-1' });
  const second = await redeem(parts, { token: named, csr: makeCsr(generateKeyPair()) });
  assert.ok(second.ok && second.value.instance === 'orders-1');
});

test('a name that a living instance has already gets more digits', async (t) => {
  const { parts, token } = await redeeming(t);
  const keys = generateKeyPair();
  const digits = Buffer.from(keyFingerprint(keys.publicKey), 'base64url').toString('hex');
  await parts.ledger.record({
    serial: 'aa',
    purpose: 'svid',
    identity: 'spiffe://shop.test/ns/default/sa/orders',
    account: 'orders',
    version: null,
    instance: `orders-${digits.slice(0, 4)}`,
    tokenId: 'other',
    key: 'other',
    notAfter: parts.clock() + 1000,
    issuedAt: parts.clock(),
  });
  const redeemed = await redeem(parts, { token: await token({ account: 'orders' }), csr: makeCsr(keys) });
  assert.ok(redeemed.ok);
  assert.equal(redeemed.value.instance, `orders-${digits.slice(0, 6)}`);
});

test('a token that was made for an earlier authority of the same folder is not valid', async (t) => {
  const { parts, token, open } = await redeeming(t);
  const text = await token({ account: 'orders' });
  const anew = { ...parts, authority: await open('ca-anew') };
  const redeemed = await redeem(anew, { token: text, csr: makeCsr(generateKeyPair()) });
  assert.ok(!redeemed.ok && redeemed.error.code === 'token-invalid');
});
