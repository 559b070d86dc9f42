import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  LOAD_GAP,
  STATE_GAP,
  statusDelay,
  type SentStatus,
  type StatusWords,
} from '../../../../core/decide/status-timing.ts';

const WORDS: StatusWords = { urgent: 'up', state: 'a', load: '1' };
const sent = (at: number, jitter = 0): SentStatus => ({ at, words: WORDS, jitter });

test('the first status of a stream is sent at once, and the same again never', () => {
  assert.equal(statusDelay(null, WORDS, 5), 0);
  assert.equal(statusDelay(sent(0), WORDS, 10_000_000), null);
});

test('what callers depend on does not wait', () => {
  assert.equal(statusDelay(sent(1_000), { ...WORDS, urgent: 'draining' }, 1_000), 0);
});

test('a change waits until five seconds after the last status, a load of its own for a minute', () => {
  const state = { ...WORDS, state: 'b', load: '2' };
  const load = { ...WORDS, load: '2' };
  assert.equal(statusDelay(sent(1_000), state, 2_000), STATE_GAP - 1_000);
  assert.equal(statusDelay(sent(1_000), state, 1_000 + STATE_GAP), 0);
  assert.equal(statusDelay(sent(1_000), load, 2_000), LOAD_GAP - 1_000);
  assert.equal(statusDelay(sent(1_000), load, 1_000 + LOAD_GAP), 0);
  assert.equal(statusDelay(sent(0, 0.5), state, 0), STATE_GAP * 1.1);
});

test('a clock that is set back silences nobody for longer than the gap', () => {
  assert.equal(statusDelay(sent(10_000_000), { ...WORDS, state: 'b' }, 0), STATE_GAP);
});

test('whatever changes and whenever, two statuses without news for callers are five seconds apart', () => {
  const change = fc.record({
    after: fc.nat(3_000),
    state: fc.nat(3),
    load: fc.nat(3),
    jitter: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      let now = 0;
      let last: SentStatus | null = null;
      for (const { after, state, load, jitter } of changes) {
        now += after;
        const words = { urgent: 'up', state: String(state), load: String(load) };
        if (statusDelay(last, words, now) !== 0) continue;
        if (last !== null) assert.ok(now - last.at >= (last.words.state === words.state ? LOAD_GAP : STATE_GAP));
        last = { at: now, words, jitter };
      }
    }),
  );
});
