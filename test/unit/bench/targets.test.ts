import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../../../bench/sample.ts';
import { judge, type Target } from '../../../bench/targets.ts';

const TARGET: Target = {
  suite: 's',
  point: 'p',
  fixed: false,
  measure: 'cpu',
  subject: 'Weft',
  base: 'Envoy',
  sense: 'at most',
  limit: 0.5,
  says: '',
};

function row(subject: string, cpu: readonly number[], failures = 0): Row {
  return { point: 'p', rate: null, subject, samples: cpu.map((value) => ({ cpu: value, failures })) };
}

const ENVOY = row('Envoy', [100, 100, 100, 100]);

test('a median within its bound meets the target, one whose better quartile is within it equals, others miss it', () => {
  const verdict = (...cpu: number[]): string => judge(TARGET, [row('Weft', cpu), ENVOY]).verdict;
  assert.equal(verdict(49, 49, 51, 48), 'met');
  assert.equal(verdict(49, 53, 53, 49), 'equal');
  assert.equal(verdict(51, 53, 53, 52), 'missed');
});

test('where more is better, it is the upper quartile that counts', () => {
  const target: Target = { ...TARGET, sense: 'at least', limit: 1 };
  const verdict = (...cpu: number[]): string => judge(target, [row('Weft', cpu), ENVOY]).verdict;
  assert.equal(verdict(101, 102, 100, 90), 'met');
  assert.equal(verdict(101, 97, 97, 101), 'equal');
  assert.equal(verdict(99, 97, 97, 98), 'missed');
});

test('rounds are compared with their neighbours, not medians with medians', () => {
  const noisy = row('Envoy', [100, 400, 100, 400]);
  const { verdict, found } = judge(TARGET, [row('Weft', [45, 180, 45, 180]), noisy]);
  assert.equal(verdict, 'met');
  assert.equal(found, '0.45× (0.45–0.45)');
});

test('failed requests miss a target whatever the figures, and what did not run is not measured', () => {
  assert.equal(judge(TARGET, [row('Weft', [10, 10], 1), ENVOY]).verdict, 'missed');
  assert.equal(judge(TARGET, [ENVOY]).verdict, 'not measured');
});
