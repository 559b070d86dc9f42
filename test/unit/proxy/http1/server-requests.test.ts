import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SeenRequest, ServerHarness } from './server-harness.ts';

function read(bytes: string, scheme: 'http' | 'https' = 'http'): SeenRequest {
  const server = new ServerHarness({ scheme });
  server.socket.feed(bytes);
  assert.deepEqual(server.refusals, []);
  assert.equal(server.requests.length, 1);
  return server.last;
}

const get = (fields: string): SeenRequest => read(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);

test('method, target, authority and version are as sent', () => {
  const { head } = read('PURGE /a/b?c=d HTTP/1.1\r\nHOST: Shop.test:8080\r\n\r\n', 'https');
  const { method, target, authority, scheme, version, bodyLength } = head;
  assert.deepEqual(
    { method, target, authority, scheme, version, bodyLength },
    { method: 'PURGE', target: '/a/b?c=d', authority: 'Shop.test:8080', scheme: 'https', version: 11, bodyLength: 0 },
  );
});

test('end-to-end fields keep order, case, repetition and every byte of their values', () => {
  const { head } = get('X-Zed: 1\r\nx-a:\t caf\xe9 \t\r\nX-Zed: 2\r\nEmpty:\r\n');
  assert.deepEqual(head.headers.fields, ['X-Zed', '1', 'x-a', 'caf\xe9', 'X-Zed', '2', 'Empty', '']);
});

test('hop-by-hop fields and those that Connection names are taken out', () => {
  const { head } = get(
    'Connection: close, X-Hop , keep-alive\r\nX-Hop: 1\r\nX-Stays: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n' +
      'HTTP2-Settings: AAMAAABk\r\nTransfer-Encoding: chunked\r\n',
  );
  assert.deepEqual(head.headers.fields, ['X-Stays', '1']);
  assert.equal(head.bodyLength, -1);
});

test('Connection cannot name away what routing, framing and access rest on', () => {
  const server = new ServerHarness();
  server.socket.feed(
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nAuthorization: b\r\nX-Forwarded-For: c\r\nCookie: d\r\n' +
      'Connection: host, content-length, authorization, x-forwarded-for, cookie\r\n\r\nhi',
  );
  assert.equal(server.last.head.authority, 'a');
  assert.equal(server.last.body, 'hi');
  assert.deepEqual(server.last.head.headers.fields, ['Authorization', 'b', 'X-Forwarded-For', 'c', 'Cookie', 'd']);
});

test('absolute-form is reduced to origin-form and its authority wins over Host', () => {
  const absolute = (target: string, method = 'GET'): string[] => {
    const { head } = read(`${method} ${target} HTTP/1.1\r\nHost: other\r\n\r\n`);
    return [head.authority, head.target];
  };
  assert.deepEqual(absolute('http://a.test:81/b?c'), ['a.test:81', '/b?c']);
  assert.deepEqual(absolute('HTTPS://a.test'), ['a.test', '/']);
  assert.deepEqual(absolute('http://a.test?c=/d'), ['a.test', '/?c=/d']);
  assert.deepEqual(absolute('http://[::1]:80/'), ['[::1]:80', '/']);
  assert.deepEqual(absolute('http://a.test', 'OPTIONS'), ['a.test', '*']);
});

test('`*` is a target for OPTIONS', () => {
  assert.equal(read('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n').head.target, '*');
});

