// A proxy by the book beside the ledger of its stream: whatever is sent, answered and asked for in whatever order, both
// mean the same view, and nothing is sent that was refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LastGood, type TargetView } from '../../../../control-plane/server/last-good.ts';
import { StreamLedger } from '../../../../control-plane/server/ledger.ts';
import { encodeView, type EncodedResource } from '../../../../proto/codec/encode.ts';
import { modelWord, WIRE_TYPE } from '../../../../proto/codec/enums.ts';
import { resourceKey } from '../../../../proto/codec/view.ts';
import type { DiscoveryRequest__Output } from '../../../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse } from '../../../../proto/gen/weft/v1/DiscoveryResponse.ts';
import { sampleEndpoint, sampleView } from '../../../support/sample-view.ts';

const TYPES = ['CLUSTER', 'ENDPOINTS', 'LISTENER', 'ROUTES'].map(
  (type) => `RESOURCE_TYPE_${type}` as 'RESOURCE_TYPE_CLUSTER',
);
const EMPTY = { node: null, subscriptions: [], responseNonce: '', errorDetail: null, status: null, answer: null };
const ERROR = { code: 'view-invalid', resource: '', ruleId: '', message: '' };
const subscription = (type: 'RESOURCE_TYPE_CLUSTER', change: { subscribe?: string[]; unsubscribe?: string[] }) => ({
  type,
  subscribe: [],
  unsubscribe: [],
  initialResourceVersions: {},
  ...change,
});

/** `services`: which of a–d it calls; `ports`: where their one instance is. */
function viewOf(services: readonly string[], ports: readonly number[]): TargetView {
  // As with compiled configurations, what is called decides the snapshot and who is there does not.
  const snapshot = `s-${services.join('')}`;
  const called = services.map((name, index) => [name, [sampleEndpoint(`${name}-1`, ports[index] ?? 1)]] as const);
  return { snapshot, resources: encodeView(sampleView(snapshot, Object.fromEntries(called))) };
}

const versionsOf = (resources: readonly EncodedResource[]) =>
  Object.fromEntries(resources.map(({ type, name, version }) => [resourceKey(type, name), version]).sort());

class ModelProxy {
  readonly ledger = new StreamLedger('p-');
  readonly lastGood: LastGood;
  /** What it runs. */
  runs = new Map<string, string>();
  /** What it has said no to, and for no reason that may pass. */
  readonly refused = new Set<string>();
  inFlight: DiscoveryResponse | null = null;
  /** It has refused no snapshot but instances in one. */
  spoilt = false;

  constructor(lastGood: LastGood) {
    this.lastGood = lastGood;
    this.say({ subscriptions: TYPES.map((type) => subscription(type, { subscribe: ['*'] })) });
  }

  say(change: Partial<DiscoveryRequest__Output>) {
    return this.ledger.receive({ ...EMPTY, ...change });
  }

  offer(target: TargetView): void {
    const precedent = { good: this.lastGood.of('a'), refused: this.lastGood.isRefused('a', target.snapshot) };
    // With another snapshot in force the refusal of an older one is past: who goes back to that one means it.
    for (const snapshot of this.inFlight === null ? this.refused : []) {
      if (snapshot !== target.snapshot && snapshot !== precedent.good?.snapshot) this.refused.delete(snapshot);
    }
    const response = this.ledger.next(target, precedent);
    if (response === null) return;
    assert.equal(this.inFlight, null, 'one at a time');
    assert.ok(!this.refused.has(response.snapshot ?? ''), 'a snapshot that was refused is not sent again');
    this.inFlight = response;
  }

  answer(refuse: boolean): void {
    const response = this.inFlight;
    if (response === null) return;
    this.inFlight = null;
    const { nonce: responseNonce = '', snapshot = '', resources = [], removed = [] } = response;
    if (refuse) {
      // Where it runs that snapshot, only what has changed in it since is refused.
      if (this.ledger.acknowledged !== snapshot) this.refused.add(snapshot);
      else this.spoilt = true;
      this.say({ responseNonce, errorDetail: ERROR });
      this.lastGood.refused('a', snapshot);
      return;
    }
    for (const { name = '', version = '', cluster } of resources) {
      this.runs.set(resourceKey(cluster ? 'cluster' : 'endpoints', name), version);
    }
    for (const { type = '', name = '' } of removed) {
      const word = modelWord(WIRE_TYPE, type) ?? assert.fail();
      this.runs.delete(resourceKey(word, name));
    }
    const answer = this.say({ responseNonce });
    assert.ok(answer.kind === 'ack');
    if (this.ledger.instead) return;
    this.refused.clear();
    this.lastGood.acknowledged('a', answer.view);
  }
}

const services = fc.subarray(['a', 'b', 'c', 'd'], { minLength: 0 });
const ports = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 });
const who = fc.integer({ min: 0, max: 2 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('view' as const), services, ports }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('instances' as const), ports }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('answer' as const), who, refuse: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('again' as const), who, name: fc.constantFrom('a', 'b', 'x') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stale' as const), who }) },
);

test('proxies and their ledgers mean the same, whatever is sent, refused and asked for', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let called: readonly string[] = [];
      let target = viewOf([], []);
      const lastGood = new LastGood(() => {});
      const proxies = Array.from({ length: 3 }, () => new ModelProxy(lastGood));
      const offer = () => {
        for (const proxy of proxies) proxy.offer(target);
      };
      for (const one of steps) {
        if (one.kind === 'view') {
          called = one.services;
          target = viewOf(called, one.ports);
        } else if (one.kind === 'instances') target = viewOf(called, one.ports);
        else if (one.kind === 'answer') proxies[one.who]?.answer(one.refuse);
        else if (one.kind === 'stale') proxies[one.who]?.say({ responseNonce: 'p-999', errorDetail: ERROR });
        else
          proxies[one.who]?.say({ subscriptions: [subscription('RESOURCE_TYPE_CLUSTER', { subscribe: [one.name] })] });
        offer();
      }
      // Whoever refused something takes everything from now on.
      for (let round = 0; round < 6; round++) {
        for (const proxy of proxies) proxy.answer(false);
        offer();
      }
      for (const proxy of proxies) {
        assert.equal(proxy.inFlight, null, 'there is an end');
        const runs = Object.fromEntries([...proxy.runs].sort());
        const good = lastGood.of('a');
        if (proxy.spoilt) continue;
        if (!proxy.refused.has(target.snapshot) && !lastGood.isRefused('a', target.snapshot)) {
          assert.deepEqual(runs, versionsOf(target.resources), 'the newest view');
        } else if (proxy.ledger.acknowledged !== null && good !== null) {
          const endpoints = new Map(
            target.resources.map((resource) => [resourceKey(resource.type, resource.name), resource]),
          );
          for (const key of Object.keys(runs)) {
            const today = key.startsWith('endpoints/') ? endpoints.get(key) : undefined;
            if (today !== undefined) assert.equal(runs[key], today.version, 'an older view has the instances of today');
          }
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
