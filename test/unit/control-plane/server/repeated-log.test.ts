import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RepeatedLog } from '../../../../control-plane/server/repeated-log.ts';
import { fakeTimers } from '../../../support/fake-timers.ts';
import { recordingLog } from '../../../support/recording-log.ts';

function makeLog() {
  const timers = fakeTimers();
  const log = recordingLog();
  const repeated = new RepeatedLog(log, timers.now);
  const levels = () => log.lines.map(({ level }) => level);
  return { timers, repeated, levels };
}

test('the same is a warning once in ten minutes, something else is one at once', () => {
  const { timers, repeated, levels } = makeLog();
  repeated.warn('a', {}, 'refused');
  timers.advance(599_999);
  repeated.warn('a', {}, 'refused');
  repeated.warn('b', {}, 'refused');
  timers.advance(1);
  repeated.warn('a', {}, 'refused');
  assert.deepEqual(levels(), ['warn', 'debug', 'warn', 'warn']);
});

test('what is over is news the next time', () => {
  const { repeated, levels } = makeLog();
  repeated.warn('a', {}, 'refused');
  repeated.forget('a');
  repeated.warn('a', {}, 'refused');
  assert.deepEqual(levels(), ['warn', 'warn']);
});

test('a thousand keys are remembered, of more the oldest is forgotten', () => {
  const { repeated, levels } = makeLog();
  for (let n = 0; n <= 1_000; n++) repeated.warn(`${n}`, {}, 'refused');
  repeated.warn('1', {}, 'refused');
  repeated.warn('0', {}, 'refused');
  assert.deepEqual(levels().slice(1_001), ['debug', 'warn']);
});
