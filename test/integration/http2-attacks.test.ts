// Known attacks on HTTP/2 against an edge, by a client that sends frames by hand: each meets its limit and gets its code,
// and others are served meanwhile. docs/http2.md has the same list; the unit tests have what takes time.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import * as wire from '../../proxy/http2/frames.ts';
import { eventually } from '../support/eventually.ts';
import { askHttp2, connectHttp2 } from '../support/http2-peers.ts';
import { connectRawHttp2, type RawHttp2Peer } from '../support/http2-raw-peer.ts';
import { startUpstream } from '../support/http-peers.ts';
import { edgeView, type ProxyHarness, startProxy } from '../support/proxy-harness.ts';
import { block, data, frame, GET, headers, number32, POST, settings } from '../unit/proxy/http2/frame-bytes.ts';

const BIG = 10 * 1024 * 1024;
const CALM = wire.ENHANCE_YOUR_CALM;

interface Attacked {
  readonly edge: ProxyHarness;
  readonly peer: RawHttp2Peer;
  /** Bytes of answers that the upstream got rid of. */
  sent(): number;
}

async function attacked(t: TestContext, ...pairs: readonly (readonly [number, number])[]): Promise<Attacked> {
  let sent = 0;
  const chunk = Buffer.alloc(65_536, 'x');
  const upstream = await startUpstream(t, (incoming, response) => {
    incoming.resume();
    if (incoming.url !== '/big') return void response.end('small');
    response.writeHead(200, { 'content-length': String(BIG) });
    let left = BIG;
    const more = (): void => {
      while (left > 0) {
        left -= chunk.length;
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  return { edge, peer: await connectRawHttp2(t, edge.port(), ...pairs), sent: () => sent };
}

const ids = (count: number, first = 1): number[] => Array.from({ length: count }, (_, i) => first + i * 2);
const times = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => bytes));
const open = (id: number): Buffer => headers(id, POST, wire.END_HEADERS);
const update = (id: number, bytes: number): Buffer => frame(wire.WINDOW_UPDATE, 0, id, number32(bytes));
const big = (id: number): Buffer =>
  headers(id, [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/big'],
    [':authority', 'a.test'],
  ]);
const padded = frame(wire.DATA, wire.PADDED, 1, Buffer.from([3, 0, 0, 0]));

/** [what, frames, code of the GOAWAY]. */
const FLOODS: readonly (readonly [string, () => Buffer, number])[] = [
  ['PING (CVE-2019-9512)', () => times(400, frame(wire.PING, 0, 0, '12345678')), CALM],
  ['PRIORITY (CVE-2019-9513)', () => times(3_000, frame(wire.PRIORITY, 0, 3, '\0\0\0\0\x01')), CALM],
  [
    'requests that are each answered by a reset (CVE-2019-9514)',
    () => Buffer.concat(ids(1_300).map((id) => headers(id, [...GET, ['X-Upper', 'y']]))),
    CALM,
  ],
  ['SETTINGS (CVE-2019-9515)', () => times(400, settings([wire.INITIAL_WINDOW_SIZE, 100])), CALM],
  [
    'fields without a name (CVE-2019-9516)',
    () => Buffer.concat(ids(1_300).map((id) => headers(id, [...GET, ['', ''], ['', '']]))),
    CALM,
  ],
  ['empty DATA (CVE-2019-9518)', () => Buffer.concat([open(1), times(3_000, data(1, ''))]), CALM],
  ['DATA that is all padding (CVE-2019-9518)', () => Buffer.concat([open(1), times(3_000, padded)]), CALM],
  [
    'empty CONTINUATION (CVE-2019-9518, CVE-2024-27316)',
    () => Buffer.concat([headers(1, GET, 0), times(20, frame(wire.CONTINUATION, 0, 1))]),
    CALM,
  ],
  [
    'large CONTINUATION (CVE-2024-27316)',
    () => Buffer.concat([headers(1, GET, 0), times(9, frame(wire.CONTINUATION, 0, 1, Buffer.alloc(16_000)))]),
    CALM,
  ],
  [
    'requests that are taken back at once (CVE-2023-44487)',
    () =>
      Buffer.concat(
        ids(1_300).map((id) => Buffer.concat([headers(id), frame(wire.RST_STREAM, 0, id, number32(wire.CANCEL))])),
      ),
    CALM,
  ],
  [
    'resets provoked by an update of nothing (CVE-2025-8671)',
    () => Buffer.concat(ids(1_300).map((id) => Buffer.concat([open(id), update(id, 0)]))),
    CALM,
  ],
  [
    'resets provoked by a window that is too large (CVE-2025-8671)',
    () => Buffer.concat(ids(1_300).map((id) => Buffer.concat([open(id), update(id, 0x7fff_ffff)]))),
    CALM,
  ],
  [
    'resets provoked by a wrong length (CVE-2025-8671)',
    () =>
      Buffer.concat(
        ids(1_300).map((id) =>
          Buffer.concat([
            headers(id, [...POST, ['content-length', '1']], wire.END_HEADERS),
            data(id, 'too much', true),
          ]),
        ),
      ),
    CALM,
  ],
  [
    'resets provoked by PRIORITY on itself (CVE-2025-8671)',
    () =>
      Buffer.concat(
        ids(1_300).map((id) =>
          Buffer.concat([open(id), frame(wire.PRIORITY, 0, id, Buffer.concat([number32(id), Buffer.from([1])]))]),
        ),
      ),
    CALM,
  ],
  ['streams above the number that is allowed', () => Buffer.concat(ids(1_300).map(open)), CALM],
  ['unknown frames', () => times(3_000, frame(0x77, 0, 0, 'x')), CALM],
  ['acknowledgements that nobody waits for', () => times(3_000, frame(wire.SETTINGS, wire.ACK, 0)), CALM],
  ['a frame above the size that is allowed', () => frame(wire.DATA, 0, 1, Buffer.alloc(16_385)), wire.FRAME_SIZE_ERROR],
  ['a header block that is none', () => frame(wire.HEADERS, 5, 1, '\xff\xff\xff\xff\xff'), wire.COMPRESSION_ERROR],
  ['a window of the connection that overflows', () => update(0, 0x7fff_ffff), wire.FLOW_CONTROL_ERROR],
];

for (const [what, bytes, code] of FLOODS) {
  test(`${what}: the connection ends with ${code}, and others are served`, async (t) => {
    const { edge, peer } = await attacked(t);
    peer.send(bytes());
    assert.equal(await peer.goAway(), code);
    const answer = await askHttp2(await connectHttp2(t, edge.port()), '/');
    assert.equal(answer.status, 200);
    peer.socket.destroy();
    await eventually(() => edge.proxy.clusters.states.get('up')?.pools.every(({ active }) => active === 0) ?? false);
    const [fault] = edge.proxy.http2Faults;
    assert.deepEqual([fault?.side, fault?.count], ['downstream', 1]);
  });
}

test('a window that is opened byte by byte (CVE-2019-9511) ends the connection', async (t) => {
  const { peer } = await attacked(t, [wire.INITIAL_WINDOW_SIZE, 0]);
  peer.send(big(1));
  await eventually(() => peer.frames().some(({ type }) => type === wire.HEADERS));
  peer.send(times(4_000, update(1, 1)));
  assert.equal(await peer.goAway(), CALM);
});

test('a peer that opens every window and does not read its socket (CVE-2019-9517) holds the app back', async (t) => {
  const { peer, sent } = await attacked(t, [wire.INITIAL_WINDOW_SIZE, 0x7fff_ffff]);
  peer.socket.pause();
  peer.send(update(0, 0x7000_0000), ...ids(20).map(big));
  let before = -1;
  await eventually(() => {
    const still = sent() === before && sent() > 0;
    before = sent();
    return still;
  });
  // What lies in the sockets on the way is the system's to bound: 20 answers of 10 MiB are not.
  assert.ok(sent() < (20 * BIG) / 2, `${sent()} bytes were taken from the app`);
  peer.socket.resume();
  await eventually(() => sent() === 20 * BIG);
});

test('a window that stays closed holds one stream, which goes with the silence that is allowed', async (t) => {
  const upstream = await startUpstream(t, (_incoming, response) => response.end(Buffer.alloc(1_000_000)));
  const view = edgeView([upstream.port]);
  const table = view.routes.get('edge/main');
  assert.ok(table !== undefined);
  const routes = table.routes.map((one) => ({ ...one, idleTimeout: 300 as never }));
  const edge = await startProxy(t, { view: { ...view, routes: new Map([['edge/main', { ...table, routes }]]) } });
  const peer = await connectRawHttp2(t, edge.port(), [wire.INITIAL_WINDOW_SIZE, 0]);
  peer.send(headers(1));
  assert.equal(await peer.reset(1), wire.INTERNAL_ERROR);
  const [line] = await edge.exchanges(1);
  assert.equal(line?.['code'], 'stream-idle');
  // The connection goes on.
  peer.send(settings([wire.INITIAL_WINDOW_SIZE, 65_535]), headers(3));
  await eventually(() => peer.frames().some(({ type, stream }) => type === wire.DATA && stream === 3));
});

test('a window of a stream that overflows, and a stream too many, are reset alone', async (t) => {
  const { peer } = await attacked(t);
  peer.send(open(1), update(1, 0x7fff_ffff));
  assert.equal(await peer.reset(1), wire.FLOW_CONTROL_ERROR);
  peer.send(...ids(101, 3).map(open));
  assert.equal(await peer.reset(203), wire.REFUSED_STREAM);
  peer.send(frame(wire.RST_STREAM, 0, 3, number32(wire.CANCEL)), headers(205));
  await eventually(() => peer.frames().some(({ type, stream }) => type === wire.DATA && stream === 205));
});

for (const [what, fields] of [
  ['too many fields', [...GET, ...Array.from({ length: 101 }, (_, i) => [`x-${i}`, 'y'] as const)]],
  [
    'a header list that is too large',
    [...GET, ...Array.from({ length: 16 }, (_, i) => [`x-${i}`, 'y'.repeat(7_800)] as const)],
  ],
] as const) {
  test(`${what}: answered with 431, and the connection goes on`, async (t) => {
    const { peer } = await attacked(t);
    const whole = block(...fields);
    const pieces: Buffer[] = [];
    for (let at = 0; at < whole.length; at += 16_000) {
      const last = at + 16_000 >= whole.length;
      const flags = (last ? wire.END_HEADERS : 0) | (at === 0 ? wire.END_STREAM : 0);
      pieces.push(frame(at === 0 ? wire.HEADERS : wire.CONTINUATION, flags, 1, whole.subarray(at, at + 16_000)));
    }
    peer.send(...pieces);
    await eventually(() => peer.frames().some(({ type, stream }) => type === wire.DATA && stream === 1));
    const body = peer.frames().filter(({ type }) => type === wire.DATA);
    assert.match(Buffer.concat(body.map(({ payload }) => payload)).toString(), /headers-too-large/);
    peer.send(headers(3));
    await eventually(() => peer.frames().some(({ type, stream }) => type === wire.DATA && stream === 3));
  });
}

test('a bomb of HPACK (a large entry, named thousands of times) is answered with 431 and costs no memory', async (t) => {
  const { edge, peer } = await attacked(t);
  const entry = Buffer.concat([Buffer.from([0x40, 1, 0x78, 127, 0x80 | 33, 0x1e]), Buffer.alloc(4_000, 'y')]);
  const before = process.memoryUsage().rss;
  for (const id of ids(50)) {
    const bomb = Buffer.concat([block(...GET), entry, Buffer.alloc(10_000, 0xbe)]);
    peer.send(frame(wire.HEADERS, wire.END_HEADERS | wire.END_STREAM, id, bomb));
  }
  await edge.exchanges(50);
  // Read out whole it would be two gigabytes.
  assert.ok(process.memoryUsage().rss - before < 200_000_000);
  assert.ok((await edge.exchanges(50)).every(({ code }) => code === 'headers-too-large'));
});
