// Streams that become tunnels (RFC 8441), frame by frame: what the network makes hard to hit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MeshError } from '../../../../core/kit/error.ts';
import type { ResponseHead, Upstream } from '../../../../proxy/exchange.ts';
import { Http2ClientConnection } from '../../../../proxy/http2/client-connection.ts';
import * as wire from '../../../../proxy/http2/frames.ts';
import { HTTP2_LIMITS } from '../../../../proxy/http2/limits.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { TimerWheel } from '../../../../proxy/kit/timer-wheel.ts';
import type { Tunnel } from '../../../../proxy/kit/tunnel.ts';
import { testHead } from '../../../support/exchange-fakes.ts';
import { FakeSocket } from '../http1/fake-socket.ts';
import { data, frame, GET, headers, number32, readFrames, resets, SETTINGS_ACK, settings } from './frame-bytes.ts';
import { Http2ServerHarness, turn } from './server-harness.ts';

/** RFC 6455 §1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const CONNECT: readonly (readonly [string, string])[] = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  ...GET.slice(1),
];

class Listener {
  text = '';
  readonly calls: string[] = [];
  readonly handler = {
    onData: (chunk: Buffer): void => void (this.text += chunk.toString('latin1')),
    onEnd: (): void => void this.calls.push('end'),
    onDrain: (): void => void this.calls.push('drain'),
    onClose: (broken: boolean): void => void this.calls.push(broken ? 'broken' : 'closed'),
  };
}

function agreed(): ResponseHead {
  const list = new HeaderList();
  list.add('Sec-WebSocket-Accept', ACCEPT);
  list.add('Sec-WebSocket-Protocol', 'chat');
  return { status: 101, reason: '', headers: list, bodyLength: 0, declaredLength: -1 };
}

test('a server makes the request of HTTP/1.1 of it, keeps early bytes, and answers without the proof', async () => {
  const server = new Http2ServerHarness({}, false).greet();
  server.socket.feed(Buffer.concat([headers(1, CONNECT, wire.END_HEADERS), data(1, 'early')]));
  const { head, ended, body, downstream } = server.last;
  assert.deepEqual([head.method, head.upgrade, head.bodyLength, ended, body], ['GET', 'websocket', 0, true, '']);
  assert.equal(head.headers.get('sec-websocket-key'), KEY);
  const listener = new Listener();
  const tunnel = downstream.sendUpgrade(agreed());
  tunnel.start(listener.handler);
  assert.equal(listener.text, 'early');
  tunnel.write(Buffer.from('answer'));
  tunnel.end();
  server.socket.feed(data(1, ' late', true));
  await turn();
  assert.deepEqual([listener.text, ...listener.calls], ['early late', 'end', 'closed']);
  const frames = await server.frames();
  const answer = frames.filter(({ stream }) => stream === 1);
  assert.deepEqual(
    answer.map(({ type }) => type),
    [wire.HEADERS, wire.DATA, wire.DATA],
  );
  assert.ok(!String(answer[0]?.payload).includes(ACCEPT));
  assert.equal(server.connection.active, 0);
});

for (const [what, fields, flags] of [
  ['a protocol without CONNECT', [...GET, [':protocol', 'websocket']], wire.END_HEADERS],
  ['an end', CONNECT, wire.END_HEADERS | wire.END_STREAM],
  ['a length', [...CONNECT, ['content-length', '5']], wire.END_HEADERS],
  ['no path', CONNECT.filter(([name]) => name !== ':path'), wire.END_HEADERS],
] as const) {
  test(`a request for a tunnel with ${what} is malformed`, async () => {
    const server = new Http2ServerHarness().greet();
    server.socket.feed(
      headers(
        1,
        [...fields].toSorted(([a], [b]) => Number(b[0] === ':') - Number(a[0] === ':')),
        flags,
      ),
    );
    assert.deepEqual(await server.resets(), [[1, wire.PROTOCOL_ERROR]]);
    assert.equal(server.requests.length, 0);
  });
}

test('another protocol than WebSocket is not spoken', () => {
  const server = new Http2ServerHarness().greet();
  server.socket.feed(headers(1, [[':method', 'CONNECT'], [':protocol', 'connect-udp'], ...GET.slice(1)], 4));
  assert.equal(server.refusals[0]?.code, 'not-implemented');
});

test('an agreement without the proof breaks the tunnel, once', async () => {
  const server = new Http2ServerHarness({}, false).greet();
  server.socket.feed(headers(1, CONNECT, wire.END_HEADERS));
  const head = agreed();
  head.headers.set('sec-websocket-accept', 'none');
  const listener = new Listener();
  server.last.downstream.sendUpgrade(head).start(listener.handler);
  await turn();
  assert.deepEqual(listener.calls, ['broken']);
  assert.deepEqual(await server.resets(), [[1, wire.CANCEL]]);
});

interface Asked {
  readonly socket: FakeSocket;
  readonly connection: Http2ClientConnection;
  readonly upstream: Upstream;
  head: ResponseHead | null;
  tunnel: Tunnel | null;
  error: MeshError | null;
}

function ask(): Asked {
  const socket = new FakeSocket();
  const timers = new TimerWheel({ now: () => 0 });
  const options = { limits: HTTP2_LIMITS, timers, now: () => 0, onIdle() {}, onClose() {} };
  const connection = new Http2ClientConnection(socket.asSocket, options);
  connection.start();
  const asked = { socket, connection, head: null, tunnel: null, error: null };
  const seen: Omit<Asked, 'upstream'> = asked;
  const upstream = connection.request(
    { ...testHead({ 'Sec-WebSocket-Key': KEY, 'Sec-WebSocket-Version': '13' }), upgrade: 'websocket' },
    {
      onInformational() {},
      onHead: (head) => void (seen.head = head),
      onData() {},
      onEnd() {},
      onDrain() {},
      onError: (error) => void (seen.error = error),
      onUpgrade: (head, tunnel) => {
        seen.head = head;
        seen.tunnel = tunnel;
      },
    },
  );
  upstream.sendEnd(null);
  return Object.assign(seen, { upstream });
}

test('a client waits for the settings, and proves to its caller what HTTP/2 does not', async () => {
  const asked = ask();
  await turn();
  assert.ok(!readFrames(Buffer.concat(asked.socket.writes)).some(({ type }) => type === wire.HEADERS));
  asked.socket.feed(Buffer.concat([settings([wire.ENABLE_CONNECT_PROTOCOL, 1]), SETTINGS_ACK]));
  await turn();
  const request = readFrames(Buffer.concat(asked.socket.writes)).find(({ type }) => type === wire.HEADERS);
  assert.equal(request?.flags, wire.END_HEADERS);
  assert.ok(!String(request?.payload).includes(KEY));
  asked.socket.feed(Buffer.concat([headers(1, [[':status', '200']], wire.END_HEADERS), data(1, 'early')]));
  assert.equal(asked.head?.status, 101);
  assert.equal(asked.head?.headers.get('sec-websocket-accept'), ACCEPT);
  const listener = new Listener();
  asked.tunnel?.start(listener.handler);
  assert.equal(listener.text, 'early');
});

test('a server that does not offer it is a clear failure; one that is lost before has not begun', async () => {
  const without = ask();
  without.socket.feed(Buffer.concat([settings(), SETTINGS_ACK]));
  await turn();
  assert.match(String(without.error?.detail), /RFC 8441/);
  const lost = ask();
  lost.socket.feedEnd();
  await turn();
  assert.deepEqual([lost.error?.code, lost.error?.unprocessed], ['upstream-closed', true]);
});

test('a refusal is an answer like any other, and our side of its stream is ended', async () => {
  const asked = ask();
  asked.socket.feed(Buffer.concat([settings([wire.ENABLE_CONNECT_PROTOCOL, 1]), SETTINGS_ACK]));
  asked.socket.feed(headers(1, [[':status', '403']]));
  await turn();
  assert.equal(asked.head?.status, 403);
  assert.equal(asked.tunnel, null);
  assert.equal(asked.connection.active, 0);
});

test('a server that has ended its side and then resets the stream closes the tunnel', async () => {
  const asked = ask();
  asked.socket.feed(Buffer.concat([settings([wire.ENABLE_CONNECT_PROTOCOL, 1]), SETTINGS_ACK]));
  asked.socket.feed(headers(1, [[':status', '200']], wire.END_HEADERS));
  const listener = new Listener();
  asked.tunnel?.start(listener.handler);
  asked.socket.feed(Buffer.concat([data(1, 'all', true), frame(wire.RST_STREAM, 0, 1, number32(wire.NO_ERROR))]));
  await turn();
  assert.deepEqual([listener.text, ...listener.calls], ['all', 'end', 'closed']);
  assert.equal(asked.connection.active, 0);
});

test('a tunnel that is closed stops what the other side still sends; one that is cut says so', async () => {
  for (const [act, code, call] of [
    ['close', wire.NO_ERROR, 'closed'],
    ['destroy', wire.CANCEL, 'broken'],
  ] as const) {
    const asked = ask();
    asked.socket.feed(Buffer.concat([settings([wire.ENABLE_CONNECT_PROTOCOL, 1]), SETTINGS_ACK]));
    asked.socket.feed(headers(1, [[':status', '200']], wire.END_HEADERS));
    const listener = new Listener();
    asked.tunnel?.start(listener.handler);
    asked.tunnel?.[act]();
    await turn();
    assert.deepEqual(listener.calls, [call]);
    assert.deepEqual(resets(Buffer.concat(asked.socket.writes)), [[1, code]]);
  }
});
