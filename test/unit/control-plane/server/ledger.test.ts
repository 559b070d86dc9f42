import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TargetView } from '../../../../control-plane/server/last-good.ts';
import { StreamLedger, type Answer } from '../../../../control-plane/server/ledger.ts';
import type { Endpoint } from '../../../../core/model/view.ts';
import { encodeView } from '../../../../proto/codec/encode.ts';
import type { DiscoveryRequest__Output } from '../../../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse } from '../../../../proto/gen/weft/v1/DiscoveryResponse.ts';
import type { Subscription__Output } from '../../../../proto/gen/weft/v1/Subscription.ts';
import { sampleEndpoint, sampleView } from '../../../support/sample-view.ts';

const TYPES = [
  'RESOURCE_TYPE_CLUSTER',
  'RESOURCE_TYPE_ENDPOINTS',
  'RESOURCE_TYPE_LISTENER',
  'RESOURCE_TYPE_ROUTES',
] as const;

const request = (change: Partial<DiscoveryRequest__Output>): DiscoveryRequest__Output => ({
  node: null,
  subscriptions: [],
  responseNonce: '',
  errorDetail: null,
  status: null,
  answer: null,
  ...change,
});
const subscription = (change: Partial<Subscription__Output>): Subscription__Output => ({
  type: 'RESOURCE_TYPE_CLUSTER',
  subscribe: [],
  unsubscribe: [],
  initialResourceVersions: {},
  ...change,
});
const wildcard = request({ subscriptions: TYPES.map((type) => subscription({ type, subscribe: ['*'] })) });

const target = (snapshot: string, called: Record<string, Endpoint[]>): TargetView => ({
  snapshot,
  resources: encodeView(sampleView(snapshot, called)),
});
const ackedSnapshot = (answer: Answer) => (answer.kind === 'ack' ? answer.view.snapshot : answer.kind);
const ERROR = { code: 'warm-failed', resource: 'cluster/a', ruleId: '', message: 'no' };

const names = (response: DiscoveryResponse | null) => response?.resources?.map(({ name }) => name) ?? null;
const nonceOf = (response: DiscoveryResponse | null): string => {
  assert.ok(response?.nonce !== undefined);
  return response.nonce;
};

function subscribed() {
  const ledger = new StreamLedger('run1-1-');
  ledger.receive(wildcard);
  const ack = (response: DiscoveryResponse | null) => ledger.receive(request({ responseNonce: nonceOf(response) }));
  const nack = (response: DiscoveryResponse | null) =>
    ledger.receive(request({ responseNonce: nonceOf(response), errorDetail: ERROR }));
  return { ledger, ack, nack };
}

test('who subscribed to nothing is sent nothing', () => {
  const ledger = new StreamLedger('p-');
  assert.deepEqual(ledger.receive(request({})), { kind: 'none' });
  assert.equal(ledger.next(target('s1', { a: [] })), null);
});

test('a type that was not named gets nothing, a name that was asked for is enough', () => {
  const ledger = new StreamLedger('p-');
  ledger.receive(request({ subscriptions: [subscription({ subscribe: ['b', 'later'] })] }));
  const first = ledger.next(target('s1', { a: [], b: [] }));
  assert.deepEqual(names(first), ['b']);
  ledger.receive(request({ responseNonce: nonceOf(first) }));
  assert.deepEqual(names(ledger.next(target('s2', { a: [], b: [], later: [] }))), ['later']);
});

test('one response is in flight, and the next is the difference to the latest view', () => {
  const { ledger, ack } = subscribed();
  const first = ledger.next(target('s1', { a: [] }));
  assert.equal(ledger.next(target('s2', { a: [], b: [] })), null);
  assert.equal(ledger.next(target('s3', { c: [] })), null);
  assert.deepEqual(ackedSnapshot(ack(first)), 's1');
  const second = ledger.next(target('s3', { c: [] }));
  assert.equal(second?.snapshot, 's3');
  assert.deepEqual(names(second), ['c', 'c']);
  assert.deepEqual(second?.removed, [
    { type: 'RESOURCE_TYPE_ENDPOINTS', name: 'a' },
    { type: 'RESOURCE_TYPE_CLUSTER', name: 'a' },
  ]);
});

