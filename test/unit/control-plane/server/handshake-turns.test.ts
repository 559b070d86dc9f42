import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HandshakeTurns } from '../../../../control-plane/server/handshake-turns.ts';

function turns() {
  let [now, later]: [number, (() => void) | null] = [0, null];
  const said: string[] = [];
  const queue = new HandshakeTurns({
    now: () => now,
    later: (work) => {
      assert.equal(later, null);
      later = work;
    },
  });
  return {
    said,
    wait: (name: string) => queue.wait((refusal) => said.push(refusal === null ? name : `${name}: ${refusal.message}`)),
    advance: (ms: number) => void (now += ms),
    /** False: nothing was to be done. */
    turn: () => {
      const work = later;
      later = null;
      work?.();
      return work !== null;
    },
  };
}

test('a handshake alone has its turn at once, and nothing is left to do then', () => {
  const { wait, turn, said } = turns();
  wait('one');
  assert.equal(turn(), true);
  assert.deepEqual(said, ['one']);
  assert.equal(turn(), false);
});

test('of many the newest comes first, some in each turn', () => {
  const { wait, turn, said } = turns();
  for (let i = 0; i < 20; i++) wait(`${i}`);
  turn();
  assert.deepEqual(said, ['19', '18', '17', '16', '15', '14', '13', '12']);
  wait('new');
  turn();
  assert.equal(said[8], 'new');
  turn();
  assert.equal(said.length, 21);
  assert.equal(turn(), false);
});

test('who has waited longer than a proxy does is turned away without a handshake', () => {
  const { wait, turn, said, advance } = turns();
  for (let i = 0; i < 10; i++) wait(`${i}`);
  turn();
  advance(4_000);
  wait('new');
  turn();
  assert.deepEqual(said.slice(8), [
    '0: waited too long for its handshake',
    '1: waited too long for its handshake',
    'new',
  ]);
});

test('no more wait than there can be proxies', () => {
  const { wait, said } = turns();
  for (let i = 0; i < 20_001; i++) wait(`${i}`);
  assert.deepEqual(said, ['20000: too many handshakes at once']);
});
