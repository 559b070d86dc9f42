import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MeshError } from '../../../../core/kit/error.ts';
import type { ResponseHead, Upstream } from '../../../../proxy/exchange.ts';
import { Http2ClientConnection } from '../../../../proxy/http2/client-connection.ts';
import * as wire from '../../../../proxy/http2/frames.ts';
import { HTTP2_LIMITS } from '../../../../proxy/http2/limits.ts';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { TimerWheel } from '../../../../proxy/kit/timer-wheel.ts';
import { testHead } from '../../../support/exchange-fakes.ts';
import { FakeSocket } from '../http1/fake-socket.ts';
import {
  data,
  frame,
  goAwayCode,
  headers,
  number32,
  readFrames,
  resets,
  SETTINGS_ACK,
  settings,
} from './frame-bytes.ts';
import { turn } from './server-harness.ts';

const END = wire.END_STREAM | wire.END_HEADERS;

interface Sent {
  readonly upstream: Upstream;
  readonly informational: number[];
  head: ResponseHead | null;
  body: string;
  trailers: readonly string[] | null;
  ended: boolean;
  error: MeshError | null;
}

class Client {
  readonly socket = new FakeSocket();
  readonly connection: Http2ClientConnection;
  readonly timers: TimerWheel;
  idles = 0;
  closes = 0;
  #now = 0;

