import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as wire from '../../../../proxy/http2/frames.ts';
import { type Http2Limits, HTTP2_LIMITS } from '../../../../proxy/http2/limits.ts';
import { block, data, frame, GET, headers, number32, POST, SETTINGS_ACK, settings } from './frame-bytes.ts';
import { Http2ServerHarness, turn } from './server-harness.ts';

const END = wire.END_STREAM | wire.END_HEADERS;
const repeat = (bytes: Buffer, times: number): Buffer => Buffer.concat(Array.from({ length: times }, () => bytes));
const open = headers(1, POST, wire.END_HEADERS);
const ping = frame(wire.PING, 0, 0, '12345678');

/** What ends the connection, and with which code. */
const FATAL: readonly (readonly [string, Buffer, number])[] = [
  ['a frame before SETTINGS', Buffer.concat([wire.PREFACE, ping]), wire.PROTOCOL_ERROR],
  ['another preface', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), wire.PROTOCOL_ERROR],
];
const FATAL_AFTER_GREETING: readonly (readonly [string, Buffer, number])[] = [
  ['a frame larger than was granted', frame(wire.DATA, 0, 1, Buffer.alloc(16_385)), wire.FRAME_SIZE_ERROR],
  ['DATA without a stream', data(0, 'x'), wire.PROTOCOL_ERROR],
  ['DATA on a stream that never was', data(1, 'x'), wire.PROTOCOL_ERROR],
  ['DATA on a stream that ended', Buffer.concat([headers(1), data(1, 'x')]), wire.STREAM_CLOSED],
  ['HEADERS without a stream', headers(0), wire.PROTOCOL_ERROR],
  ['an even stream', headers(2), wire.PROTOCOL_ERROR],
  ['a stream number that goes down', Buffer.concat([headers(3), headers(1)]), wire.STREAM_CLOSED],
  ['more padding than payload', frame(wire.HEADERS, END | wire.PADDED, 1, '\x09abc'), wire.PROTOCOL_ERROR],
  ['DATA with more padding than payload', Buffer.concat([open, frame(0, wire.PADDED, 1, '\x09abc')]), 1],
  ['an interrupted header block', Buffer.concat([headers(1, GET, 0), ping]), wire.PROTOCOL_ERROR],
  ['CONTINUATION of nothing', frame(wire.CONTINUATION, 4, 1), wire.PROTOCOL_ERROR],
  ['CONTINUATION of another stream', Buffer.concat([headers(1, GET, 0), frame(9, 4, 3)]), wire.PROTOCOL_ERROR],
  ['PUSH_PROMISE', frame(wire.PUSH_PROMISE, 4, 1, '\0\0\0\x02'), wire.PROTOCOL_ERROR],
  ['SETTINGS on a stream', frame(wire.SETTINGS, 0, 1), wire.PROTOCOL_ERROR],
  ['SETTINGS of a wrong size', frame(wire.SETTINGS, 0, 0, 'x'), wire.FRAME_SIZE_ERROR],
  ['an acknowledgement with content', frame(wire.SETTINGS, 1, 0, '123456'), wire.FRAME_SIZE_ERROR],
  ['an initial window that is too large', settings([4, 0x8000_0000]), wire.FLOW_CONTROL_ERROR],
  ['a frame size that is too small', settings([5, 1_000]), wire.PROTOCOL_ERROR],
  ['ENABLE_PUSH that is neither 0 nor 1', settings([2, 2]), wire.PROTOCOL_ERROR],
  ['PING on a stream', frame(wire.PING, 0, 1, '12345678'), wire.PROTOCOL_ERROR],
  ['PING of a wrong size', frame(wire.PING, 0, 0, '1'), wire.FRAME_SIZE_ERROR],
  ['RST_STREAM of no stream', frame(wire.RST_STREAM, 0, 1, number32(8)), wire.PROTOCOL_ERROR],
  ['RST_STREAM of a wrong size', frame(wire.RST_STREAM, 0, 1, '1'), wire.FRAME_SIZE_ERROR],
  ['GOAWAY on a stream', frame(wire.GOAWAY, 0, 1, '12345678'), wire.PROTOCOL_ERROR],
  ['a window update of nothing', frame(wire.WINDOW_UPDATE, 0, 0, number32(0)), wire.PROTOCOL_ERROR],
  ['a window above the largest', frame(wire.WINDOW_UPDATE, 0, 0, number32(0x7fff_ffff)), wire.FLOW_CONTROL_ERROR],
  ['an index that is in no table', frame(wire.HEADERS, END, 1, '\xff\x80\x01'), wire.COMPRESSION_ERROR],
  ['a string that is cut off', frame(wire.HEADERS, END, 1, '\x00\x05ab'), wire.COMPRESSION_ERROR],
  ['an integer without end', frame(wire.HEADERS, END, 1, '\xff\xff\xff\xff\xff\xff\xff\x01'), wire.COMPRESSION_ERROR],
  ['a table larger than granted', frame(wire.HEADERS, END, 1, '\x3f\xe2\x1f'), wire.COMPRESSION_ERROR],
  ['three table sizes', frame(wire.HEADERS, END, 1, '\x20\x20\x20'), wire.COMPRESSION_ERROR],
  ['a table size inside a block', frame(wire.HEADERS, END, 1, '\x82\x20'), wire.COMPRESSION_ERROR],
  ['Huffman padding of zeros', frame(wire.HEADERS, END, 1, '\x00\x81\x18\x81\x18'), wire.COMPRESSION_ERROR],
  ['Huffman EOS', frame(wire.HEADERS, END, 1, '\x00\x84\xff\xff\xff\xff\x81\x1f'), wire.COMPRESSION_ERROR],
];