test('an acknowledged view is not sent again', () => {
  const { ledger, ack } = subscribed();
  ack(ledger.next(target('s1', { a: [] })));
  assert.equal(ledger.next(target('s1', { a: [] })), null);
});

test('a snapshot that means nothing new to this proxy is told as an empty step', () => {
  const { ledger, ack } = subscribed();
  ack(ledger.next(target('s1', { a: [] })));
  const step = ledger.next(target('s2', { a: [] }));
  assert.deepEqual([step?.snapshot, step?.resources, step?.removed], ['s2', [], []]);
});

test('a refused view is not sent again, a newer snapshot is', () => {
  const { ledger, nack } = subscribed();
  const first = ledger.next(target('s1', { a: [] }));
  assert.deepEqual(nack(first), { kind: 'nack', snapshot: 's1', error: ERROR });
  assert.equal(ledger.next(target('s1', { a: [] })), null);
  assert.deepEqual(names(ledger.next(target('s2', { a: [] }))), ['a', 'a']);
});

test('a refused view is sent again when its endpoints have changed', () => {
  const { ledger, nack } = subscribed();
  nack(ledger.next(target('s1', { a: [sampleEndpoint('a-1')] })));
  assert.deepEqual(names(ledger.next(target('s1', { a: [sampleEndpoint('a-2')] }))), ['a', 'a']);
});

test('a proxy that refuses for good what its siblings take goes on with its own view and the instances of now', () => {
  const { ledger, ack } = subscribed();
  ack(ledger.next(target('s1', { a: [sampleEndpoint('a-1')] })));
  const newer = target('s2', { a: [sampleEndpoint('a-1')], b: [] });
  const refusal = { ...ERROR, code: 'view-invalid' };
  ledger.receive(request({ responseNonce: nonceOf(ledger.next(newer)), errorDetail: refusal }));
  assert.equal(ledger.next(newer, { good: newer, refused: false }), null);
  const later = target('s2', { a: [sampleEndpoint('a-2')], b: [] });
  const step = ledger.next(later, { good: later, refused: false });
  assert.deepEqual([step?.snapshot, names(step), step?.removed], ['s1', ['a'], []]);
  ack(step);
  assert.equal(ledger.next(later, { good: later, refused: false }), null);
});

test('what a proxy refused counts as never sent', () => {
  const { ledger, ack, nack } = subscribed();
  ack(ledger.next(target('s1', { a: [] })));
  nack(ledger.next(target('s2', { b: [] })));
  assert.equal(ledger.acknowledged, 's1');
  const third = ledger.next(target('s3', { a: [], c: [] }));
  assert.deepEqual(names(third), ['c', 'c']);
  assert.deepEqual(third?.removed, []);
});

test('an answer to a response that was answered is stale and changes nothing', () => {
  const { ledger, ack, nack } = subscribed();
  const first = ledger.next(target('s1', { a: [] }));
  ack(first);
  const second = ledger.next(target('s2', { b: [] }));
  assert.deepEqual(nack(first), { kind: 'stale' });
  assert.equal(ledger.next(target('s2', { b: [] })), null, 'the second one is still in flight');
  assert.deepEqual(ackedSnapshot(ack(second)), 's2');
});

test('a nonce that this stream never gave is told apart from a stale one', () => {
  const { ledger } = subscribed();
  ledger.next(target('s1', { a: [] }));
  for (const nonce of ['run1-1-2', 'run0-1-1', 'run1-1-', 'run1-1-01', 'run1-1-1e0', 'x'.repeat(10_000)]) {
    assert.deepEqual(ledger.receive(request({ responseNonce: nonce })), { kind: 'unknown-nonce' }, nonce);
  }
});

