import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { earlyBytes } from '../../../support/early-bytes.ts';
import { ClientHarness, SeenAnswer, requestHead } from './client-harness.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a request without a body is written at once, with Host first', () => {
  const client = new ClientHarness();
  client.request({ target: '/a?b', authority: 'shop.test' }, ['X-A', '1', 'x-b', 'caf\xe9']);
  assert.equal(client.socket.written, 'GET /a?b HTTP/1.1\r\nHost: shop.test\r\nX-A: 1\r\nx-b: caf\xe9\r\n\r\n');
});

test('head and body of one turn are one write', () => {
  const client = new ClientHarness();
  const { upstream } = client.request({ method: 'POST', bodyLength: 5 });
  upstream.sendData(Buffer.from('hello'));
  upstream.sendEnd(null);
  assert.equal(client.socket.writes.length, 1);
  assert.equal(client.socket.written, 'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello');
});

test('a head whose body does not come yet is written at the end of the turn', async () => {
  const client = new ClientHarness();
  client.request({ method: 'POST', bodyLength: -1, expectContinue: true });
  assert.equal(client.socket.written, '');
  await turn();
  assert.match(client.socket.written, /\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n$/);
});

test('a chunked request carries its trailers', () => {
  const client = new ClientHarness();
  const { upstream } = client.request({ method: 'POST', bodyLength: -1 });
  const trailers = new HeaderList();
  trailers.add('X-Sum', '1');
  upstream.sendData(Buffer.from('hello'));
  upstream.sendEnd(trailers);
  assert.match(client.socket.written, /\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n$/);
});

test('POST without a body says so, an upgrade and TE are named in Connection', () => {
  const post = new ClientHarness();
  post.request({ method: 'POST' });
  assert.match(post.socket.written, /\r\nContent-Length: 0\r\n\r\n$/);
  const upgrade = new ClientHarness();
  upgrade.request({ upgrade: 'websocket' });
  assert.match(upgrade.socket.written, /\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n$/);
  const te = new ClientHarness();
  te.request({}, ['te', 'trailers']);
  assert.match(te.socket.written, /\r\nte: trailers\r\nConnection: TE\r\n\r\n$/);
});

test('framing that was left in a list is not written: the codec alone frames', () => {
  const client = new ClientHarness();
  client.request({}, [
    'Content-Length',
    '5',
    'transfer-encoding',
    'chunked',
    'HOST',
    'b',
    'Connection',
    'close',
    'X-A',
    '1',
  ]);
  assert.equal(client.socket.written, 'GET / HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\n\r\n');
});

for (const [what, over, fields] of [
  ['CR LF in a value', {}, ['X-A', 'b\r\nX-B: c']],
  ['CR LF in the target', { target: '/ HTTP/1.1\r\nX-A: b' }, []],
  ['a space in the target', { target: '/a b' }, []],
  ['a space in the method', { method: 'GET /' }, []],
  ['CR LF in the authority', { authority: 'a\r\nX-A: b' }, []],
  ['a character whose low byte is CR', { target: '/\u{10d}' }, []],
  ['no method', { method: '' }, []],
] as const) {
  test(`a request with ${what} is never written: its handler gets internal`, async () => {
    const client = new ClientHarness();
    const { answer } = client.request(over, [...fields]);
    await turn();
    assert.equal(client.socket.written, '');
    assert.equal(answer.error?.code, 'internal');
    assert.ok(client.connection.usable);
  });
}

test('an answer with a length is read and the connection is idle before onEnd', () => {
  const client = new ClientHarness();
  const answer = client.answer(OK);
  assert.equal(answer.head?.status, 200);
  assert.equal(answer.head?.reason, 'OK');
  assert.equal(answer.body, 'ok');
  assert.ok(answer.ended && client.connection.usable);
  assert.equal(client.idles, 1);
  assert.equal(client.answer(OK).body, 'ok');
});

test('a chunked answer is read with trailers', () => {
  const client = new ClientHarness();
  const answer = client.answer(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-A: 2\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a\r\n\r\n',
  );
  assert.equal(answer.head?.bodyLength, -1);
  assert.deepEqual(answer.head?.headers.fields, ['X-A', '2']);
  assert.equal(answer.body, 'ok');
  assert.deepEqual(answer.trailers, ['X-Sum', '1']);
  assert.ok(client.connection.usable);
});

