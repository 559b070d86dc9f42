import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renewalDelay } from '../../../../proxy/agent/identity-renewal.ts';

const HOUR = 3_600_000;
const identity = { notBefore: 0, notAfter: 72 * HOUR };

test('renewal begins at a third of the life, spread by a tenth of it to both sides', () => {
  assert.equal(renewalDelay(identity, 0, 0.5), 24 * HOUR);
  assert.equal(renewalDelay(identity, 0, 0), 21.6 * HOUR);
  assert.equal(renewalDelay(identity, 10 * HOUR, 0.5), 14 * HOUR);
});

test('what is late is renewed at once', () => {
  assert.equal(renewalDelay(identity, 50 * HOUR, 0.5), 0);
});
