import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderList } from '../../../../proxy/kit/header-list.ts';
import { earlyBytes } from '../../../support/early-bytes.ts';
import { respond, ServerHarness } from './server-harness.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (length: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function head(bodyLength: number, status = 200, declaredLength = -1, fields: string[] = []) {
  const headers = new HeaderList();
  for (let i = 0; i < fields.length; i += 2) headers.add(fields[i] as string, fields[i + 1] as string);
  return { status, reason: 'Ok', headers, bodyLength, declaredLength };
}

test('pipelined requests are answered in order, one exchange at a time, and reading pauses meanwhile', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET + GET.replace('/ ', '/2 ') + GET.replace('/ ', '/3 '));
  assert.equal(server.requests.length, 1);
  assert.ok(server.socket.paused);
  respond(server.last.downstream, 200, 'one');
  assert.equal(server.requests.length, 2);
  respond(server.last.downstream, 200, 'two');
  assert.equal(server.last.head.target, '/3');
  assert.ok(!server.socket.paused);
  respond(server.last.downstream, 200, 'three');
  assert.match(server.socket.written, /one.*two.*three/s);
});

test('an answer given inside the request listener does not recurse and is followed by the next request', () => {
  const server = new ServerHarness({ onHead: ({ downstream }) => respond(downstream, 204, '') });
  server.socket.feed(GET.repeat(5_000));
  assert.equal(server.requests.length, 5_000);
  assert.ok(server.requests.every((request) => !request.ended));
});

test('head and body of an answer are one write', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  respond(server.last.downstream, 200, 'hello');
  assert.equal(server.socket.writes.length, 1);
  assert.equal(server.socket.written, 'HTTP/1.1 200 Ok\r\nContent-Length: 5\r\n\r\nhello');
});

test('a head whose body does not come yet is written at the end of the turn', async () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  server.last.downstream.sendHead(head(-1));
  assert.equal(server.socket.writes.length, 0);
  await turn();
  assert.equal(server.socket.written, 'HTTP/1.1 200 Ok\r\nTransfer-Encoding: chunked\r\n\r\n');
});

test('a body of unknown length goes out in chunks with trailers, and never an empty chunk', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  const { downstream } = server.last;
  const trailers = new HeaderList();
  trailers.add('X-Sum', '1');
  downstream.sendHead(head(-1));
  downstream.sendData(Buffer.from('hello, everyone!!'));
  downstream.sendData(Buffer.alloc(0));
  downstream.sendEnd(trailers);
  assert.equal(
    server.socket.written,
    'HTTP/1.1 200 Ok\r\nTransfer-Encoding: chunked\r\n\r\n11\r\nhello, everyone!!\r\n0\r\nX-Sum: 1\r\n\r\n',
  );
  assert.equal(server.socket.writes.length, 1);
});

test('a body of unknown length to HTTP/1.0 ends with the connection', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed('GET / HTTP/1.0\r\n\r\n');
  server.last.downstream.sendHead(head(-1));
  server.last.downstream.sendData(Buffer.from('hello'));
  server.last.downstream.sendEnd(null);
  assert.equal(server.socket.written, 'HTTP/1.1 200 Ok\r\nConnection: close\r\n\r\nhello');
  assert.ok(server.socket.ended);
});

test('such a body that breaks off is cut by a reset: an end would look whole', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed('GET / HTTP/1.0\r\n\r\n');
  server.last.downstream.sendHead(head(-1));
  server.last.downstream.reset();
  assert.ok(server.socket.wasReset);
});

