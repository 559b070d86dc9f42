// The HTTP/1.1 codec against llhttp, and against itself on every other split of the same bytes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ClientHarness } from '../../unit/proxy/http1/client-harness.ts';
import { type Comparison, compareRequests, compareResponses } from '../../unit/proxy/http1/differential.ts';
import { NodeRequestParser } from '../../unit/proxy/http1/llhttp.ts';
import { ServerHarness } from '../../unit/proxy/http1/server-harness.ts';
import { makeAnswer, makeRequests } from '../http1-corpus.ts';
import { cutsOf, piecesOf } from '../mutate.ts';
import type { FuzzTarget } from '../target.ts';

const page = readFileSync(new URL('../../../docs/http.md', import.meta.url), 'utf8');

function isDocumented({ stricter }: Comparison): void {
  const said = stricter === '' || page.includes(`\n| ${stricter} |`);
  assert.ok(said, `only Weft refuses this, and docs/http.md does not say so: ${stricter}`);
}

/** What is accepted is accepted by llhttp too, as the same messages; what only Weft refuses is documented. */
export function http1Requests(): FuzzTarget {
  const node = new NodeRequestParser();
  return {
    name: 'http1-requests',
    batch: 64,
    limit: 5_000,
    make: makeRequests,
    check: async (input) => isDocumented(await compareRequests(input.toString('latin1'), node)),
    close: () => node.close(),
  };
}

export function http1Answers(): FuzzTarget {
  return {
    name: 'http1-answers',
    batch: 64,
    limit: 5_000,
    make: makeAnswer,
    check: async (input, random) => {
      isDocumented(await compareResponses(input.toString('latin1'), random() < 0.15 ? 'HEAD' : 'GET'));
    },
  };
}

/** However the bytes are cut, a server says and sees the same. */
export function http1RequestSplits(): FuzzTarget {
  return {
    name: 'http1-request-splits',
    batch: 1,
    limit: 1_000,
    make: makeRequests,
    check: (input, random) => {
      const whole = new ServerHarness();
      whole.socket.feed(Buffer.from(input));
      const split = new ServerHarness();
      for (const piece of piecesOf(input, cutsOf(random, input.length))) split.socket.feed(piece);
      assert.deepEqual(split.transcript, whole.transcript);
    },
  };
}

export function http1AnswerSplits(): FuzzTarget {
  return {
    name: 'http1-answer-splits',
    batch: 1,
    limit: 1_000,
    make: makeAnswer,
    check: (input, random) => {
      const method = random() < 0.15 ? 'HEAD' : 'GET';
      const whole = read(piecesOf(input, []), method);
      assert.deepEqual(read(piecesOf(input, cutsOf(random, input.length)), method), whole);
    },
  };
}

function read(pieces: readonly Buffer[], method: string): unknown {
  const client = new ClientHarness();
  const { answer } = client.request({ method });
  for (const piece of pieces) client.socket.feed(piece);
  // What comes behind a whole answer is noticed while it is read, or while the connection idles.
  if (answer.ended) return { ...(answer.transcript as object), usable: null };
  if (!client.socket.destroyed) client.socket.feedEnd();
  return answer.transcript;
}
