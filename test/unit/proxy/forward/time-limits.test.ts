// What an exchange waits for and for how long, with a clock that the test moves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STREAM_IDLE } from '../../../../core/decide/time-limits.ts';
import { isEndless } from '../../../../proxy/forward/time-limits.ts';
import { testAnswer, testHead } from '../../../support/exchange-fakes.ts';
import { recorded, runExchange } from '../../../support/running-exchange.ts';

test('a try whose answer does not begin in time is followed by one at another endpoint', () => {
  const running = runExchange(testHead(), { timeout: 5_000, perTryTimeout: 500 });
  running.advance(700);
  assert.deepEqual(
    running.cluster.requests.map(({ endpoint }) => endpoint),
    ['a', 'b'],
  );
  assert.equal(running.cluster.requests[0]?.calls.at(-1), 'cancel');
  running.cluster.last.handler.onHead(testAnswer(200));
  // From here on only the whole request is limited.
  running.advance(2_000);
  running.cluster.last.handler.onEnd(null);
  recorded(running, { status: 200, code: '', attempts: 2 });
});

test('when no try begins to answer in time, the caller is told which limit it was', () => {
  const running = runExchange(testHead(), { timeout: 5_000, perTryTimeout: 500 });
  running.advance(700);
  running.advance(700);
  recorded(running, { status: 504, flag: 'UT', code: 'per-try-timeout', attempts: 2 });
});

test('a slow instance that is the only one is asked again', () => {
  const running = runExchange(testHead(), { perTryTimeout: 500, endpoints: ['only'] });
  running.advance(700);
  assert.equal(running.cluster.requests.length, 2);
});

test('a POST is not sent twice for being slow', () => {
  const running = runExchange(testHead({}, { method: 'POST' }), { perTryTimeout: 500 });
  running.advance(700);
  recorded(running, { status: 504, code: 'per-try-timeout', attempts: 1 });
});

test('the limit of a try runs from the end of the request', () => {
  const running = runExchange(testHead({}, { method: 'PUT', bodyLength: -1 }), { perTryTimeout: 500 });
  running.advance(2_000);
  assert.equal(running.cluster.requests.length, 1);
  running.handler.onEnd(null);
  running.advance(700);
  assert.equal(running.cluster.requests.length, 2);
});

test('silence ends an exchange after its own limit, also before the whole request is due', () => {
  const running = runExchange(testHead(), { timeout: 15_000, idleTimeout: 1_000 });
  running.cluster.last.handler.onHead(testAnswer(200));
  running.advance(900);
  running.cluster.last.handler.onData(Buffer.from('x'));
  running.advance(900);
  assert.equal(running.records.length, 0);
  running.advance(1_200);
  assert.deepEqual(running.downstream.calls, ['head 200', 'data 1', 'reset']);
  recorded(running, { code: 'stream-idle', flag: 'SI' });
});

test('without a limit on silence and on the whole, nothing ends an exchange', () => {
  const running = runExchange(testHead(), { timeout: 0, idleTimeout: 0 });
  running.advance(10 * STREAM_IDLE);
  assert.equal(running.records.length, 0);
});

test('a stream of events goes on beyond the limit of a request, and ends when it falls silent', () => {
  const running = runExchange(testHead(), { timeout: 1_000, idleTimeout: 10_000 });
  running.cluster.last.handler.onHead(testAnswer(200, { 'content-type': 'text/event-stream; charset=utf-8' }));
  for (let second = 0; second < 20; second++) {
    running.advance(1_000);
    running.cluster.last.handler.onData(Buffer.from('data: x\n\n'));
  }
  assert.equal(running.records.length, 0);
  running.advance(10_000);
  running.advance(10_000);
  recorded(running, { status: 200, code: 'stream-idle' });
});

test('a limit on the whole holds for an answer that only looks endless', () => {
  const running = runExchange(testHead(), { timeout: 1_000 });
  running.cluster.last.handler.onHead(testAnswer(200, { 'content-type': 'application/json' }));
  running.advance(1_200);
  recorded(running, { code: 'upstream-timeout' });
});

test('which answers are streams of events', () => {
  const types = ['text/event-stream', 'Text/Event-Stream;x', 'application/x-ndjson', 'multipart/x-mixed-replace; b=1'];
  for (const type of types) assert.equal(isEndless(type), true, type);
  for (const type of [undefined, '', 'text/html', 'application/json', 'image/png'])
    assert.equal(isEndless(type), false);
});
