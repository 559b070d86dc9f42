import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttemptLimit } from '../../../../certs/token/attempt-limit.ts';
import { fixedClock } from '../../../support/fixed-clock.ts';

test('a source that is wrong too often waits for the minute to end; others do not', () => {
  const clock = fixedClock();
  const limit = new AttemptLimit(clock, 3);
  for (let index = 0; index < 3; index += 1) {
    assert.equal(limit.mayTry('10.0.0.1'), true);
    limit.failed('10.0.0.1');
  }
  assert.equal(limit.mayTry('10.0.0.1'), false);
  assert.equal(limit.mayTry('10.0.0.2'), true);
  clock.advance(60_000);
  assert.equal(limit.mayTry('10.0.0.1'), true);
});

test('more sources than it remembers push out the oldest', () => {
  const clock = fixedClock();
  const limit = new AttemptLimit(clock, 1);
  limit.failed('first');
  for (let index = 0; index < 4096; index += 1) limit.failed(`10.0.${index >> 8}.${index & 255}`);
  assert.equal(limit.mayTry('first'), true);
  assert.equal(limit.mayTry('10.0.15.255'), false);
});
