// What one side of the codec writes, the other reads as the same message, wherever the bytes are cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { ClientHarness } from './client-harness.ts';
import { ServerHarness } from './server-harness.ts';

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.stringMatching(/^(?:[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff\t]{0,20}[\x21-\x7e\x80-\xff])?)?$/);
const TAKEN =
  /^(?:connection|content-length|expect|host|http2-settings|keep-alive|proxy-connection|te|transfer-encoding|upgrade)$/i;
const fields = (prefix = '') =>
  fc.array(fc.tuple(token, value), { maxLength: 6 }).map((list) =>
    list
      .map(([name, text]) => [`${prefix}${name}`, text])
      .filter(([name]) => !TAKEN.test(name as string))
      .flat(),
  );
const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 4 });
const cuts = fc.array(fc.nat(), { maxLength: 4 });

function list(flat: readonly string[]): HeaderList {
  const headers = new HeaderList();
  for (let i = 0; i < flat.length; i += 2) headers.add(flat[i] as string, flat[i + 1] as string);
  return headers;
}

function feedInPieces(bytes: Buffer, at: number[], feed: (piece: Buffer) => void): void {
  let from = 0;
  for (const cut of at.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    if (cut > from) feed(bytes.subarray(from, cut));
    from = Math.max(from, cut);
  }
  if (from < bytes.length) feed(bytes.subarray(from));
}

/** Trailers go with chunks only. */
function expectedTrailers(trailers: readonly string[], chunked: boolean): string[] | null {
  return chunked && trailers.length > 0 ? [...trailers] : null;
}

test('a request that is written is read as the same request', () => {
  const method = fc.constantFrom('GET', 'POST', 'PURGE', 'M-SEARCH', 'DELETE');
  const target = fc.stringMatching(/^\/[\x21\x22\x24-\x7e]{0,30}$/);
  const property = fc.property(
    fc.record({
      method,
      target,
      headers: fields(),
      parts: chunks,
      trailers: fields('X-T-'),
      chunked: fc.boolean(),
      at: cuts,
    }),
    ({ method, target, headers, parts, trailers, chunked, at }) => {
      const whole = Buffer.concat(parts);
      const client = new ClientHarness();
      const bodyLength = chunked ? -1 : whole.length;
      const { upstream } = client.request({ method, target, bodyLength, authority: 'a.test:80' }, headers);
      for (const part of parts) upstream.sendData(Buffer.from(part));
      upstream.sendEnd(list(trailers));
      const server = new ServerHarness();
      feedInPieces(Buffer.concat(client.socket.writes), at, (piece) => server.socket.feed(piece));
      assert.deepEqual(server.refusals.map(String), []);
      const { head, body, ended, trailers: seen } = server.last;
      assert.ok(ended);
      assert.deepEqual(
        [head.method, head.target, head.authority, head.bodyLength],
        [method, target, 'a.test:80', bodyLength],
      );
      assert.deepEqual(head.headers.fields, headers);
      assert.equal(body, whole.toString('latin1'));
      assert.deepEqual(seen, expectedTrailers(trailers, chunked));
    },
  );
  fc.assert(property, { numRuns: 500, seed: 3 });
});

test('an answer that is written is read as the same answer', () => {
  const status = fc.constantFrom(200, 201, 206, 302, 404, 500, 599);
  const property = fc.property(
    fc.record({
      status,
      reason: value,
      headers: fields(),
      parts: chunks,
      trailers: fields('X-T-'),
      chunked: fc.boolean(),
      at: cuts,
    }),
    ({ status, reason, headers, parts, trailers, chunked, at }) => {
      const whole = Buffer.concat(parts);
      const server = new ServerHarness({ answer: false });
      server.socket.feed('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      const bodyLength = chunked ? -1 : whole.length;
      const { downstream } = server.last;
      downstream.sendHead({ status, reason, headers: list(headers), bodyLength, declaredLength: -1 });
      for (const part of parts) downstream.sendData(Buffer.from(part));
      downstream.sendEnd(list(trailers));
      const client = new ClientHarness();
      const { answer } = client.request();
      feedInPieces(Buffer.concat(server.socket.writes), at, (piece) => client.socket.feed(piece));
      assert.equal(answer.error, null);
      assert.ok(answer.ended && client.connection.usable);
      assert.equal(answer.head?.status, status);
      assert.equal(answer.head?.reason, reason);
      assert.equal(answer.head?.bodyLength, bodyLength);
      assert.deepEqual(answer.head?.headers.fields, headers);
      assert.equal(answer.body, whole.toString('latin1'));
      assert.deepEqual(answer.trailers, expectedTrailers(trailers, chunked));
    },
  );
  fc.assert(property, { numRuns: 500, seed: 4 });
});