test('HEAD, 204 and 304 are answered without a body whatever is sent', () => {
  const cases: [string, ReturnType<typeof head>, string][] = [
    [GET.replace('GET', 'HEAD'), head(0, 200, 7), 'HTTP/1.1 200 Ok\r\nContent-Length: 7\r\n\r\n'],
    [GET.replace('GET', 'HEAD'), head(4), 'HTTP/1.1 200 Ok\r\nContent-Length: 4\r\n\r\n'],
    [GET.replace('GET', 'HEAD'), head(-1), 'HTTP/1.1 200 Ok\r\n\r\n'],
    [GET, head(4, 204), 'HTTP/1.1 204 Ok\r\n\r\n'],
    [GET, head(0, 304, 9), 'HTTP/1.1 304 Ok\r\nContent-Length: 9\r\n\r\n'],
    [GET, head(0, 304), 'HTTP/1.1 304 Ok\r\n\r\n'],
  ];
  for (const [request, answer, written] of cases) {
    const server = new ServerHarness({ answer: false });
    server.socket.feed(request);
    server.last.downstream.sendHead(answer);
    server.last.downstream.sendData(Buffer.from('body'));
    server.last.downstream.sendEnd(null);
    assert.equal(server.socket.written, written);
    assert.ok(!server.socket.ended);
  }
});

test('100 and 103 go out at once, to HTTP/1.1 only', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  server.last.downstream.sendInformational(103, head(0, 103, -1, ['Link', '</a>']).headers);
  assert.equal(server.socket.written, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n');
  const old = new ServerHarness({ answer: false });
  old.socket.feed('GET / HTTP/1.0\r\n\r\n');
  old.last.downstream.sendInformational(103, new HeaderList());
  assert.equal(old.socket.written, '');
});

for (const [what, fields, reason] of [
  ['CR LF in a value', ['X-A', 'b\r\nSet-Cookie: c=d'], 'Ok'],
  ['LF in a name', ['X-A\nX-B', 'c'], 'Ok'],
  ['NUL in a value', ['X-A', 'b\0'], 'Ok'],
  ['a character whose low byte is LF', ['X-A', 'b\u{10a}c'], 'Ok'],
  ['an empty name', ['', 'b'], 'Ok'],
  ['CR LF in the reason', [], 'Ok\r\nX-A: b'],
] as const) {
  test(`an answer with ${what} is never written: the connection is cut and the exchange told`, async () => {
    const server = new ServerHarness({ answer: false });
    server.socket.feed(GET);
    server.last.downstream.sendHead({ ...head(0, 200, -1, [...fields]), reason });
    await turn();
    assert.equal(server.socket.written, '');
    assert.ok(server.socket.destroyed);
    assert.equal(server.last.aborted?.code, 'internal');
  });
}

test('more body than declared cuts the connection', async () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  server.last.downstream.sendHead(head(3));
  assert.equal(server.last.downstream.sendData(Buffer.from('four')), false);
  await turn();
  assert.ok(server.socket.destroyed);
  assert.ok(!server.socket.written.includes('four'));
});

test('less body than declared cuts the connection', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  server.last.downstream.sendHead(head(5));
  server.last.downstream.sendData(Buffer.from('four'));
  server.last.downstream.sendEnd(null);
  assert.ok(server.socket.destroyed && !server.socket.ended);
  assert.ok(server.socket.written.endsWith('four'));
});

test('calls after the end do nothing to the next exchange', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET + GET);
  const first = server.last.downstream;
  respond(first, 200, 'one');
  assert.equal(server.requests.length, 2);
  first.reset();
  first.sendHead(head(0));
  first.sendEnd(null);
  first.pause();
  first.sendInformational(103, new HeaderList());
  assert.ok(!server.socket.destroyed && !server.socket.paused);
  respond(server.last.downstream, 200, 'two');
  assert.match(server.socket.written, /one.*two$/s);
});