test('a proxy that comes back with its versions gets only the difference', () => {
  const held = target('s1', { a: [sampleEndpoint('a-1')], b: [] });
  const ledger = new StreamLedger('p-');
  const versions = (type: string) =>
    Object.fromEntries(held.resources.filter((one) => one.type === type).map(({ name, version }) => [name, version]));
  ledger.receive(
    request({
      subscriptions: [
        subscription({ subscribe: ['*'], initialResourceVersions: versions('cluster') }),
        subscription({
          type: 'RESOURCE_TYPE_ENDPOINTS',
          subscribe: ['*'],
          initialResourceVersions: versions('endpoints'),
        }),
      ],
    }),
  );
  assert.equal(ledger.resumed, true);
  const step = ledger.next(target('s2', { a: [sampleEndpoint('a-2')], c: [] }));
  assert.deepEqual(
    step?.resources?.map(({ name, cluster }) => `${cluster ? 'cluster' : 'endpoints'}/${name}`),
    ['cluster/c', 'endpoints/a', 'endpoints/c'],
  );
  assert.deepEqual(step?.removed, [
    { type: 'RESOURCE_TYPE_ENDPOINTS', name: 'b' },
    { type: 'RESOURCE_TYPE_CLUSTER', name: 'b' },
  ]);
});

test('versions that are given later than with the first request for a type do not count', () => {
  const { ledger } = subscribed();
  ledger.receive(request({ subscriptions: [subscription({ initialResourceVersions: { a: '1' } })] }));
  assert.equal(ledger.resumed, false);
});

test('who unsubscribes forgets: nothing is removed, and asking again sends again', () => {
  const { ledger, ack } = subscribed();
  ack(ledger.next(target('s1', { a: [] })));
  ledger.receive(request({ subscriptions: [subscription({ unsubscribe: ['*'] })] }));
  assert.equal(ledger.next(target('s1', { a: [] })), null);
  ledger.receive(request({ subscriptions: [subscription({ subscribe: ['*'] })] }));
  assert.deepEqual(names(ledger.next(target('s1', { a: [] }))), ['a']);
});

test('a subscription that cannot be is refused whole', () => {
  const refusals: [Subscription__Output, RegExp][] = [
    [subscription({ type: 'RESOURCE_TYPE_UNSPECIFIED', subscribe: ['*'] }), /UNSPECIFIED is not known/],
    [subscription({ subscribe: [''] }), /empty or too long/],
    [subscription({ subscribe: ['n'.repeat(257)] }), /empty or too long/],
    [subscription({ initialResourceVersions: { a: 'v'.repeat(257) } }), /empty or too long/],
    [subscription({ subscribe: Array.from({ length: 10_001 }, (_, index) => `${index}`) }), /more than 10000 names/],
  ];
  for (const [bad, reason] of refusals) {
    const ledger = new StreamLedger('p-');
    const answer = ledger.receive(request({ subscriptions: [subscription({ subscribe: ['*'] }), bad] }));
    assert.ok(answer.kind === 'refused');
    assert.match(answer.reason, reason);
    assert.equal(ledger.next(target('s1', { a: [] })), null);
  }
});

test('names pile up no further than the bound', () => {
  const ledger = new StreamLedger('p-');
  const batch = (from: number) =>
    request({ subscriptions: [subscription({ subscribe: Array.from({ length: 6_000 }, (_, i) => `${from + i}`) })] });
  assert.equal(ledger.receive(batch(0)).kind, 'none');
  assert.equal(ledger.receive(batch(6_000)).kind, 'refused');
});

test('who unsubscribes from everything has said goodbye, who never subscribed has not', () => {
  const { ledger } = subscribed();
  assert.equal(new StreamLedger('p-').finished, false);
  assert.equal(ledger.finished, false);
  ledger.receive(request({ subscriptions: TYPES.map((type) => subscription({ type, unsubscribe: ['*'] })) }));
  assert.equal(ledger.finished, true);
});

test('a type that only newer proxies know gets nothing, and the others get theirs', () => {
  const ledger = new StreamLedger('p-');
  // The decoder hands the number through.
  const newer = subscription({ type: 9 as unknown as 'RESOURCE_TYPE_CLUSTER', subscribe: ['*', 'a'] });
  assert.equal(ledger.receive(request({ subscriptions: [newer] })).kind, 'none');
  assert.equal(ledger.next(target('s1', { a: [] })), null);
  ledger.receive(request({ subscriptions: [newer, subscription({ subscribe: ['*'] })] }));
  assert.deepEqual(names(ledger.next(target('s1', { a: [] }))), ['a']);
});
