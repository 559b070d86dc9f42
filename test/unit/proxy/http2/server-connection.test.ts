import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as wire from '../../../../proxy/http2/frames.ts';
import { HTTP2_LIMITS, MESH_HTTP2_LIMITS } from '../../../../proxy/http2/limits.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { data, frame, GET, headers, number32, POST, SETTINGS_ACK, settings } from './frame-bytes.ts';
import { Http2ServerHarness, respond, turn } from './server-harness.ts';

const dataOf = (frames: readonly { type: number; stream: number; payload: Buffer }[], stream: number): Buffer =>
  Buffer.concat(frames.filter((one) => one.type === wire.DATA && one.stream === stream).map((one) => one.payload));

const CONVERSATION = Buffer.concat([
  wire.PREFACE,
  settings([3, 100]),
  SETTINGS_ACK,
  headers(1, [...GET, ['cookie', 'a=b'], ['cookie', 'c=d'], ['te', 'trailers']]),
  headers(3, [...POST, ['content-length', '11']], wire.END_HEADERS),
  frame(wire.DATA, wire.PADDED, 3, '\x03hello\0\0\0'),
  frame(77, 0, 0, 'unknown'),
  data(3, ' world', true),
  headers(5, POST, 0).subarray(0),
  frame(wire.CONTINUATION, 0, 5, '\x00\x03x-a\x01b'),
  frame(wire.CONTINUATION, wire.END_HEADERS, 5, ''),
  data(5, 'body'),
  frame(wire.HEADERS, wire.END_STREAM | wire.END_HEADERS, 5, '\x00\x05x-sum\x011\x00\x03via\x011'),
  frame(wire.PING, 0, 0, '12345678'),
  headers(7, [...GET.slice(0, 2), [':path', '*'], [':authority', 'a']]),
]);

function transcript(server: Http2ServerHarness): unknown {
  return {
    requests: server.requests.map(({ head, body, trailers, ended }) => ({
      ...head,
      headers: head.headers.fields,
      body,
      trailers,
      ended,
    })),
    refusals: server.refusals.map(({ detail }) => detail),
    goAway: server.goAway,
  };
}

test('every split of the input gives the same requests', () => {
  const whole = new Http2ServerHarness();
  whole.socket.feed(CONVERSATION);
  const expected = transcript(whole);
  assert.deepEqual(
    whole.requests.map(({ body }) => body),
    ['', 'hello world', 'body'],
  );
  assert.deepEqual(whole.requests[2]?.trailers, ['x-sum', '1']);
  assert.equal(whole.requests[0]?.head.headers.get('cookie'), 'a=b; c=d');
  const bytewise = new Http2ServerHarness();
  for (let i = 0; i < CONVERSATION.length; i++) bytewise.socket.feed(CONVERSATION.subarray(i, i + 1));
  assert.deepEqual(transcript(bytewise), expected);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: CONVERSATION.length })), (cuts) => {
      const server = new Http2ServerHarness();
      const places = [0, ...cuts.sort((a, b) => a - b), CONVERSATION.length];
      for (let i = 1; i < places.length; i++) server.socket.feed(CONVERSATION.subarray(places[i - 1], places[i]));
      assert.deepEqual(transcript(server), expected);
    }),
    { numRuns: 200 },
  );
});