test('Connection: close of the client is answered likewise, and what follows is not read', () => {
  const server = new ServerHarness();
  server.socket.feed(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`);
  assert.equal(server.requests.length, 1);
  assert.match(server.socket.written, /Connection: close/);
  assert.ok(server.socket.ended);
});

test('after the last answer the connection waits a moment for the client, then goes', () => {
  const server = new ServerHarness();
  server.socket.feed('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  server.socket.feed('more that nobody reads');
  assert.ok(server.socket.ended && !server.socket.destroyed);
  server.pass(1_200);
  assert.ok(server.socket.destroyed && !server.socket.wasReset);
});

test('a last answer that the client reads slowly is not cut after that moment', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  server.socket.writableNeedDrain = true;
  respond(server.last.downstream, 200, 'long');
  server.pass(10_000);
  assert.ok(server.socket.ended && !server.socket.destroyed);
  server.socket.drain();
  server.pass(1_200);
  assert.ok(server.socket.destroyed);
});

test('an answer that cannot be written is told to its exchange even if it was given inside the listener', async () => {
  const bad = head(0, 200, -1, ['X-A', 'b\nc']);
  const server = new ServerHarness({ onHead: ({ downstream }) => downstream.sendHead(bad) });
  server.socket.feed(GET);
  await turn();
  assert.equal(server.last.aborted?.code, 'internal');
});

test('drain closes an idle connection now, and a busy one after its answer', () => {
  const idle = new ServerHarness();
  idle.socket.feed(GET);
  idle.connection.drain();
  assert.ok(idle.socket.ended);
  const busy = new ServerHarness({ answer: false });
  busy.socket.feed(GET);
  busy.connection.drain();
  assert.ok(!busy.socket.ended);
  respond(busy.last.downstream, 200, '');
  assert.match(busy.socket.written, /Connection: close/);
  assert.ok(busy.socket.ended);
});

test('drain waits a moment for the first request of a connection, and answers it as the last one', () => {
  const server = new ServerHarness();
  server.connection.drain();
  assert.ok(!server.socket.ended);
  server.socket.feed(GET);
  assert.match(server.socket.written, /^HTTP\/1.1 200 .*Connection: close\r\n/s);
  assert.ok(server.socket.ended);
  const silent = new ServerHarness();
  silent.connection.drain();
  silent.pass(1_200);
  assert.ok(silent.socket.destroyed);
});

test('drain after the head was sent closes when the answer is whole', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  server.last.downstream.sendHead(head(2));
  server.connection.drain();
  server.last.downstream.sendData(Buffer.from('ok'));
  server.last.downstream.sendEnd(null);
  assert.ok(server.socket.written.endsWith('ok'));
  assert.ok(server.socket.ended);
});

test('a body is passed on without copying, as views of what was read', () => {
  const bytes = Buffer.from(`${post(5)}hello`, 'latin1');
  const server = new ServerHarness({ onData: () => bytes.fill('x') });
  server.socket.feed(bytes);
  assert.equal(server.last.body, 'hello');
  assert.equal(bytes[0], 120);
});

test('small chunks of one read are passed on together, between large ones, and in order', () => {
  const seen: number[] = [];
  const server = new ServerHarness({ onData: ({ body }) => void seen.push(body.length) });
  const large = 'L'.repeat(2_000);
  const chunks = `1\r\na\r\n2;x=y\r\nbc\r\n7d0\r\n${large}\r\n1\r\nd\r\n`;
  server.socket.feed(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}3\r\nef`);
  server.socket.feed('g\r\n0\r\n\r\n');
  assert.equal(server.last.body, `abc${large}defg`);
  assert.ok(server.last.ended);
  assert.deepEqual(seen, [3, 2_003, 2_006, 2_007]);
});

test('pause stops reading a body and resume goes on', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(`${post(10)}hello`);
  server.last.downstream.pause();
  server.socket.feed('world');
  assert.equal(server.last.body, 'hello');
  server.last.downstream.resume();
  assert.equal(server.last.body, 'helloworld');
  assert.ok(server.last.ended);
});

test('an exchange that ends while it has paused its body leaves the next one unpaused', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(`${post(10)}hello`);
  server.last.downstream.pause();
  respond(server.last.downstream, 403, 'no');
  server.socket.feed(`world${post(2)}hi`);
  assert.equal(server.last.body, 'hi');
  assert.ok(!server.socket.paused);
});

