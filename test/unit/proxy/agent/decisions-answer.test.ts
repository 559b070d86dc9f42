import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerQuery, type DecisionSource } from '../../../../proxy/agent/decisions-answer.ts';

const query = { ask: 'a1', requestId: '', limit: 0 };
const source = (of: readonly object[]): DecisionSource => ({
  list: (limit) => of.slice(0, limit),
  find: (id) => of.find((one) => 'id' in one && one.id === id) ?? null,
});
const many = Array.from({ length: 5_000 }, (_, index) => ({ id: `d${index}` }));

test('the newest hundred are given where nobody says how many', () => {
  const { ask, decisions } = answerQuery(query, source(many));
  assert.equal(ask, 'a1');
  assert.equal(decisions?.length, 100);
  assert.equal(decisions?.[0], '{"id":"d0"}');
});

test('as many as asked for, but never more than the ring holds', () => {
  assert.equal(answerQuery({ ...query, limit: 7 }, source(many)).decisions?.length, 7);
  assert.equal(answerQuery({ ...query, limit: 4_000_000_000 }, source(many)).decisions?.length, 4_096);
});

test('one by its id, and nothing for an id that is no longer kept', () => {
  assert.deepEqual(answerQuery({ ...query, requestId: 'd3' }, source(many)).decisions, ['{"id":"d3"}']);
  assert.deepEqual(answerQuery({ ...query, requestId: 'gone' }, source(many)).decisions, []);
});

test('long ones are left off before a message grows beyond a mebibyte', () => {
  const long = Array.from({ length: 20 }, () => ({ path: 'x'.repeat(100_000) }));
  assert.equal(answerQuery({ ...query, limit: 20 }, source(long)).decisions?.length, 10);
});