for (const [what, bytes, code] of FATAL) {
  test(`${what} ends the connection with code ${code}`, () => {
    const server = new Http2ServerHarness();
    server.socket.feed(bytes);
    assert.equal(server.goAway, code);
    assert.ok(server.socket.ended);
  });
}

for (const [what, bytes, code] of FATAL_AFTER_GREETING) {
  test(`${what} ends the connection with code ${code}`, () => {
    const server = new Http2ServerHarness({}, false).greet();
    feedAnswering(server, bytes);
    assert.equal(server.goAway, code);
    assert.ok(server.socket.ended);
    assert.ok(server.requests.length <= 1);
  });
}

/** Frame by frame, every whole request answered before the next frame. */
function feedAnswering(server: Http2ServerHarness, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    server.socket.feed(bytes.subarray(at, end));
    const last = server.requests.at(-1);
    if (last?.ended === true) {
      last.downstream.sendHead({
        status: 204,
        reason: '',
        headers: last.head.headers,
        bodyLength: 0,
        declaredLength: -1,
      });
    }
    at = end;
  }
}

/** What resets the one stream, while the connection goes on. */
const MALFORMED: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  ['an upper-case name', [...GET, ['X-A', 'b']]],
  ['a name with a space', [...GET, ['x a', 'b']]],
  ['an empty name', [...GET, ['', 'b']]],
  ['CR LF in a value', [...GET, ['x-a', 'b\r\nc: d']]],
  ['NUL in a value', [...GET, ['x-a', 'b\0']]],
  ['a value with a space before it', [...GET, ['x-a', ' b']]],
  ['Connection', [...GET, ['connection', 'close']]],
  ['Transfer-Encoding', [...GET, ['transfer-encoding', 'chunked']]],
  ['Upgrade', [...GET, ['upgrade', 'h2c']]],
  ['Keep-Alive', [...GET, ['keep-alive', '5']]],
  ['Proxy-Connection', [...GET, ['proxy-connection', 'close']]],
  ['HTTP2-Settings', [...GET, ['http2-settings', 'AAMAAABkAAQAAP__']]],
  ['TE other than trailers', [...GET, ['te', 'gzip']]],
  ['an unknown pseudo-header field', [...GET, [':x', 'b']]],
  ['a pseudo-header field of an answer', [...GET, [':status', '200']]],
  ['a pseudo-header field twice', [...GET, [':path', '/b']]],
  ['a pseudo-header field after others', [['x-a', 'b'], ...GET]],
  ['no method', GET.slice(1)],
  ['no path', GET.filter(([name]) => name !== ':path')],
  ['no scheme', GET.filter(([name]) => name !== ':scheme')],
  ['an empty path', GET.map(([name, value]) => [name, name === ':path' ? '' : value] as const)],
  ['a path with a space', GET.map(([name, value]) => [name, name === ':path' ? '/ HTTP/1.1' : value] as const)],
  ['two content-lengths', [...GET, ['content-length', '0'], ['content-length', '0']]],
  ['a content-length that is no number', [...GET, ['content-length', '+1']]],
  ['a content-length and no body', [...GET, ['content-length', '5']]],
];

