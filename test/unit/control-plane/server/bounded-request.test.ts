import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { flawOf } from '../../../../control-plane/server/bounded-request.ts';
import { loadServices } from '../../../../proto/codec/services.ts';

const { requestSerialize } = loadServices().discovery.Stream;
const repeated = (bytes: readonly number[], times: number) => Buffer.alloc(bytes.length * times, Buffer.from(bytes));

test('what proxies send passes, the largest view that one may hold included', () => {
  const held = Object.fromEntries(
    Array.from({ length: 50_000 }, (_, index) => [`service-${index}`, '0123456789abcdef']),
  );
  const names = Array.from({ length: 10_000 }, (_, index) => `service-${index}`);
  const bytes = requestSerialize({
    node: { version: '0.1.0', inboundPort: 15_006 },
    subscriptions: [
      { type: 'RESOURCE_TYPE_CLUSTER', subscribe: names, initialResourceVersions: held },
      { type: 'RESOURCE_TYPE_ROUTES', subscribe: ['*'] },
    ],
    status: { unbound: names.slice(0, 100), requestsPerSecond: 1.5, draining: true },
    answer: { ask: '1', decisions: names.slice(0, 1_000) },
  });
  assert.equal(flawOf(bytes), null);
});

test('much in few bytes is refused, wherever it stands', () => {
  const fields = /more than 64 fields/;
  const entries = /more than 100000 entries/;
  // Empty subscriptions, empty answers, and fields that nobody knows.
  assert.match(flawOf(repeated([0x12, 0], 1_000)) ?? '', fields);
  assert.match(flawOf(repeated([0x32, 0], 1_000)) ?? '', fields);
  assert.match(flawOf(repeated([0x78, 1], 1_000)) ?? '', fields);
  const inside = (tag: number, bytes: readonly number[]) => {
    const content = repeated(bytes, 200_000);
    const length = [];
    for (let left = content.length; left > 0; left >>>= 7) length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    return Buffer.concat([Buffer.from([tag, ...length]), content]);
  };
  // Names, entries of the map, instances that cannot be reached, decisions.
  assert.match(flawOf(inside(0x12, [0x12, 1, 0x61])) ?? '', entries);
  assert.match(flawOf(inside(0x12, [0x22, 0])) ?? '', entries);
  assert.match(flawOf(inside(0x2a, [0x6a, 0])) ?? '', entries);
  assert.match(flawOf(inside(0x32, [0x12, 0])) ?? '', entries);
  assert.match(
    flawOf(Buffer.concat(Array.from({ length: 3 }, () => inside(0x12, [0x22, 0]).subarray(0)))) ?? '',
    entries,
  );
});

test('bytes of any kind end the walk', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.match(flawOf(bytes) ?? '', /^$|more than 64 fields/);
    }),
    { numRuns: 2_000 },
  );
});