test('an answer without framing ends with the connection', () => {
  const client = new ClientHarness();
  const answer = client.answer('HTTP/1.1 200 OK\r\n\r\nsome');
  client.socket.feed(' more');
  assert.ok(!answer.ended);
  client.socket.feedEnd();
  assert.equal(answer.body, 'some more');
  assert.ok(answer.ended);
  assert.equal(client.closes, 1);
});

test('HEAD, 204 and 304 have no body whatever they declare', () => {
  for (const [method, status, declared] of [
    ['HEAD', 200, 9],
    ['GET', 204, -1],
    ['GET', 304, 9],
  ] as const) {
    const client = new ClientHarness();
    const answer = client.answer(`HTTP/1.1 ${status} \r\nContent-Length: 9\r\n\r\n`, { method });
    assert.equal(answer.head?.bodyLength, 0);
    assert.equal(answer.head?.declaredLength, declared);
    assert.ok(answer.ended && client.connection.usable);
  }
});

test('informational answers come before the final one', () => {
  const client = new ClientHarness();
  const answer = client.answer(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`);
  assert.deepEqual(answer.informational, [100, 103]);
  assert.equal(answer.body, 'ok');
});

test('an endless row of informational answers is refused: a client that does not read would have them all kept', () => {
  const client = new ClientHarness();
  const answer = client.answer('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(32));
  assert.equal(answer.calls, 0);
  client.socket.feed('HTTP/1.1 103 Early Hints\r\n\r\n');
  assert.equal(answer.error?.code, 'upstream-protocol');
  assert.ok(client.socket.destroyed);
  const again = new ClientHarness();
  for (let i = 0; i < 3; i++) assert.ok(again.answer(`HTTP/1.1 100 Continue\r\n\r\n`.repeat(20) + OK).ended);
});

const REFUSED: readonly (readonly [what: string, bytes: string])[] = [
  ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['two Content-Lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok'],
  ['a coding besides chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
  ['Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status beyond 599', 'HTTP/1.1 600 OK\r\n\r\n'],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\n\r\n'],
  ['a space before a colon', 'HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n'],
  ['an empty line first', `\r\n${OK}`],
  ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
  ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
  ['101 that nobody asked for', 'HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['too many fields', `HTTP/1.1 200 OK\r\n${'X-A: 1\r\n'.repeat(101)}\r\n`],
];

for (const [what, bytes] of REFUSED) {
  test(`an answer is refused as upstream-protocol: ${what}`, () => {
    const client = new ClientHarness();
    const answer = client.answer(bytes);
    assert.equal(answer.error?.code, 'upstream-protocol');
    assert.equal(answer.calls, 1);
    assert.ok(client.socket.destroyed && !client.connection.usable);
    assert.equal(client.closes, 1);
  });
}

test('101 for another protocol than asked for is refused', () => {
  const client = new ClientHarness();
  const answer = client.answer('HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n', {
    upgrade: 'websocket',
  });
  assert.equal(answer.error?.code, 'upstream-protocol');
});

test('an upgrade hands the socket over, paused, with the bytes that came early', () => {
  const client = new ClientHarness();
  const answer = client.answer('HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nX-A: 1\r\n\r\nearly', {
    upgrade: 'websocket',
  });
  assert.deepEqual(answer.head?.headers.fields, ['X-A', '1']);
  assert.ok(client.socket.paused && !client.socket.destroyed);
  assert.equal(earlyBytes(answer.tunnel), 'early');
  assert.equal(client.closes, 1);
});

test('an upgrade that the upstream ignores is a plain answer', () => {
  const client = new ClientHarness();
  assert.ok(client.answer(OK, { upgrade: 'websocket' }).ended);
  assert.ok(client.connection.usable);
});

for (const [what, bytes] of [
  ['Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
  [
    'Connection: close in an informational answer',
    'HTTP/1.1 103 \r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  ],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'],
  ['bytes after the answer', `${OK}HTTP/1.1 200 OK\r\n\r\n`],
  ['Keep-Alive: timeout=0', 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok'],
] as const) {
  test(`a connection is not used again after ${what}`, () => {
    const client = new ClientHarness();
    const answer = client.answer(bytes);
    assert.ok(answer.ended);
    assert.equal(answer.body, 'ok');
    assert.equal(client.idles, 0);
    assert.ok(!client.connection.usable && client.socket.destroyed);
  });
}

test('bytes while idle make the connection unusable', () => {
  const client = new ClientHarness();
  client.answer(OK);
  client.socket.feed('HTTP/1.1 408 Request Timeout\r\n\r\n');
  assert.ok(!client.connection.usable && client.socket.destroyed);
  assert.equal(client.closes, 1);
});

test('a pooled connection is given up after its idle timeout, earlier where the upstream says so', () => {
  const plain = new ClientHarness();
  plain.answer(OK);
  plain.pass(59_000);
  assert.ok(plain.connection.usable);
  plain.pass(1_200);
  assert.ok(!plain.connection.usable && plain.socket.destroyed);
  const hinted = new ClientHarness();
  hinted.answer('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 2\r\n\r\nok');
  hinted.pass(3_900);
  assert.ok(hinted.connection.usable);
  hinted.pass(300);
  assert.ok(!hinted.connection.usable);
});

test('an idle timeout of 0 is none', () => {
  const client = new ClientHarness({ idleTimeoutMs: 0 });
  client.answer(OK);
  client.pass(100_000_000);
  assert.ok(client.connection.usable);
});

test('an answer that comes later than the idle timeout is still read', () => {
  const client = new ClientHarness();
  const { answer } = client.request();
  client.pass(100_000);
  client.socket.feed(OK);
  assert.ok(answer.ended);
});

test('a connection that closes before any byte is upstream-closed, after one upstream-reset', async () => {
  for (const leave of [(c: ClientHarness) => c.socket.feedEnd(), (c: ClientHarness) => c.socket.destroy()]) {
    for (const [bytes, code] of [
      ['', 'upstream-closed'],
      ['HTTP', 'upstream-reset'],
      ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok', 'upstream-reset'],
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n', 'upstream-reset'],
    ] as const) {
      const client = new ClientHarness();
      const { answer } = client.request();
      if (bytes !== '') client.socket.feed(bytes);
      leave(client);
      await turn();
      assert.equal(answer.error?.code, code);
      assert.equal(answer.error?.unprocessed, false);
      assert.equal(answer.calls, 1);
      assert.equal(client.closes, 1);
    }
  }
});

test('a body that ends with the connection and is cut by a reset is upstream-reset', async () => {
  const client = new ClientHarness();
  const answer = client.answer('HTTP/1.1 200 OK\r\n\r\nsome');
  client.socket.destroy();
  await turn();
  assert.equal(answer.error?.code, 'upstream-reset');
});

test('a connection that closes before the head was written is unprocessed', () => {
  const client = new ClientHarness();
  const { answer } = client.request({ method: 'POST', bodyLength: 5 });
  client.socket.feedEnd();
  assert.equal(answer.error?.code, 'upstream-closed');
  assert.equal(answer.error?.unprocessed, true);
});

test('a connection that can no longer be written to is unprocessed', async () => {
  const client = new ClientHarness();
  const { answer } = client.request({ method: 'POST', bodyLength: 5 });
  client.socket.writable = false;
  await turn();
  client.socket.destroy();
  await turn();
  assert.equal(answer.error?.unprocessed, true);
});

test('a reused connection that closes before any byte is upstream-closed again', () => {
  const client = new ClientHarness();
  client.answer(OK);
  const { answer } = client.request();
  client.socket.feedEnd();
  assert.equal(answer.error?.code, 'upstream-closed');
  assert.equal(answer.error?.unprocessed, false);
});

test('a request on a connection that is not usable is unprocessed', async () => {
  const client = new ClientHarness();
  client.socket.feedEnd();
  const answer = new SeenAnswer();
  client.connection.request(requestHead(), answer);
  await turn();
  assert.equal(answer.error?.code, 'upstream-closed');
  assert.equal(answer.error?.unprocessed, true);
});

test('an early final answer ends the exchange and the connection with it', () => {
  const client = new ClientHarness();
  const { upstream, answer } = client.request({ method: 'POST', bodyLength: 10 });
  upstream.sendData(Buffer.from('hello'));
  client.socket.feed(OK);
  assert.ok(answer.ended && client.socket.destroyed);
  assert.equal(client.idles, 0);
  upstream.sendData(Buffer.from('world'));
  upstream.sendEnd(null);
  assert.equal(answer.calls, 1);
});

test('a request body that goes on while its answer comes keeps the connection', () => {
  const client = new ClientHarness();
  const { upstream, answer } = client.request({ method: 'POST', bodyLength: 10 });
  upstream.sendData(Buffer.from('hello'));
  client.socket.feed(OK.slice(0, -1));
  upstream.sendData(Buffer.from('world'));
  upstream.sendEnd(null);
  client.socket.feed('k');
  assert.ok(answer.ended && client.connection.usable);
});

for (const [what, call] of [
  ['more', 'hello!'],
  ['less', 'hell'],
] as const) {
  test(`${what} request body than declared cuts the connection`, async () => {
    const client = new ClientHarness();
    const { upstream, answer } = client.request({ method: 'POST', bodyLength: 5 });
    upstream.sendData(Buffer.from(call));
    upstream.sendEnd(null);
    await turn();
    assert.ok(client.socket.wasReset);
    assert.equal(answer.error?.code, 'internal');
    assert.equal(answer.calls, 1);
  });
}

test('cancel cuts the connection and nothing more is heard', async () => {
  const client = new ClientHarness();
  const { upstream, answer } = client.request();
  upstream.cancel();
  await turn();
  assert.ok(client.socket.wasReset);
  assert.equal(answer.calls, 0);
  assert.equal(client.closes, 1);
});

test('cancel inside onHead stops the body', () => {
  const client = new ClientHarness();
  const { upstream, answer } = client.request();
  answer.onHeadHook = () => upstream.cancel();
  client.socket.feed(OK);
  assert.equal(answer.body, '');
  assert.ok(!answer.ended);
});

test('late calls of a finished exchange do not hit the next one', () => {
  const client = new ClientHarness();
  const first = client.request();
  client.socket.feed(OK);
  const second = client.request();
  first.upstream.cancel();
  first.upstream.pause();
  first.upstream.sendData(Buffer.from('x'));
  assert.ok(!client.socket.destroyed && !client.socket.paused);
  client.socket.feed(OK);
  assert.ok(second.answer.ended);
});

test('pause stops reading the answer and resume goes on', () => {
  const client = new ClientHarness();
  const { upstream, answer } = client.request();
  client.socket.feed('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok');
  upstream.pause();
  client.socket.feed('ok');
  assert.equal(answer.body, 'ok');
  upstream.resume();
  assert.equal(answer.body, 'okok');
});

test('an exchange that ends paused leaves the next one unpaused', () => {
  const client = new ClientHarness();
  const { upstream, answer } = client.request();
  answer.onHeadHook = () => upstream.pause();
  client.socket.feed(OK);
  assert.ok(answer.ended && !client.socket.paused);
  assert.equal(client.answer(OK).body, 'ok');
});

test('an answer whose body stops coming is upstream-timeout', () => {
  const client = new ClientHarness({ bodyTimeoutMs: 1_000 });
  const { answer } = client.request();
  client.socket.feed('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok');
  client.pass(1_200);
  assert.equal(answer.error?.code, 'upstream-timeout');
});

test('close ends a connection in hand', () => {
  const client = new ClientHarness();
  const { answer } = client.request();
  client.connection.close();
  assert.equal(answer.error?.code, 'upstream-closed');
  assert.ok(client.socket.destroyed);
});

test('every split of an answer gives the same events', () => {
  const samples = [
    `HTTP/1.1 100 Continue\r\n\r\n${OK}`,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n',
    'HTTP/1.1 404\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    ...REFUSED.map(([, bytes]) => bytes).filter((bytes) => bytes.length < 500),
  ];
  for (const bytes of samples) {
    const whole = new ClientHarness().answer(bytes);
    for (let at = 1; at < bytes.length; at++) {
      const client = new ClientHarness();
      const { answer } = client.request();
      client.socket.feed(bytes.slice(0, at));
      client.socket.feed(bytes.slice(at));
      assert.deepEqual(answer.transcript, whole.transcript, `split at ${at}: ${bytes}`);
    }
  }
});