for (const [what, fields] of MALFORMED) {
  test(`a request with ${what} is reset, counted, and never reaches a listener`, async () => {
    const server = new Http2ServerHarness().greet();
    server.socket.feed(headers(1, fields));
    assert.deepEqual(await server.resets(), [[1, wire.PROTOCOL_ERROR]]);
    assert.equal(server.requests.length, 0);
    assert.equal(server.refusals[0]?.code, 'bad-request');
    server.socket.feed(headers(3));
    assert.equal(server.requests.length, 1);
  });
}

const long = 'x'.repeat(9_000);
const ANSWERED: readonly (readonly [string, readonly (readonly [string, string])[], string])[] = [
  [
    'too many fields',
    [...GET, ...Array.from({ length: 101 }, (_, i) => [`x-${i}`, 'y'] as const)],
    'headers-too-large',
  ],
  ['a path that is too long', [...GET.slice(0, 2), [':path', `/${long}`], [':authority', 'a']], 'uri-too-long'],
  [
    'CONNECT',
    [
      [':method', 'CONNECT'],
      [':authority', 'a:1'],
    ],
    'not-implemented',
  ],
  ['another expectation', [...GET, ['expect', 'x']], 'expectation-failed'],
  ['no authority', GET.slice(0, 3), 'bad-request'],
  ['a malformed authority', [...GET.slice(0, 3), [':authority', 'user@a']], 'bad-request'],
  ['a Host that says otherwise', [...GET, ['host', 'b.test']], 'bad-request'],
  ['another scheme', [[':method', 'GET'], [':scheme', 'ftp'], ...GET.slice(2)], 'bad-request'],
];

for (const [what, fields, code] of ANSWERED) {
  test(`a request with ${what} is answered, and the connection goes on`, async () => {
    const server = new Http2ServerHarness().greet();
    server.socket.feed(headers(1, fields));
    assert.equal(server.refusals[0]?.code, code);
    const frames = await server.frames();
    assert.ok(frames.some(({ type, stream }) => type === wire.HEADERS && stream === 1));
    assert.equal(server.goAway, null);
    server.socket.feed(headers(3));
    assert.equal(server.requests.length, 1);
  });
}

const rapid = (id: number): Buffer =>
  Buffer.concat([headers(id), frame(wire.RST_STREAM, 0, id, number32(wire.CANCEL))]);
const ids = (count: number): number[] => Array.from({ length: count }, (_, i) => i * 2 + 1);
const few = { burst: 20, perSecond: 10 };

/** More than the limit allows; all of it ends in ENHANCE_YOUR_CALM. */
const FLOODS: readonly (readonly [string, Partial<Http2Limits>, Buffer])[] = [
  ['rapid reset (CVE-2023-44487)', { resets: few }, Buffer.concat(ids(30).map(rapid))],
  [
    'streams that are reset for errors (CVE-2025-8671)',
    { resets: few },
    Buffer.concat(ids(30).map((id) => Buffer.concat([headers(id), frame(wire.WINDOW_UPDATE, 0, id, number32(0))]))),
  ],
  [
    'streams above the number allowed',
    { resets: few, streams: 1 },
    Buffer.concat(ids(30).map((id) => headers(id, POST, wire.END_HEADERS))),
  ],
  ['malformed requests', { resets: few }, Buffer.concat(ids(30).map((id) => headers(id, [['X', 'y']])))],
  ['PING (CVE-2019-9512)', { controls: few }, repeat(ping, 30)],
  ['SETTINGS (CVE-2019-9515)', { controls: few }, repeat(settings(), 30)],
  ['empty DATA (CVE-2019-9518)', { noise: few }, Buffer.concat([open, repeat(data(1, ''), 30)])],
  ['PRIORITY (CVE-2019-9513)', { noise: few }, repeat(frame(wire.PRIORITY, 0, 1, '\0\0\0\0\x01'), 30)],
  ['unknown frames', { noise: few }, repeat(frame(77, 0, 0, 'x'), 30)],
  [
    'tiny window updates (CVE-2019-9511)',
    { noise: few },
    Buffer.concat([open, repeat(frame(wire.WINDOW_UPDATE, 0, 1, number32(1)), 30)]),
  ],
  ['acknowledgements', { noise: few }, repeat(SETTINGS_ACK, 30)],
  [
    'empty CONTINUATION (CVE-2024-27316)',
    {},
    Buffer.concat([headers(1, GET, 0), repeat(frame(wire.CONTINUATION, 0, 1), 10)]),
  ],
  [
    'large CONTINUATION (CVE-2024-27316)',
    {},
    Buffer.concat([headers(1, GET, 0), repeat(frame(wire.CONTINUATION, 0, 1, Buffer.alloc(16_000)), 9)]),
  ],
];

