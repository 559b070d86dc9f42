import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Closers, coalesce } from '../../../control-plane/lifecycle.ts';

test('what was opened last is closed first, and once', async () => {
  const closed: string[] = [];
  const closers = new Closers();
  closers.add(() => void closed.push('first'));
  closers.add(async () => {
    await turn();
    closed.push('second');
  });
  await closers.close();
  await closers.close();
  assert.deepEqual(closed, ['second', 'first']);
});

test('work that is asked for many times in a turn is done once after it', async () => {
  let done = 0;
  const work = coalesce(() => {
    done++;
  });
  work.ask();
  work.ask();
  assert.equal(done, 0);
  await turn();
  assert.equal(done, 1);
  work.ask();
  work.cancel();
  await turn();
  assert.equal(done, 1);
});