test('whatever bytes are changed, nothing is thrown and no exchange is left without an end', async () => {
  const change = fc.record({ at: fc.nat({ max: CONVERSATION.length - 1 }), to: fc.nat({ max: 255 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
      const bytes = Buffer.from(CONVERSATION);
      for (const { at, to } of changes) bytes[at] = to;
      const server = new Http2ServerHarness();
      server.socket.feed(bytes);
      server.socket.feedEnd();
      await turn();
      for (const { ended, aborted } of server.requests) assert.ok(ended || aborted !== null);
      assert.equal(server.closes, 1);
    }),
    { numRuns: 500 },
  );
});

test('head and body of an answer leave in one write, with the end on the last frame', async () => {
  const server = new Http2ServerHarness({}, false).greet();
  await turn();
  const before = server.socket.writes.length;
  server.socket.feed(headers(1));
  respond(server.last.downstream, 200, 'hello');
  const frames = (await server.frames()).filter(({ stream }) => stream === 1);
  assert.equal(server.socket.writes.length, before + 1);
  assert.deepEqual(
    frames.map(({ type, flags }) => [type, flags]),
    [
      [wire.HEADERS, wire.END_HEADERS],
      [wire.DATA, wire.END_STREAM],
    ],
  );
});

test('answers of one turn of the event loop leave in one write', async () => {
  const server = new Http2ServerHarness({}, false).greet();
  await turn();
  const before = server.socket.writes.length;
  for (let id = 1; id < 40; id += 2) server.socket.feed(headers(id));
  for (const { downstream } of server.requests) respond(downstream, 200, 'hello');
  await turn();
  assert.equal(server.socket.writes.length, before + 1);
});

test('an answer stays within the windows, and goes on when they open', async () => {
  const server = new Http2ServerHarness({}, false).greet([wire.INITIAL_WINDOW_SIZE, 10]);
  server.socket.feed(headers(1));
  const { downstream } = server.last;
  downstream.sendHead({ status: 200, reason: '', headers: new HeaderList(), bodyLength: -1, declaredLength: -1 });
  assert.equal(downstream.sendData(Buffer.from('0123456789abcdefghij')), false);
  assert.equal(dataOf(await server.frames(), 1).toString(), '0123456789');
  server.socket.feed(frame(wire.WINDOW_UPDATE, 0, 1, number32(5)));
  assert.equal(dataOf(await server.frames(), 1).toString(), '0123456789abcde');
  server.socket.feed(settings([wire.INITIAL_WINDOW_SIZE, 0]));
  server.socket.feed(frame(wire.WINDOW_UPDATE, 0, 1, number32(5)));
  assert.equal(dataOf(await server.frames(), 1).length, 15, 'a window may be below nothing');
  assert.equal(server.last.drains, 0);
  server.socket.feed(settings([wire.INITIAL_WINDOW_SIZE, 65_535]));
  assert.equal(dataOf(await server.frames(), 1).length, 20);
  assert.equal(server.last.drains, 1);
});

test('the window of the connection holds all streams', async () => {
  const server = new Http2ServerHarness({}, false).greet([wire.INITIAL_WINDOW_SIZE, 1_000_000]);
  for (const id of [1, 3]) {
    server.socket.feed(headers(id));
    respond(server.last.downstream, 200, 'x'.repeat(50_000));
  }
  const lengths = async (): Promise<number[]> => {
    const frames = await server.frames();
    return [1, 3].map((id) => dataOf(frames, id).length);
  };
  assert.deepEqual(await lengths(), [50_000, 15_535]);
  server.socket.feed(frame(wire.WINDOW_UPDATE, 0, 0, number32(100_000)));
  assert.deepEqual(await lengths(), [50_000, 50_000]);
});

test('a big answer to a slow reader does not hold up a small one', async () => {
  const server = new Http2ServerHarness({}, false).greet([wire.INITIAL_WINDOW_SIZE, 10_000_000]);
  server.socket.feed(frame(wire.WINDOW_UPDATE, 0, 0, number32(10_000_000)));
  server.socket.feed(headers(1));
  server.socket.writableNeedDrain = true;
  respond(server.last.downstream, 200, 'x'.repeat(1_000_000));
  server.socket.feed(headers(3));
  respond(server.last.downstream, 200, 'small');
  server.socket.drain();
  const frames = (await server.frames()).filter(({ type }) => type === wire.DATA);
  assert.ok(frames.findIndex(({ stream }) => stream === 3) <= 1);
  assert.equal(dataOf(frames, 1).length, 1_000_000);
  assert.ok(frames.every(({ payload }) => payload.length <= 16_384));
});

test('frames are as large as the peer takes, up to a read of a socket', async () => {
  for (const [granted, expected] of [
    [16_384, 16_384],
    [40_000, 40_000],
    [16_777_215, 65_536],
  ] as const) {
    const windows = [wire.INITIAL_WINDOW_SIZE, 1_000_000] as const;
    const server = new Http2ServerHarness(MESH_HTTP2_LIMITS, false).greet(windows, [wire.MAX_FRAME_SIZE, granted]);
    server.socket.feed(frame(wire.WINDOW_UPDATE, 0, 0, number32(1_000_000)));
    server.socket.feed(headers(1));
    respond(server.last.downstream, 200, 'x'.repeat(200_000));
    const lengths = (await server.frames())
      .filter(({ type }) => type === wire.DATA)
      .map(({ payload }) => payload.length);
    assert.equal(Math.max(...lengths), expected);
  }
});

test('a request whose reader pauses is told no window, and its data waits', async () => {
  const server = new Http2ServerHarness({ streamWindow: 65_535 }, false).greet();
  server.socket.feed(headers(1, POST, wire.END_HEADERS));
  const updates = async (): Promise<number> =>
    (await server.frames()).filter(({ type, stream }) => type === wire.WINDOW_UPDATE && stream === 1).length;
  server.last.downstream.pause();
  for (let i = 0; i < 3; i++) server.socket.feed(data(1, Buffer.alloc(16_384, 'x')));
  server.socket.feed(data(1, 'end', true));
  assert.equal(server.last.body, '');
  assert.equal(server.last.ended, false);
  assert.equal(await updates(), 0);
  server.last.downstream.resume();
  assert.equal(server.last.body.length, 3 * 16_384 + 3);
  assert.ok(server.last.ended);
});

test('the window of a reader that keeps up grows, that of one that pauses does not', async () => {
  const server = new Http2ServerHarness({ streamWindow: 65_536 }, false).greet();
  const granted = async (id: number): Promise<number> => {
    const frames = (await server.frames()).filter((one) => one.type === wire.WINDOW_UPDATE && one.stream === id);
    return frames.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0);
  };
  server.socket.feed(headers(1, POST, wire.END_HEADERS));
  for (let i = 0; i < 8; i++) server.socket.feed(data(1, Buffer.alloc(16_384)));
  assert.equal(await granted(1), 32_768 + 65_536 + (65_536 + 131_072));
  server.socket.feed(headers(3, POST, wire.END_HEADERS));
  for (let i = 0; i < 8; i++) {
    server.last.downstream.pause();
    server.socket.feed(data(3, Buffer.alloc(16_384)));
    server.last.downstream.resume();
  }
  assert.equal(await granted(3), 8 * 16_384);
});

