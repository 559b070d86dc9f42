// Every way through an exchange, with a client and endpoints that the test drives.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeshError } from '../../../../core/kit/error.ts';
import { ruleId } from '../../../../core/model/brand.ts';
import { STREAM_IDLE } from '../../../../core/decide/time-limits.ts';
import { testAnswer, testHead } from '../../../support/exchange-fakes.ts';
import { recorded, runExchange as run } from '../../../support/running-exchange.ts';

const lost = (): MeshError => new MeshError('upstream-closed', { origin: 'upstream' });
const unreachable = (): MeshError => new MeshError('connect-failed', { origin: 'upstream', unprocessed: true });

test('an answer passes and is recorded once', () => {
  const running = run(testHead());
  running.handler.onEnd(null);
  const { last } = running.cluster;
  running.advance(5);
  last.handler.onHead(testAnswer(200));
  last.handler.onData(Buffer.from('hello'));
  running.advance(5);
  last.handler.onEnd(null);
  running.handler.onData(Buffer.from('late'));
  assert.deepEqual(running.downstream.calls, ['head 200', 'data 5', 'end']);
  recorded(running, {
    status: 200,
    flag: '-',
    code: '',
    attempts: 1,
    responseBytes: 5,
    firstByteAt: 5,
    finishedAt: 10,
  });
});

test('a refusal of the plan is answered with its code and takes no endpoint', () => {
  const running = run(testHead(), { route: () => new MeshError('no-route') });
  assert.deepEqual(running.downstream.calls.slice(0, 1), ['head 404']);
  assert.deepEqual(JSON.parse(running.downstream.body), {
    error: { code: 'no-route', message: 'no route matches' },
    requestId: 'r-1',
  });
  recorded(running, { status: 404, flag: 'NR', code: 'no-route', attempts: 0 });
});

test('a local answer to HEAD says its length and has no body', () => {
  const running = run(testHead({}, { method: 'HEAD' }), { route: () => new MeshError('no-route') });
  assert.deepEqual(running.downstream.calls, ['head 404', 'end']);
  assert.equal(running.downstream.head?.bodyLength, 0);
  assert.ok((running.downstream.head?.declaredLength ?? 0) > 0);
});

test('a second try gets the body that was already sent, on a fresh connection to another endpoint', () => {
  const running = run(testHead({}, { method: 'POST', bodyLength: -1 }));
  running.handler.onData(Buffer.from('one '));
  running.handler.onData(Buffer.from('two '));
  running.cluster.last.fail(unreachable());
  running.handler.onData(Buffer.from('three'));
  running.handler.onEnd(null);
  assert.deepEqual(
    running.cluster.requests.map(({ endpoint, fresh }) => [endpoint, fresh]),
    [
      ['a', false],
      ['b', true],
    ],
  );
  assert.equal(running.cluster.last.body, 'one two three');
  assert.deepEqual(running.cluster.last.calls, ['end']);
});

test('there are two tries at most', () => {
  const running = run(testHead());
  running.handler.onEnd(null);
  running.cluster.last.fail(unreachable());
  running.cluster.last.fail(unreachable());
  assert.equal(running.cluster.requests.length, 2);
  recorded(running, { status: 503, flag: 'UF', code: 'connect-failed', attempts: 2 });
});

test('an unreachable endpoint is not tried again where there is no other, a lost connection is', () => {
  const alone = run(testHead(), { endpoints: ['a'] });
  alone.cluster.last.fail(unreachable());
  assert.equal(alone.cluster.requests.length, 1);
  const stale = run(testHead(), { endpoints: ['a'] });
  stale.cluster.last.fail(lost());
  assert.equal(stale.cluster.requests.length, 2);
  assert.equal(stale.cluster.last.fresh, true);
});

test('a POST that may have arrived is not sent again', () => {
  const running = run(testHead({}, { method: 'POST' }));
  running.cluster.last.fail(lost());
  assert.equal(running.cluster.requests.length, 1);
  recorded(running, { status: 503, flag: 'UC', code: 'upstream-closed' });
});

test('after an informational answer nothing is tried again', () => {
  const running = run(testHead());
  running.cluster.last.handler.onInformational(103, testAnswer(103).headers);
  running.cluster.last.fail(lost());
  assert.equal(running.cluster.requests.length, 1);
  assert.deepEqual(running.downstream.calls.slice(0, 2), ['informational 103', 'head 503']);
});

test('a marked 503 of a sidecar is a failure of that endpoint; its body is dropped', () => {
  const running = run(testHead(), { kind: 'mesh' });
  running.handler.onEnd(null);
  const first = running.cluster.last;
  first.handler.onHead(testAnswer(503, { 'x-weft-unprocessed': '1' }));
  assert.equal(running.cluster.requests.length, 2);
  first.handler.onData(Buffer.from('not for you'));
  first.handler.onEnd(null);
  assert.deepEqual(first.calls.includes('cancel'), false);
  running.cluster.last.handler.onHead(testAnswer(200));
  running.cluster.last.handler.onEnd(null);
  assert.deepEqual(running.downstream.calls, ['resume', 'head 200', 'end']);
});