for (const [what, limits, bytes] of FLOODS) {
  test(`a flood of ${what} ends the connection with ENHANCE_YOUR_CALM`, async () => {
    const server = new Http2ServerHarness(limits, false).greet();
    server.socket.feed(bytes);
    await turn();
    assert.equal(server.goAway, wire.ENHANCE_YOUR_CALM);
    assert.ok(server.requests.every(({ aborted }) => aborted !== null));
  });
}

test('what a flood guard allows per second is allowed again later', () => {
  const server = new Http2ServerHarness({ controls: few }).greet();
  for (let i = 0; i < 10; i++) {
    server.socket.feed(repeat(ping, 10));
    server.pass(1_000);
  }
  assert.equal(server.goAway, null);
});

test('PING and WINDOW_UPDATE for every DATA frame are no flood: gRPC measures its path like that', () => {
  const server = new Http2ServerHarness({ controls: few, noise: few }).greet();
  const update = frame(wire.WINDOW_UPDATE, 0, 0, '\x00\x00\x00\x01');
  server.socket.feed(headers(1, POST, wire.END_HEADERS));
  for (let i = 0; i < 300; i++) server.socket.feed(Buffer.concat([data(1, Buffer.from('x')), update, ping]));
  assert.equal(server.goAway, null);
});

test('an empty frame that ends its stream is no flood, however many streams end like that', () => {
  const server = new Http2ServerHarness({ noise: few }).greet();
  for (let id = 1; id < 400; id += 2) {
    server.socket.feed(
      Buffer.concat([headers(id, POST, wire.END_HEADERS), data(id, Buffer.from('x')), frame(wire.DATA, END, id)]),
    );
  }
  assert.equal(server.goAway, null);
});

test('an HPACK bomb costs no memory: the request is answered 431 and the table stays true', async () => {
  const server = new Http2ServerHarness().greet();
  const bomb = Buffer.concat([Buffer.from([0x40, 1, 0x78, 127, 0x80 | 33, 0x1e]), Buffer.alloc(4_000, 'y')]);
  const whole = Buffer.concat([block(...GET), bomb, Buffer.alloc(10_000, 0xbe)]);
  server.socket.feed(frame(wire.HEADERS, END, 1, whole));
  assert.equal(server.refusals[0]?.code, 'headers-too-large');
  assert.equal(server.goAway, null);
  server.socket.feed(frame(wire.HEADERS, END, 3, Buffer.concat([block(...GET), Buffer.from([0xbe])])));
  assert.equal(server.last.head.headers.get('x')?.length, 4_000);
});

test('a client that says nothing is told so after a while', () => {
  const server = new Http2ServerHarness();
  server.pass(HTTP2_LIMITS.headTimeoutMs + 200);
  assert.equal(server.goAway, wire.SETTINGS_TIMEOUT);
});

test('a header block that does not end is given up', () => {
  const server = new Http2ServerHarness().greet();
  server.socket.feed(headers(1, GET, 0));
  server.pass(HTTP2_LIMITS.headTimeoutMs + 200);
  assert.equal(server.goAway, wire.ENHANCE_YOUR_CALM);
});

test('more DATA than the window of the stream resets it, more than that of the connection ends it', async () => {
  const body = Buffer.alloc(16_384);
  const server = new Http2ServerHarness({ streamWindow: 65_535, connectionWindow: 200_000 }, false).greet();
  server.socket.feed(headers(1, POST, wire.END_HEADERS));
  server.last.downstream.pause();
  for (let i = 0; i < 4; i++) server.socket.feed(data(1, body));
  assert.deepEqual(await server.resets(), [[1, wire.FLOW_CONTROL_ERROR]]);
  for (let id = 3; id <= 11; id += 2) {
    server.socket.feed(headers(id, POST, wire.END_HEADERS));
    server.last.downstream.pause();
    for (let i = 0; i < 3; i++) server.socket.feed(data(id, body));
  }
  assert.equal(server.goAway, wire.FLOW_CONTROL_ERROR);
});
