// A bounded, seeded run of the differential fuzz; `npm run fuzz` runs it for longer.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { requestStream, responseStream } from './arbitrary-message.ts';
import { compareRequests, compareResponses } from './differential.ts';
import { NodeRequestParser } from './llhttp.ts';

const node = new NodeRequestParser();
after(() => node.close());

test('every request that is accepted is one for llhttp too, with the same framing', async () => {
  let accepted = 0;
  const property = fc.asyncProperty(requestStream, async (text) => {
    accepted += (await compareRequests(text, node)).accepted;
  });
  await fc.assert(property, { numRuns: 3_000, seed: 1 });
  assert.ok(accepted > 500, `only ${accepted} were accepted: the generator is too wild`);
});

test('every answer that is accepted is one for llhttp too, with the same framing', async () => {
  let accepted = 0;
  const property = fc.asyncProperty(responseStream, fc.constantFrom('GET', 'HEAD'), async (text, method) => {
    accepted += (await compareResponses(text, method)).accepted;
  });
  await fc.assert(property, { numRuns: 3_000, seed: 2 });
  assert.ok(accepted > 300, `only ${accepted} were accepted: the generator is too wild`);
});
