import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdSource } from '../../../../proxy/filter/ids.ts';
import { identify, isTraceparent } from '../../../../proxy/filter/trace.ts';
import { testHead, testRecord } from '../../../support/exchange-fakes.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
/** Every byte is one more than the one before. */
const counting = (): IdSource => {
  let next = 1;
  return new IdSource((pool) => {
    for (let i = 0; i < pool.length; i++) pool[i] = next++ & 0xff;
  });
};

test('the first hop makes all three fields, and the record has the same ids', () => {
  const head = testHead();
  const record = testRecord();
  identify(head, record, counting());
  const traceId = '0102030405060708090a0b0c0d0e0f10';
  assert.equal(head.headers.get('traceparent'), `00-${traceId}-1112131415161718-01`);
  assert.equal(head.headers.get('x-trace-id'), traceId);
  assert.equal(head.headers.get('x-request-id'), '191a1b1c1d1e1f202122232425262728');
  assert.equal(record.traceId, traceId);
  assert.equal(record.requestId, '191a1b1c1d1e1f202122232425262728');
});

test('a later hop keeps trace, flags and request id and becomes the parent', () => {
  const head = testHead({ TraceParent: PARENT, 'X-Request-ID': 'abc-1', 'x-trace-id': 'something else' });
  const record = testRecord();
  identify(head, record, counting());
  assert.equal(head.headers.get('traceparent'), '00-0af7651916cd43dd8448eb211c80319c-0102030405060708-01');
  assert.equal(head.headers.get('x-trace-id'), '0af7651916cd43dd8448eb211c80319c');
  assert.equal(record.requestId, 'abc-1');
  assert.equal(head.headers.count, 3);
});

test('a request id that could forge a log line or a field is replaced', () => {
  for (const bad of ['', 'a b', 'a"b', 'a,b', 'a\\b', 'ä', 'x'.repeat(129)]) {
    const head = testHead({ 'x-request-id': bad });
    identify(head, testRecord(), counting());
    assert.match(head.headers.get('x-request-id') ?? '', /^[0-9a-f]{32}$/, JSON.stringify(bad));
  }
});

test('two traceparents are none (W3C Trace Context §3.2), and only one is left', () => {
  const head = testHead();
  head.headers.add('traceparent', PARENT);
  head.headers.add('traceparent', PARENT);
  identify(head, testRecord(), counting());
  const parents = head.headers.getAll('traceparent');
  assert.equal(parents.length, 1);
  assert.doesNotMatch(parents[0] ?? '', /0af765/);
});

test('a traceparent is taken in its one form, and a later version by its first parts', () => {
  assert.equal(isTraceparent(PARENT), true);
  assert.equal(isTraceparent(PARENT.replace('00-', 'cc-')), true);
  assert.equal(isTraceparent(`${PARENT.replace('00-', 'cc-')}-more`), true);
  for (const bad of [
    `${PARENT}-more`,
    PARENT.toUpperCase(),
    PARENT.replace('00-', 'ff-'),
    PARENT.slice(0, -1),
    PARENT.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
    PARENT.replace('b7ad6b7169203331', '0'.repeat(16)),
    PARENT.replaceAll('-', '_'),
    `${PARENT.replace('00-', 'cc-')}more`,
  ]) {
    assert.equal(isTraceparent(bad), false, bad);
  }
});

test('ids never repeat across a refill of the pool', () => {
  const ids = new IdSource();
  const seen = new Set<string>();
  for (let i = 0; i < 2_000; i++) seen.add(ids.hex(16));
  assert.equal(seen.size, 2_000);
});