test('resume does not let in what follows the request in hand', () => {
  const server = new ServerHarness({ answer: false, onData: ({ downstream }) => downstream.pause() });
  server.socket.feed(`${post(5)}hello${GET}`);
  server.last.downstream.resume();
  assert.ok(server.last.ended && server.socket.paused);
  respond(server.last.downstream, 200, '');
  assert.equal(server.requests.length, 2);
});

test('sendData says when the socket is behind and onDrain when it no longer is', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  server.last.downstream.sendHead(head(-1));
  assert.equal(server.last.downstream.sendData(Buffer.from('a')), true);
  server.socket.writableNeedDrain = true;
  assert.equal(server.last.downstream.sendData(Buffer.from('b')), false);
  server.socket.drain();
  assert.equal(server.drains, 1);
});

test('large chunks are not held back for the end of the turn', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  server.last.downstream.sendHead(head(200_000));
  server.last.downstream.sendData(Buffer.alloc(100_000));
  assert.ok(Buffer.concat(server.socket.writes).length > 100_000);
});

test('an early answer drops the rest of a small body and keeps the connection', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(`${post(10)}hello`);
  respond(server.last.downstream, 403, 'no');
  server.socket.feed(`world${GET}`);
  assert.equal(server.requests.length, 2);
  assert.equal(server.requests[0]?.body, 'hello');
  assert.ok(!server.socket.ended);
});