  constructor(streams = 100) {
    this.timers = new TimerWheel({ now: () => this.#now });
    this.connection = new Http2ClientConnection(this.socket.asSocket, {
      limits: HTTP2_LIMITS,
      timers: this.timers,
      now: () => this.#now,
      onIdle: () => void this.idles++,
      onClose: () => void this.closes++,
    });
    this.connection.start();
    this.socket.feed(Buffer.concat([settings([wire.MAX_CONCURRENT_STREAMS, streams]), SETTINGS_ACK]));
  }

  send(method = 'GET', bodyLength = 0): Sent {
    const head = testHead({}, { method, bodyLength });
    const sent = { informational: [], head: null, body: '', trailers: null, ended: false, error: null };
    const seen: Omit<Sent, 'upstream'> = sent;
    const upstream = this.connection.request(head, {
      onInformational: (status) => void seen.informational.push(status),
      onHead: (answer) => void (seen.head = answer),
      onData: (chunk) => void (seen.body += chunk.toString('latin1')),
      onEnd: (trailers) => {
        seen.ended = true;
        seen.trailers = trailers === null ? null : trailers.fields;
      },
      onUpgrade: () => assert.fail('there are no upgrades here'),
      onDrain() {},
      onError: (error) => void (seen.error = error),
    });
    return Object.assign(seen, { upstream });
  }

  get written(): Buffer {
    return Buffer.concat(this.socket.writes);
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
    this.timers.advance();
  }
}

const answer = (id: number, flags: number = END, status = '200', ...more: (readonly [string, string])[]): Buffer =>
  headers(id, [[':status', status], ...more], flags);

test('many requests are on the connection at once, and answers come in any order', async () => {
  const client = new Client();
  const [first, second] = [client.send(), client.send('POST', -1)];
  second.upstream.sendData(Buffer.from('body'));
  second.upstream.sendEnd(null);
  assert.equal(client.connection.active, 2);
  await turn();
  const bodies = readFrames(client.written).filter(({ type }) => type === wire.DATA);
  assert.equal(Buffer.concat(bodies.map(({ payload }) => payload)).toString(), 'body');
  client.socket.feed(Buffer.concat([answer(3, wire.END_HEADERS, '201'), data(3, 'two', true), answer(1)]));
  assert.deepEqual([second.head?.status, second.head?.reason, second.body], [201, 'Created', 'two']);
  assert.ok(first.ended && second.ended);
  assert.equal(client.connection.active, 0);
  assert.ok(client.connection.usable);
});

test('informational answers, trailers and answers without a body', () => {
  const client = new Client();
  const sent = client.send();
  client.socket.feed(answer(1, wire.END_HEADERS, '103'));
  client.socket.feed(answer(1, wire.END_HEADERS, '200', ['content-length', '2']));
  client.socket.feed(Buffer.concat([data(1, 'ab'), headers(1, [['x-sum', '1']])]));
  assert.deepEqual([sent.informational, sent.head?.bodyLength, sent.trailers], [[103], 2, ['x-sum', '1']]);
  const head = client.send('HEAD');
  client.socket.feed(answer(3, END, '200', ['content-length', '9']));
  assert.deepEqual([head.head?.bodyLength, head.head?.declaredLength, head.ended], [0, 9, true]);
});

const BAD: readonly (readonly [string, Buffer])[] = [
  ['without a status', headers(1, [['x-a', 'b']])],
  ['with a status that is none', answer(1, END, '20')],
  ['that switches protocols', answer(1, wire.END_HEADERS, '101')],
  ['that ends with an informational one', answer(1, END, '103')],
  ['with a field of HTTP/1.1', answer(1, END, '200', ['connection', 'close'])],
  ['with an upper-case name', answer(1, END, '200', ['X-A', 'b'])],
  ['with less body than declared', answer(1, END, '200', ['content-length', '2'])],
  ['with more body than declared', Buffer.concat([answer(1, 4, '200', ['content-length', '2']), data(1, 'abc')])],
  ['with a body after HEAD', Buffer.concat([answer(1, 4), data(1, 'abc')])],
  ['with pseudo-header fields in trailers', Buffer.concat([answer(1, 4), headers(1, [[':status', '200']])])],
  ['that begins twice', Buffer.concat([answer(1, 4), answer(1, 4)])],
];

for (const [what, bytes] of BAD) {
  test(`an answer ${what} fails the one request, and the connection goes on`, async () => {
    const client = new Client();
    const sent = client.send(what.includes('HEAD') ? 'HEAD' : 'GET');
    client.socket.feed(bytes);
    assert.equal(sent.error?.code, 'upstream-protocol');
    await turn();
    assert.deepEqual(resets(client.written), [[1, wire.PROTOCOL_ERROR]]);
    assert.ok(client.connection.usable);
  });
}

test('what the server did not take may be tried again; what it took goes on', async () => {
  const client = new Client();
  const [first, second] = [client.send('POST'), client.send('POST')];
  await turn();
  client.socket.feed(frame(wire.GOAWAY, 0, 0, Buffer.concat([number32(1), number32(0)])));
  assert.deepEqual([second.error?.code, second.error?.unprocessed], ['upstream-closed', true]);
  assert.equal(client.connection.usable, false);
  assert.equal(client.closes, 1);
  client.socket.feed(answer(1));
  assert.ok(first.ended);
  await turn();
  assert.ok(client.socket.ended);
});

test('a refused stream may be tried again, one that was reset for anything else may not', () => {
  const client = new Client();
  const sent = [client.send(), client.send(), client.send()];
  client.socket.feed(frame(wire.RST_STREAM, 0, 1, number32(wire.REFUSED_STREAM)));
  client.socket.feed(frame(wire.RST_STREAM, 0, 3, number32(wire.INTERNAL_ERROR)));
  client.socket.feed(answer(5, wire.END_HEADERS));
  client.socket.feed(frame(wire.RST_STREAM, 0, 5, number32(wire.REFUSED_STREAM)));
  assert.deepEqual(
    sent.map(({ error }) => [error?.code, error?.unprocessed]),
    [
      ['upstream-closed', true],
      ['upstream-closed', false],
      ['upstream-reset', false],
    ],
  );
});

test('a lost connection fails what is on it: unprocessed only what never left this process', async () => {
  const client = new Client();
  const [begun, sent] = [client.send(), client.send()];
  await turn();
  client.socket.feed(answer(1, wire.END_HEADERS));
  const held = client.send();
  client.socket.feedEnd();
  assert.deepEqual(
    [begun, sent, held].map(({ error }) => [error?.code, error?.unprocessed]),
    [
      ['upstream-reset', false],
      ['upstream-closed', false],
      ['upstream-closed', true],
    ],
  );
  assert.equal(client.closes, 1);
});

test('an answer that is whole is kept when the server then stops the rest of the request', () => {
  const client = new Client();
  const sent = client.send('POST', -1);
  sent.upstream.pause();
  client.socket.feed(Buffer.concat([answer(1, wire.END_HEADERS, '413'), data(1, 'too much', true)]));
  client.socket.feed(frame(wire.RST_STREAM, 0, 1, number32(wire.NO_ERROR)));
  sent.upstream.resume();
  assert.deepEqual([sent.body, sent.ended, sent.error], ['too much', true, null]);
  assert.equal(client.connection.active, 0);
});

test('a cancelled request is reset, its slot is free, and late frames for it harm nobody', async () => {
  const client = new Client(1);
  const sent = client.send();
  assert.equal(client.connection.capacity, 0);
  sent.upstream.cancel();
  assert.equal(client.connection.capacity, 1);
  await turn();
  assert.deepEqual(resets(client.written), [[1, wire.CANCEL]]);
  client.socket.feed(Buffer.concat([answer(1, wire.END_HEADERS), data(1, 'late', true)]));
  assert.deepEqual([sent.head, sent.error, goAwayCode(client.written)], [null, null, null]);
});

test('a request without room fails as unprocessed', async () => {
  const client = new Client(1);
  client.send();
  const second = client.send();
  await turn();
  assert.deepEqual([second.error?.code, second.error?.unprocessed], ['upstream-closed', true]);
});

test('a head that cannot be written fails alone, and the next one is understood', async () => {
  const client = new Client();
  const headersWithLine = new HeaderList();
  headersWithLine.add('x-a', 'b\r\nc');
  let failed: MeshError | null = null;
  const nothing = { onInformational() {}, onHead() {}, onData() {}, onEnd() {}, onUpgrade() {}, onDrain() {} };
  client.connection.request(
    { ...testHead(), headers: headersWithLine },
    { ...nothing, onError: (error) => void (failed = error) },
  );
  await turn();
  assert.equal((failed as MeshError | null)?.code, 'internal');
  const next = client.send();
  client.socket.feed(answer(1));
  assert.ok(next.ended);
});

test('a server that gives no sign of life while requests wait is given up', () => {
  const client = new Client();
  const sent = client.send();
  for (let i = 0; i < 3; i++) client.pass(HTTP2_LIMITS.pingAfterMs + 100);
  assert.equal(sent.error?.code, 'upstream-closed');
});

test('a server that pushes, or answers what was not asked, ends the connection', () => {
  for (const bytes of [frame(wire.PUSH_PROMISE, 4, 1, '\0\0\0\x02'), answer(1), answer(2), settings([2, 1])]) {
    const client = new Client();
    client.socket.feed(bytes);
    assert.equal(goAwayCode(client.written), wire.PROTOCOL_ERROR);
    assert.equal(client.closes, 1);
  }
});
