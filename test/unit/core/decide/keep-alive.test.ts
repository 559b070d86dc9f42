import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  announcedIdle,
  closedWhileIdle,
  type IdleEvidence,
  idleLimits,
  mayRepeat,
  NO_EVIDENCE,
  openWhileIdle,
} from '../../../../core/decide/keep-alive.ts';

const CONFIGURED = 30_000;
const closed = (...ages: readonly number[]): IdleEvidence => ages.reduce(closedWhileIdle, NO_EVIDENCE);
const open = (...ages: readonly number[]): IdleEvidence => ages.reduce(openWhileIdle, NO_EVIDENCE);

const table: readonly (readonly [string, IdleEvidence, number, number])[] = [
  ['nothing is known', NO_EVIDENCE, 30_000, 10],
  ['it says 5 s', announcedIdle(NO_EVIDENCE, 5_000), 4_000, 4_000],
  ['it says 1 s', announcedIdle(NO_EVIDENCE, 1_000), 500, 500],
  ['it says 0', announcedIdle(NO_EVIDENCE, 0), 0, 0],
  ['it says more than is kept', announcedIdle(NO_EVIDENCE, 120_000), 30_000, 30_000],
  ['it closed after 1 s', closed(1_000), 500, 10],
  ['it closed after 10 s, and stood for 9', openWhileIdle(closed(10_000), 9_000), 9_000, 8_000],
  ['it closed after 50 ms', closed(50), 25, 0],
  ['it closed at once', closed(0), 0, 0],
  ['it closed after 3 s and after 20', closed(20_000, 3_000), 2_000, 10],
  ['it stood for 20 s', open(20_000), 30_000, 19_000],
  ['it says 60 s and closed after 2', closedWhileIdle(announcedIdle(NO_EVIDENCE, 60_000), 2_000), 1_000, 1_000],
];

for (const [name, evidence, repeatable, once] of table) {
  test(`${name}: idle for ${repeatable} ms where a request can be repeated, else ${once}`, () => {
    assert.deepEqual(idleLimits(evidence, CONFIGURED), { repeatable, once });
  });
}

test('a close that others outlive by far was no rule: an app that was started again', () => {
  const restarted = closed(3);
  assert.equal(idleLimits(restarted, CONFIGURED).repeatable, 1.5);
  assert.equal(idleLimits(openWhileIdle(restarted, 100), CONFIGURED).repeatable, 1.5);
  assert.equal(idleLimits(openWhileIdle(restarted, 200), CONFIGURED).repeatable, CONFIGURED);
});

test('whatever it closes after, a request that may not be sent twice never goes to a connection in its last half', () => {
  const age = fc.double({ min: 0, max: 120_000, noNaN: true });
  fc.assert(
    fc.property(age, fc.array(age, { maxLength: 20 }), fc.boolean(), (timeout, ages, says) => {
      // Everything that can be seen of an upstream with this time: closes at it, openness before it.
      let evidence = says ? announcedIdle(NO_EVIDENCE, timeout) : NO_EVIDENCE;
      for (const seen of ages) {
        evidence = seen < timeout ? openWhileIdle(evidence, seen) : closedWhileIdle(evidence, timeout);
        const { once, repeatable } = idleLimits(evidence, CONFIGURED);
        assert.ok(once <= repeatable && repeatable <= CONFIGURED);
        assert.ok(once <= 10 || once <= Math.max(timeout / 2, timeout - 1_000), `${once} of ${timeout}`);
      }
    }),
  );
});

test('only what is idempotent and kept whole can be repeated', () => {
  assert.equal(mayRepeat('GET', 0, 65_536), true);
  assert.equal(mayRepeat('PUT', 65_536, 65_536), true);
  assert.equal(mayRepeat('PUT', 65_537, 65_536), false);
  assert.equal(mayRepeat('PUT', -1, 65_536), false);
  assert.equal(mayRepeat('POST', 0, 65_536), false);
});