test('an early answer inside onData gives the exchange nothing more of its body', () => {
  const server = new ServerHarness({ answer: false, onData: ({ downstream }) => respond(downstream, 403, 'no') });
  const [first, second] = ['a'.repeat(2_000), 'b'.repeat(2_000)];
  const chunks = `7d0\r\n${first}\r\n7d0\r\n${second}\r\n0\r\n\r\n`;
  server.socket.feed(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}${GET}`);
  assert.equal(server.requests[0]?.body, first);
  assert.equal(server.requests[0]?.ended, false);
  assert.equal(server.requests.length, 2);
});

test('an early answer to a large body closes the connection', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(`${post(10_000_000)}hello`);
  respond(server.last.downstream, 403, 'no');
  assert.match(server.socket.written, /\r\nConnection: close\r\n/);
  assert.ok(server.socket.ended && !server.socket.destroyed);
});

test('an answer that begins while a large body comes in keeps the connection where the body comes to its end', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(post(1_000_000));
  const head = { status: 200, reason: '', headers: new HeaderList(), bodyLength: 0, declaredLength: -1 };
  server.last.downstream.sendHead(head);
  server.socket.feed('a'.repeat(1_000_000));
  assert.ok(server.last.ended);
  server.last.downstream.sendEnd(null);
  assert.doesNotMatch(server.socket.written, /close/);
  server.socket.feed(GET);
  assert.equal(server.requests.length, 2);
});

test('an endless chunked body after an early answer is read up to a bound', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  respond(server.last.downstream, 403, 'no');
  for (let i = 0; i < 10 && !server.socket.ended; i++) server.socket.feed(`8000\r\n${'a'.repeat(0x8000)}\r\n`);
  assert.ok(server.socket.ended);
});

test('an answer before 100-continue closes: whether the body comes is open', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  respond(server.last.downstream, 417, '');
  assert.match(server.socket.written, /Connection: close/);
  assert.ok(server.socket.ended);
});

test('100-continue and then the body keep the connection', () => {
  const server = new ServerHarness({ answer: true });
  server.socket.feed('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  server.last.downstream.sendInformational(100, new HeaderList());
  assert.equal(server.socket.written, 'HTTP/1.1 100 Continue\r\n\r\n');
  server.socket.feed(`hello${GET}`);
  assert.equal(server.requests.length, 2);
});

test('a client that goes away aborts its exchange once', async () => {
  for (const leave of [(s: ServerHarness) => s.socket.feedEnd(), (s: ServerHarness) => s.socket.destroy()]) {
    const server = new ServerHarness({ answer: false });
    server.socket.feed(GET);
    leave(server);
    await turn();
    assert.equal(server.last.aborted?.code, 'downstream-closed');
    respond(server.last.downstream, 200, 'late');
    assert.equal(server.socket.written, '');
    assert.equal(server.closes, 1);
  }
});

test('destroy aborts the exchange in hand', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed(GET);
  server.connection.destroy();
  assert.equal(server.last.aborted?.code, 'downstream-closed');
  assert.ok(server.socket.destroyed);
});

test('a head that does not come to its end in time is refused with request-timeout', () => {
  const server = new ServerHarness();
  server.pass(60_000);
  server.socket.feed('GET / HT');
  for (let i = 0; i < 9; i++) {
    server.pass(1_000);
    server.socket.feed('T');
  }
  assert.equal(server.refusals.length, 0);
  server.pass(1_200);
  assert.equal(server.refusals[0]?.code, 'request-timeout');
});

test('an idle connection is closed after the idle timeout, without a word', () => {
  const server = new ServerHarness({ limits: { idleTimeoutMs: 5_000 } });
  server.socket.feed(GET);
  const { written } = server.socket;
  server.pass(4_900);
  assert.ok(!server.socket.destroyed);
  server.pass(300);
  assert.ok(server.socket.destroyed && !server.socket.wasReset);
  assert.equal(server.socket.written, written);
});

test('a body that stops coming aborts with request-timeout and is answered, a paused one does not', () => {
  const server = new ServerHarness({ answer: false, limits: { bodyTimeoutMs: 1_000 } });
  server.socket.feed(`${post(10)}hello`);
  server.last.downstream.pause();
  server.pass(2_000);
  assert.equal(server.last.aborted?.code, undefined);
  server.last.downstream.resume();
  server.pass(1_200);
  assert.equal(server.last.aborted?.code, 'request-timeout');
  assert.match(server.socket.written, /^HTTP\/1\.1 408 /);
});

test('a timeout of 0 is none', () => {
  const server = new ServerHarness({ answer: false, limits: { bodyTimeoutMs: 0, idleTimeoutMs: 0 } });
  server.pass(10_000_000);
  server.socket.feed('POST / HTTP/1.1\r\n');
  server.socket.feed('Host: a\r\nContent-Length: 5\r\n\r\n');
  server.pass(10_000_000);
  assert.equal(server.last.aborted?.code, undefined);
  server.socket.feed('hello');
  assert.ok(server.last.ended);
});

test('a client that stops reading is cut after the body timeout', () => {
  const server = new ServerHarness({ answer: false, limits: { bodyTimeoutMs: 1_000 } });
  server.socket.feed(GET);
  server.last.downstream.sendHead(head(-1));
  server.socket.writableNeedDrain = true;
  server.last.downstream.sendData(Buffer.from('a'));
  server.pass(1_200);
  assert.equal(server.last.aborted?.code, 'stream-idle');
  assert.ok(server.socket.destroyed);
});

test('an exchange that waits for its upstream is left alone', () => {
  const server = new ServerHarness({ answer: false, limits: { bodyTimeoutMs: 1_000, idleTimeoutMs: 1_000 } });
  server.socket.feed(GET);
  server.pass(10_000);
  assert.equal(server.last.aborted?.code, undefined);
  respond(server.last.downstream, 200, 'late');
  assert.ok(server.socket.written.endsWith('late'));
});

test('an upgrade hands the socket over, paused, with the bytes that came early', () => {
  const server = new ServerHarness({ answer: false });
  server.socket.feed('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nearly');
  const tunnel = server.last.downstream.sendUpgrade(head(0, 101, -1, ['X-A', 'b']));
  assert.equal(server.socket.written, 'HTTP/1.1 101 Ok\r\nX-A: b\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  assert.ok(server.socket.paused);
  assert.equal(server.socket.listenerCount('data'), 0);
  assert.equal(server.closes, 1);
  assert.equal(earlyBytes(tunnel), 'early');
});
