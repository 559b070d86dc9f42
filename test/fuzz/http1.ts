// `npm run fuzz [-- SECONDS [SEED]]`: the differential comparison of the HTTP/1.1 codec with llhttp, and of
// the codec with itself on arbitrary splits, for as long as it is given. Prints the seed to repeat with.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { requestStream, responseStream } from '../unit/proxy/http1/arbitrary-message.ts';
import { compareRequests, compareResponses } from '../unit/proxy/http1/differential.ts';
import { NodeRequestParser } from '../unit/proxy/http1/llhttp.ts';
import { ServerHarness } from '../unit/proxy/http1/server-harness.ts';

const RUNS = 2_000;
const seconds = Number(process.argv[2] ?? 60);
const first = Number(process.argv[3] ?? Date.now() % 1_000_000);

const node = new NodeRequestParser();
const requests = fc.asyncProperty(requestStream, async (text) => void (await compareRequests(text, node)));
const responses = fc.asyncProperty(responseStream, fc.constantFrom('GET', 'HEAD'), async (text, method) => {
  await compareResponses(text, method);
});
const splits = fc.property(requestStream, fc.array(fc.nat(), { maxLength: 6 }), (text, cuts) => {
  const whole = new ServerHarness();
  whole.socket.feed(text);
  const split = new ServerHarness();
  let from = 0;
  for (const cut of cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b)) {
    split.socket.feed(text.slice(from, cut));
    from = cut;
  }
  split.socket.feed(text.slice(from));
  assert.deepEqual(split.transcript, whole.transcript);
});

const deadline = performance.now() + seconds * 1_000;
let seed = first;
for (; performance.now() < deadline; seed++) {
  try {
    fc.assert(splits, { numRuns: RUNS, seed });
    await fc.assert(requests, { numRuns: RUNS, seed });
    await fc.assert(responses, { numRuns: RUNS, seed });
  } catch (error) {
    process.stderr.write(`seed ${seed}\n`);
    throw error;
  }
}
node.close();
process.stdout.write(`no difference in ${(seed - first) * RUNS * 3} messages, seeds ${first} to ${seed - 1}\n`);