test('usual hosts are accepted', () => {
  for (const host of ['a', 'a.b:80', 'under_score', '127.0.0.1:65535', '[::1]', '[2001:db8::1]:0', 'A-B.test.']) {
    assert.equal(read(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`).head.authority, host);
  }
});

test('HTTP/1.0 need not send Host and its connection is closed after the answer', () => {
  const server = new ServerHarness();
  server.socket.feed('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  assert.equal(server.last.head.authority, '');
  assert.equal(server.last.head.version, 10);
  assert.match(server.socket.written, /\r\nConnection: close\r\n/);
  assert.ok(server.socket.ended);
});

test('one empty line before a request is ignored, also between two', () => {
  const server = new ServerHarness();
  server.socket.feed('\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.deepEqual(
    server.requests.map((request) => request.head.target),
    ['/1', '/2'],
  );
});

test('an upgrade is passed on in lower case, h2c and TLS never are', () => {
  assert.equal(get('Connection: Upgrade\r\nUpgrade: WebSocket\r\n').head.upgrade, 'websocket');
  assert.equal(get('Connection: upgrade\r\nUpgrade: h2c\r\n').head.upgrade, '');
  assert.equal(get('Connection: upgrade\r\nUpgrade: TLS/1.2\r\n').head.upgrade, '');
  assert.equal(get('Connection: upgrade\r\nUpgrade: h2c, websocket\r\n').head.upgrade, 'websocket');
});

test('an upgrade that Connection does not name, of HTTP/1.0 or with a body is none', () => {
  assert.equal(get('Upgrade: websocket\r\n').head.upgrade, '');
  assert.equal(get('Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n').head.upgrade, '');
  assert.equal(read('GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n').head.upgrade, '');
});

test('Expect: 100-continue is read where there is a body, and no field remains', () => {
  const expecting = get('Expect: 100-Continue\r\nContent-Length: 1\r\n').head;
  assert.equal(expecting.expectContinue, true);
  assert.deepEqual(expecting.headers.fields, []);
  assert.equal(get('Expect: 100-continue\r\n').head.expectContinue, false);
  assert.equal(read('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n').head.expectContinue, false);
});

test('of TE only trailers is kept', () => {
  assert.deepEqual(get('TE: gzip;q=0.5, Trailers\r\nConnection: TE\r\n').head.headers.fields, ['te', 'trailers']);
  assert.deepEqual(get('TE: gzip\r\nConnection: TE\r\n').head.headers.fields, []);
});

test('a chunked body comes without its framing and with the trailers that are allowed', () => {
  const { body, trailers } = read(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n' +
      '5\r\nhello\r\n00A;name=value;other="a \\" b"\r\n, everyone\r\n0\r\nX-Sum: 1\r\nHost: b\r\n' +
      'Authorization: c\r\nX-Forwarded-For: d\r\n\r\n',
  );
  assert.equal(body, 'hello, everyone');
  assert.deepEqual(trailers, ['X-Sum', '1']);
});

test('what Connection names is taken out of the trailers too', () => {
  const { trailers } = read(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: x-hop\r\n\r\n0\r\nX-Hop: 1\r\nX-Sum: 2\r\n\r\n',
  );
  assert.deepEqual(trailers, ['X-Sum', '2']);
});

test('a hundred fields are read, and a request line of 8 KiB', () => {
  const server = new ServerHarness();
  server.socket.feed(`GET /${'a'.repeat(8_100)} HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(99)}\r\n`);
  assert.equal(server.last.head.headers.count, 99);
});

const SAMPLES = [
  'GET /a?b=c HTTP/1.1\r\nHost: shop.test\r\nAccept: */*\r\n\r\nPOST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /e HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n \r\n6\r\nworld!\r\n0\r\nX-Sum: 1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\nPUT http://a.test/b HTTP/1.1\r\nHost: c\r\nConnection: close, x-d\r\nX-D: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /never HTTP/1.1\r\n',
];

test('every split at two places gives the same requests and answers', () => {
  for (const bytes of SAMPLES) {
    const whole = new ServerHarness();
    whole.socket.feed(bytes);
    for (let first = 0; first <= bytes.length; first++) {
      for (const second of [first, first + 1, first + 2, first + 7, bytes.length]) {
        const split = new ServerHarness();
        split.socket.feed(bytes.slice(0, first));
        split.socket.feed(bytes.slice(first, second));
        split.socket.feed(bytes.slice(second));
        assert.deepEqual(split.transcript, whole.transcript, `split at ${first} and ${second}`);
      }
    }
  }
});

test('byte by byte gives the same requests and answers', () => {
  for (const bytes of SAMPLES) {
    const whole = new ServerHarness();
    whole.socket.feed(bytes);
    const bytewise = new ServerHarness();
    for (const byte of bytes) bytewise.socket.feed(byte);
    assert.deepEqual(bytewise.transcript, whole.transcript);
  }
});

test('a head of 60 KB in single bytes costs what its bytes cost', () => {
  const server = new ServerHarness();
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(60_000)}\r\n\r\n`, 'latin1');
  const began = process.cpuUsage();
  for (let at = 0; at < bytes.length; at++) server.socket.feed(bytes.subarray(at, at + 1));
  const { user, system } = process.cpuUsage(began);
  assert.equal(server.requests.length, 1);
  // Quadratic would be 1.8 · 10⁹ byte steps: well over a second. Linear takes some 30 ms.
  assert.ok((user + system) / 1_000 < 500, `${(user + system) / 1_000} ms`);
});