test('the mark counts from the mesh only, and a lost app is not tried again at its only instance', () => {
  const outside = run(testHead());
  outside.cluster.last.handler.onHead(testAnswer(503, { 'x-weft-unprocessed': '1' }));
  assert.deepEqual(outside.downstream.calls, ['head 503']);
  const alone = run(testHead(), { kind: 'mesh', endpoints: ['a'] });
  alone.cluster.last.handler.onHead(testAnswer(503, { 'x-weft-upstream-closed': '1' }));
  assert.equal(alone.cluster.requests.length, 1);
  recorded(alone, { status: 503, code: 'upstream-closed' });
});

test('an upload that is still coming is not sent on to a sidecar that has already given up', () => {
  const running = run(testHead({}, { method: 'POST', bodyLength: -1 }), { kind: 'mesh' });
  running.handler.onData(Buffer.from('begin'));
  const first = running.cluster.last;
  first.handler.onHead(testAnswer(503, { 'x-weft-unprocessed': '1' }));
  assert.deepEqual(first.calls, ['cancel']);
  assert.equal(running.cluster.last.body, 'begin');
});

test('a body beyond 64 KiB is passed on but not kept', () => {
  const running = run(testHead({}, { method: 'PUT', bodyLength: -1 }));
  running.handler.onData(Buffer.alloc(40_000));
  running.handler.onData(Buffer.alloc(40_000));
  running.cluster.last.fail(lost());
  assert.equal(running.cluster.requests.length, 1);
});

test('both sides wait for each other', () => {
  const running = run(testHead({}, { method: 'POST', bodyLength: -1 }));
  const { last } = running.cluster;
  last.writable = false;
  running.handler.onData(Buffer.from('x'));
  assert.deepEqual(running.downstream.calls, ['pause']);
  last.handler.onDrain();
  assert.deepEqual(running.downstream.calls, ['pause', 'resume']);
  last.handler.onHead(testAnswer(200));
  running.downstream.writable = false;
  last.handler.onData(Buffer.from('y'));
  assert.deepEqual(last.calls, ['pause']);
  running.handler.onDrain();
  assert.deepEqual(last.calls, ['pause', 'resume']);
});

test('an answer that breaks off is reset, not ended', () => {
  const running = run(testHead());
  running.cluster.last.handler.onHead(testAnswer(200));
  running.cluster.last.fail(new MeshError('upstream-reset', { origin: 'upstream' }));
  assert.deepEqual(running.downstream.calls, ['head 200', 'reset']);
  recorded(running, { status: 200, flag: 'UR', code: 'upstream-reset' });
});

test('a client that goes away cancels the upstream and is recorded as 499', () => {
  const running = run(testHead());
  running.handler.onAbort(new MeshError('downstream-closed', { origin: 'downstream' }));
  assert.deepEqual(running.cluster.last.calls, ['cancel']);
  recorded(running, { status: 499, flag: 'DC', code: 'downstream-closed' });
  running.cluster.last.handler.onHead(testAnswer(200));
  running.cluster.last.handler.onEnd(null);
  assert.equal(running.records.length, 1);
  assert.deepEqual(running.downstream.calls, []);
});

test('the route timeout runs from the end of the request over all tries', () => {
  const running = run(testHead({}, { method: 'PUT', bodyLength: -1 }), { timeout: 1_000 });
  running.advance(5_000);
  running.handler.onEnd(null);
  running.advance(700);
  running.cluster.last.fail(unreachable());
  assert.equal(running.cluster.requests.length, 2);
  running.advance(500);
  assert.deepEqual(running.cluster.last.calls.at(-1), 'cancel');
  recorded(running, { status: 504, flag: 'UT', code: 'upstream-timeout', attempts: 2 });
});

test('a timeout inside an answer cuts it', () => {
  const running = run(testHead(), { timeout: 1_000 });
  running.cluster.last.handler.onHead(testAnswer(200));
  running.advance(1_200);
  assert.deepEqual(running.downstream.calls, ['head 200', 'reset']);
  recorded(running, { status: 200, flag: 'UT', code: 'upstream-timeout' });
});

test('without a timeout only silence ends it', () => {
  const running = run(testHead({}, { method: 'PUT', bodyLength: -1 }));
  running.advance(STREAM_IDLE - 1_000);
  running.handler.onData(Buffer.from('x'));
  running.advance(2_000);
  assert.equal(running.records.length, 0);
  running.advance(STREAM_IDLE + 1_000);
  recorded(running, { status: 504, code: 'stream-idle' });
});

test('a cluster without an endpoint and a route without a cluster have their own codes', () => {
  const empty = run(testHead(), { endpoints: [] });
  recorded(empty, { status: 503, flag: 'UH', code: 'no-endpoint' });
  const nowhere = run(testHead(), {
    route: () => ({
      ruleId: ruleId('r'),
      timeout: 0,
      perTryTimeout: 0,
      idleTimeout: null,
      choose: () => null,
      rewrite: (target) => target,
    }),
  });
  recorded(nowhere, { status: 503, flag: 'NC', code: 'no-cluster' });
});