test('a client that asks and never reads is cut before its answers fill the memory', async () => {
  const server = new Http2ServerHarness({ backlogBytes: 10_000 }).greet();
  Object.defineProperty(server.socket, 'writableLength', { get: () => server.socket.written.length });
  server.socket.writableNeedDrain = true;
  for (let id = 1; id < 5_000 && !server.socket.destroyed; id += 2) server.socket.feed(headers(id));
  await turn();
  assert.ok(server.socket.destroyed);
});

test('an answer before the end of the request stops the request a little later, not the connection', async () => {
  const server = new Http2ServerHarness({}, false).greet();
  server.socket.feed(headers(1, POST, wire.END_HEADERS));
  respond(server.last.downstream, 413, 'no');
  // A client in the middle of an upload reads the answer before the reset.
  for (let i = 0; i < 3; i++) server.socket.feed(data(1, Buffer.alloc(16_384)));
  assert.deepEqual(await server.resets(), []);
  assert.equal(server.last.body, '');
  assert.ok(!(await server.frames()).some(({ type, stream }) => type === wire.WINDOW_UPDATE && stream === 1));
  server.pass(HTTP2_LIMITS.closeDelayMs + 200);
  assert.deepEqual(await server.resets(), [[1, wire.NO_ERROR]]);
  server.socket.feed(data(1, 'late'));
  server.socket.feed(headers(3));
  assert.equal(server.requests.length, 2);
  assert.equal(server.goAway, null);
});

test('a client that stops a request by itself once it is answered makes no flood', async () => {
  const server = new Http2ServerHarness({ resets: { burst: 5, perSecond: 0 } }, false).greet();
  for (let id = 1; id < 40; id += 2) {
    server.socket.feed(headers(id, POST, wire.END_HEADERS));
    respond(server.last.downstream, 413, 'no');
    server.socket.feed(frame(wire.RST_STREAM, 0, id, number32(wire.CANCEL)));
  }
  assert.equal(server.goAway, null);
  assert.equal(server.connection.active, 0);
});

test('trailers end an answer; a body of unknown length may be empty', async () => {
  const server = new Http2ServerHarness({}, false).greet();
  server.socket.feed(headers(1));
  const { downstream } = server.last;
  const trailers = new HeaderList();
  trailers.add('Grpc-Status', '0');
  downstream.sendHead({ status: 200, reason: '', headers: new HeaderList(), bodyLength: -1, declaredLength: -1 });
  downstream.sendEnd(trailers);
  const frames = (await server.frames()).filter(({ stream }) => stream === 1);
  assert.deepEqual(
    frames.map(({ type, flags }) => [type, flags]),
    [
      [wire.HEADERS, wire.END_HEADERS],
      [wire.HEADERS, wire.END_STREAM | wire.END_HEADERS],
    ],
  );
});

