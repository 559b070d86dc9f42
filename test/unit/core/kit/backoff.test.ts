import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffDelay } from '../../../../core/kit/backoff.ts';

const policy = { base: 100, cap: 10_000 };

test('the ceiling doubles with each failure up to the cap', () => {
  const almost = 1 - 2 ** -32;
  const ceilings = [0, 1, 2, 3, 6, 7, 50, 5000].map((failures) => backoffDelay(policy, failures, almost));
  assert.deepEqual(ceilings, [99, 199, 399, 799, 6399, 9999, 9999, 9999]);
});

test('the wait is anywhere from nothing to the ceiling', () => {
  assert.equal(backoffDelay(policy, 3, 0), 0);
  assert.equal(backoffDelay(policy, 3, 0.5), 400);
});
