import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProxyStatus } from '../../../../proto/gen/weft/v1/ProxyStatus.ts';
import type { ProxyFacts } from '../../../../proxy/agent/proxy-facts.ts';
import { StatusSender } from '../../../../proxy/agent/status-sender.ts';
import { SAMPLE_FACTS } from '../../../support/sample-facts.ts';
import { fakeTimers } from '../../../support/fake-timers.ts';

function setUp() {
  const timers = fakeTimers(1_000_000);
  const sent: ProxyStatus[] = [];
  const now = { facts: SAMPLE_FACTS as ProxyFacts, draining: false };
  const sender = new StatusSender({
    source: { refresh: async () => {}, read: () => now.facts },
    clock: { ...timers, random: () => 0 },
    context: () => ({ snapshot: null, origin: 'control-plane', age: 0, draining: now.draining }),
    send: (status) => sent.push(status),
  });
  /** Each look waits for a promise. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      timers.advance(500);
      await new Promise(setImmediate);
    }
  };
  return { sender, sent, timers, now, pass };
}

test('a status goes with the first message, and only with that', () => {
  const { sender } = setUp();
  assert.equal(sender.first()?.appHealth, 'APP_HEALTH_UP');
  assert.equal(sender.first(), null);
  sender.lost();
  assert.equal(sender.first()?.appHealth, 'APP_HEALTH_UP', 'a new stream hears it anew');
});

test('nothing is sent where there is no stream', () => {
  const { sender, sent, now } = setUp();
  now.draining = true;
  sender.changed();
  assert.equal(sent.length, 0);
});

test('draining and the health of the app are said at once', () => {
  const { sender, sent, now } = setUp();
  sender.first();
  now.facts = { ...SAMPLE_FACTS, app: { health: 'down', reason: 'nobody listens' } };
  sender.changed();
  assert.deepEqual(
    sent.map(({ appHealth, appHealthReason }) => [appHealth, appHealthReason]),
    [['APP_HEALTH_DOWN', 'nobody listens']],
  );
  now.draining = true;
  sender.changed();
  assert.equal(sent[1]?.draining, true);
});

test('many changes become one status, five seconds after the last', async () => {
  const { sender, sent, now, pass, timers } = setUp();
  sender.first();
  for (const serial of ['b', 'c', 'd']) {
    now.facts = { ...SAMPLE_FACTS, certificate: { serial, notAfter: 0 } };
    sender.changed();
  }
  assert.equal(timers.pending(), 2, 'one for the status, one to look');
  await pass(4_500);
  assert.equal(sent.length, 0);
  await pass(1_000);
  assert.deepEqual(
    sent.map(({ certificateSerial }) => certificateSerial),
    ['d'],
  );
});

test('what changes without an event is found by looking, the load once a minute', async () => {
  const { sender, sent, now, pass } = setUp();
  sender.first();
  now.facts = { ...SAMPLE_FACTS, requests: SAMPLE_FACTS.requests + 600, inFlight: 3 };
  await pass(59_000);
  assert.equal(sent.length, 0);
  await pass(6_000);
  assert.equal(sent.length, 1);
  assert.equal(sent[0]?.inFlight, 3);
  assert.ok(Math.abs(Number(sent[0]?.requestsPerSecond) - 10) < 1);
  now.facts = { ...now.facts, unreachable: [{ cluster: 'payments', endpoint: 'payments-1', reason: 'refused' }] };
  await pass(6_000);
  assert.equal(sent.length, 2);
  assert.deepEqual(sent[1]?.unreachable, now.facts.unreachable);
});

test('after the stream nothing waits any more', () => {
  const { sender, now, timers } = setUp();
  sender.first();
  now.facts = { ...SAMPLE_FACTS, unbound: ['names/payments: taken'] };
  sender.changed();
  sender.lost();
  assert.equal(timers.pending(), 0);
});