for (const [what, act] of [
  ['more body than declared', (server) => void server.last.downstream.sendData(Buffer.from('four'))],
  ['less body than declared', (server) => server.last.downstream.sendEnd(null)],
  ['a value that cannot be written', (server) => server.last.downstream.sendInformational(103, badHeaders())],
] as const satisfies readonly (readonly [string, (server: Http2ServerHarness) => void])[]) {
  test(`an answer with ${what} is reset, and the exchange told`, async () => {
    const server = new Http2ServerHarness({}, false).greet();
    server.socket.feed(headers(1));
    const head = { status: 200, reason: '', headers: new HeaderList(), bodyLength: 3, declaredLength: -1 };
    if (what !== 'a value that cannot be written') server.last.downstream.sendHead(head);
    act(server);
    assert.deepEqual(await server.resets(), [[1, wire.INTERNAL_ERROR]]);
    assert.equal(server.last.aborted?.code, 'internal');
    assert.ok(!server.socket.written.includes('four'));
  });
}

function badHeaders(): HeaderList {
  const headers = new HeaderList();
  headers.add('x-a', 'b\r\nc');
  return headers;
}

test('a client that resets, or goes away, aborts the exchange', async () => {
  const server = new Http2ServerHarness({}, false).greet();
  server.socket.feed(Buffer.concat([headers(1), headers(3)]));
  server.socket.feed(frame(wire.RST_STREAM, 0, 1, number32(wire.CANCEL)));
  const aborted = (): unknown[] => server.requests.map((request) => request.aborted?.code);
  assert.deepEqual(aborted(), ['downstream-closed', undefined]);
  server.socket.feedEnd();
  assert.deepEqual(aborted(), ['downstream-closed', 'downstream-closed']);
  await turn();
  assert.equal(server.closes, 1);
});

test('a drain first asks, then names the last stream, and ends with the last answer', async () => {
  const server = new Http2ServerHarness({}, false).greet();
  server.socket.feed(headers(1));
  server.connection.drain();
  const goAways = async (): Promise<number[]> =>
    (await server.frames()).filter(({ type }) => type === wire.GOAWAY).map(({ payload }) => payload.readUInt32BE(0));
  assert.deepEqual(await goAways(), [wire.MAX_STREAM_ID]);
  server.socket.feed(headers(3));
  assert.equal(server.requests.length, 2);
  server.socket.feed(frame(wire.PING, wire.ACK, 0, 'weftping'));
  assert.deepEqual(await goAways(), [wire.MAX_STREAM_ID, 3]);
  server.socket.feed(Buffer.concat([headers(5, POST, wire.END_HEADERS), data(5, 'too late', true)]));
  assert.equal(server.requests.length, 2);
  assert.deepEqual(await server.resets(), [[5, wire.REFUSED_STREAM]]);
  for (const { downstream } of server.requests) respond(downstream, 200, '');
  await turn();
  assert.deepEqual(await goAways(), [wire.MAX_STREAM_ID, 3, 3]);
  assert.ok(server.socket.ended);
});

test('a drain does not wait for ever for the answer to its PING', async () => {
  const server = new Http2ServerHarness({}, false).greet();
  server.connection.drain();
  server.pass(HTTP2_LIMITS.pingAfterMs + 200);
  await turn();
  assert.equal(server.goAway, wire.NO_ERROR);
  assert.ok(server.socket.ended);
});

test('a connection without streams ends after its idle time, one with streams is asked for a sign of life', async () => {
  const limits = { idleTimeoutMs: 60_000 };
  const idle = new Http2ServerHarness(limits, false).greet();
  for (let i = 0; i < 8; i++) idle.pass(HTTP2_LIMITS.pingAfterMs);
  assert.equal(idle.goAway, wire.NO_ERROR);
  const busy = new Http2ServerHarness(limits, false).greet();
  busy.socket.feed(headers(1));
  for (let i = 0; i < 2; i++) busy.pass(HTTP2_LIMITS.pingAfterMs + 100);
  assert.ok((await busy.frames()).some(({ type, flags }) => type === wire.PING && flags === 0));
  busy.pass(HTTP2_LIMITS.pingAfterMs + 100);
  assert.equal(busy.last.aborted?.code, 'downstream-closed');
});
