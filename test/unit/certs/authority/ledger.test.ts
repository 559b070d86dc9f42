import assert from 'node:assert/strict';
import { appendFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openLedger, type Grant, type GrantLedger } from '../../../../certs/authority/ledger.ts';
import { fixedClock, type FixedClock } from '../../../support/fixed-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const HOUR = 3_600_000;

function grant(serial: string, clock: FixedClock, change: Partial<Grant> = {}): Grant {
  return {
    serial,
    purpose: 'svid',
    identity: 'spiffe://shop.test/ns/default/sa/orders',
    account: 'orders',
    version: 'v2',
    instance: 'orders-7f3a',
    tokenId: '0123456789abcdef',
    key: 'one',
    notAfter: clock() + HOUR,
    issuedAt: clock(),
    ...change,
  };
}

async function opened(t: TestContext, path: string, clock: FixedClock): Promise<GrantLedger> {
  const ledger = await openLedger(path, clock);
  t.after(() => ledger.close());
  return ledger;
}

test('a grant is found by its serial, also by the next process', async (t) => {
  const path = join(await temporaryFolder(t), 'issued.jsonl');
  const clock = fixedClock();
  const first = await openLedger(path, clock);
  await first.record(grant('aa', clock));
  assert.deepEqual(first.grantOf('aa'), grant('aa', clock));
  assert.equal(first.grantOf('bb'), null);
  await first.close();
  const second = await opened(t, path, clock);
  assert.deepEqual(second.grantOf('aa'), grant('aa', clock));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('an expired certificate has no grant any more, before and after a restart', async (t) => {
  const path = join(await temporaryFolder(t), 'issued.jsonl');
  const clock = fixedClock();
  const ledger = await opened(t, path, clock);
  await ledger.record(grant('aa', clock));
  clock.advance(HOUR);
  assert.equal(ledger.grantOf('aa'), null);
  const again = await opened(t, path, clock);
  assert.equal(again.grantOf('aa'), null);
});

test('a line that a crash tore off is counted, and the next one is not lost with it', async (t) => {
  const path = join(await temporaryFolder(t), 'issued.jsonl');
  const clock = fixedClock();
  const first = await openLedger(path, clock);
  await first.record(grant('aa', clock));
  await first.close();
  await appendFile(path, '{"serial":"bb","purp');
  const second = await openLedger(path, clock);
  assert.equal(second.damagedLines, 1);
  await second.record(grant('cc', clock));
  await second.close();
  const third = await opened(t, path, clock);
  assert.ok(third.grantOf('aa') !== null && third.grantOf('cc') !== null);
});

test('many at once are each written whole', async (t) => {
  const path = join(await temporaryFolder(t), 'issued.jsonl');
  const clock = fixedClock();
  const ledger = await opened(t, path, clock);
  await Promise.all(Array.from({ length: 50 }, (_, index) => ledger.record(grant(`a${index}`, clock))));
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  assert.deepEqual(
    new Set(lines.map((line) => JSON.parse(line).serial)),
    new Set(Array.from({ length: 50 }, (_, index) => `a${index}`)),
  );
});

test('an instance name is taken while a certificate of another key carries it', async (t) => {
  const clock = fixedClock();
  const ledger = await opened(t, join(await temporaryFolder(t), 'issued.jsonl'), clock);
  await ledger.record(grant('aa', clock));
  assert.equal(ledger.isInstanceTaken('orders-7f3a', 'two'), true);
  assert.equal(ledger.isInstanceTaken('orders-7f3a', 'one'), false);
  assert.equal(ledger.isInstanceTaken('orders-0000', 'two'), false);
  clock.advance(HOUR);
  assert.equal(ledger.isInstanceTaken('orders-7f3a', 'two'), false);
});
