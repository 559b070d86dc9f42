import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deltaOf, holdingsOf } from '../../../../control-plane/delta/delta.ts';
import type { View } from '../../../../core/model/view.ts';
import { encodeView } from '../../../../proto/codec/encode.ts';
import { WIRE_TYPE } from '../../../../proto/codec/enums.ts';
import { describeFlaw } from '../../../../proto/codec/fields.ts';
import { loadServices } from '../../../../proto/codec/services.ts';
import type { DiscoveryResponse } from '../../../../proto/gen/weft/v1/DiscoveryResponse.ts';
import { NO_HOLDINGS, stage, versionsByType, type Holdings, type Staged } from '../../../../proxy/agent/holdings.ts';
import { arbitraryView } from '../../../support/arbitrary-view.ts';
import { sampleView } from '../../../support/sample-view.ts';

const { responseSerialize, responseDeserialize } = loadServices().discovery.Stream;

const received = (response: DiscoveryResponse) => responseDeserialize(responseSerialize(response));

function staged(held: Holdings, response: DiscoveryResponse): Staged {
  const result = stage(held, received(response));
  assert.ok(result.ok, result.ok ? '' : describeFlaw(result.error));
  return result.value;
}

function flawOf(held: Holdings, response: DiscoveryResponse): string {
  const result = stage(held, received(response));
  assert.ok(!result.ok);
  return describeFlaw(result.error);
}

/** What the control plane sends to somebody who holds that. */
function responseFor(held: Holdings, view: View): DiscoveryResponse {
  const versions = new Map([...held.resources].map(([key, { version }]) => [key, version]));
  const { changed, removed } = deltaOf(versions, encodeView(view));
  return {
    nonce: 'n',
    snapshot: view.snapshot,
    resources: changed.map(({ wire }) => wire),
    removed: removed.map(({ type, name }) => ({ type: WIRE_TYPE[type], name })),
  };
}

const wiresOf = (view: View) => encodeView(view).map(({ wire }) => wire);
const sorted = (view: View) => ({
  ...view,
  clusters: new Map([...view.clusters].sort()),
  endpoints: new Map([...view.endpoints].sort()),
  listeners: new Map([...view.listeners].sort()),
  routes: new Map([...view.routes].sort()),
});

test('a proxy that applies every step has the view of the control plane', () => {
  fc.assert(
    fc.property(fc.array(arbitraryView, { minLength: 1, maxLength: 4 }), (views) => {
      let held = NO_HOLDINGS;
      for (const view of views) {
        const step = staged(held, responseFor(held, view));
        assert.deepEqual(sorted(step.view), sorted(view));
        held = step.next;
      }
    }),
  );
});

test('what a proxy says it holds is what the control plane counts as held', () => {
  fc.assert(
    fc.property(arbitraryView, (view) => {
      const { next } = staged(NO_HOLDINGS, responseFor(NO_HOLDINGS, view));
      const said = [...versionsByType(next)].flatMap(([type, versions]) =>
        Object.entries(versions).map(([name, version]) => [`${type}/${name}`, version] as const),
      );
      assert.deepEqual(new Map(said.sort()), new Map([...holdingsOf(encodeView(view))].sort()));
    }),
  );
});

test('staging changes nothing that is held', () => {
  const { next: held } = staged(NO_HOLDINGS, responseFor(NO_HOLDINGS, sampleView('s1', { a: [] })));
  staged(held, responseFor(held, sampleView('s2', { b: [] })));
  assert.deepEqual([...held.resources.keys()], ['cluster/a', 'endpoints/a']);
  assert.equal(held.snapshot, 's1');
});

test('a step that says nothing new is told apart', () => {
  const view = sampleView('s1', { a: [] });
  const { next } = staged(NO_HOLDINGS, responseFor(NO_HOLDINGS, view));
  assert.equal(staged(next, responseFor(next, view)).changed, false);
  assert.equal(staged(next, responseFor(next, sampleView('s2', { a: [] }))).changed, true);
});

test('a removal that leaves a name dangling is a flaw', () => {
  const { next } = staged(NO_HOLDINGS, responseFor(NO_HOLDINGS, sampleView('s1', { a: [] })));
  const removed = [{ type: 'RESOURCE_TYPE_ENDPOINTS', name: 'a' }] as const;
  assert.match(flawOf(next, { snapshot: 's2', removed: [...removed] }), /^cluster\/a: needs endpoints\/a/);
});

test('a response that contradicts itself is a flaw', () => {
  const resources = wiresOf(sampleView('s1', { a: [] }));
  const [cluster = {}] = resources;
  const removed = [{ type: 'RESOURCE_TYPE_CLUSTER', name: 'a' }] as const;
  assert.match(
    flawOf(NO_HOLDINGS, { snapshot: 's', resources: [...resources, cluster] }),
    /cluster\/a: is there twice/,
  );
  assert.match(flawOf(NO_HOLDINGS, { snapshot: 's', resources, removed: [...removed] }), /both sent and removed/);
});

test('a response without a snapshot, or with a removal of unknown type, is a flaw', () => {
  assert.match(flawOf(NO_HOLDINGS, { snapshot: '' }), /snapshot: is empty/);
  assert.match(flawOf(NO_HOLDINGS, { snapshot: 's', removed: [{ name: 'x' }] }), /unknown\/x: is of a type/);
});

test('a removal of what is not held is no flaw', () => {
  const removed = [{ type: 'RESOURCE_TYPE_CLUSTER', name: 'gone' }] as const;
  assert.equal(staged(NO_HOLDINGS, { snapshot: 's', removed: [...removed] }).view.clusters.size, 0);
});

test('whatever bytes come, the outcome is a view or one flaw', () => {
  const mutated = fc
    .tuple(arbitraryView, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }))
    .map(([view, changes]) => {
      const bytes = Buffer.from(responseSerialize({ snapshot: view.snapshot, resources: wiresOf(view) }));
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return bytes;
    });
  fc.assert(
    fc.property(mutated, (bytes) => {
      let response: ReturnType<typeof received>;
      try {
        response = responseDeserialize(bytes);
      } catch {
        // The gRPC library ends the stream with a status.
        return;
      }
      const result = stage(NO_HOLDINGS, response);
      if (!result.ok) assert.ok(describeFlaw(result.error).length > 0);
    }),
    { numRuns: 1_000 },
  );
});
