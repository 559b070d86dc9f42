import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { pause, unlessAborted, untilGone } from '../../../../proxy/mode/departure.ts';
import { recordingLog } from '../../../support/recording-log.ts';

const up = { health: 'up', reason: '' } as const;

test('an app that has ended is not waited for, and nothing is said', async () => {
  const log = recordingLog();
  const { signal } = new AbortController();
  await untilGone({ facts: up, isGone: async () => true }, 60_000, log, signal);
  await untilGone({ facts: null, isGone: async () => false }, 60_000, log, signal);
  assert.deepEqual(log.lines, []);
});

test('an app that ends later is waited for, and one that does not only so long', async () => {
  const log = recordingLog();
  const { signal } = new AbortController();
  let looks = 0;
  await untilGone({ facts: up, isGone: async () => ++looks === 3 }, 60_000, log, signal);
  assert.equal(looks, 3);
  await untilGone({ facts: up, isGone: async () => false }, 150, log, signal);
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    Array.from({ length: 2 }, () => 'the app may call others until it ends'),
  );
  assert.equal(getEventListeners(signal, 'abort').length, 0, 'nothing of the waiting stays');
});

test('a second signal ends every wait', async () => {
  const now = new AbortController();
  const app = untilGone({ facts: up, isGone: async () => false }, 600_000, recordingLog(), now.signal);
  const work = unlessAborted(new Promise<string>(() => {}), now.signal);
  const moment = pause(600_000, now.signal);
  now.abort();
  await Promise.all([app, moment]);
  assert.equal(await work, undefined);
  assert.equal(await unlessAborted(new Promise(() => {}), now.signal), undefined);
  assert.equal(await unlessAborted(Promise.resolve('told'), new AbortController().signal), 'told');
});
