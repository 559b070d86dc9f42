// A client that begins with HTTP/2 on a listener without TLS: handed over whole, for every split of its bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerHarness } from './server-harness.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const SETTINGS = '\x00\x00\x00\x04\x00\x00\x00\x00\x00';

function handOver(pieces: readonly string[]): { bytes: string; server: ServerHarness } {
  let bytes = '';
  const server = new ServerHarness({ onPreface: (early) => void (bytes += early.toString('latin1')) });
  for (const piece of pieces) {
    server.socket.feed(piece);
    // What the codec does not take is for the next reader of the socket.
    if (bytes !== '' && !server.socket.paused) assert.fail('the socket was not paused');
  }
  return { bytes, server };
}

test('the preface is found in every split of it, with all that came along', () => {
  const all = PREFACE + SETTINGS;
  for (let first = 1; first < all.length; first++) {
    for (const second of [first, Math.min(first + 1, all.length), Math.min(first + 7, all.length)]) {
      const pieces = [all.slice(0, first), all.slice(first, second), all.slice(second)].filter((piece) => piece !== '');
      const { bytes, server } = handOver(pieces);
      assert.ok(bytes.length >= 18 && all.startsWith(bytes), `${first}: ${JSON.stringify(bytes)}`);
      assert.equal(server.requests.length + server.refusals.length, 0);
      assert.equal(server.socket.written, '');
      assert.equal(server.socket.listenerCount('data'), 0);
    }
  }
});

test('byte by byte it is found as soon as it can be told from a request', () => {
  assert.equal(handOver(PREFACE.split('')).bytes, PREFACE.slice(0, 18));
});

test('where nobody speaks HTTP/2 it is refused', () => {
  const server = new ServerHarness();
  server.socket.feed(PREFACE);
  assert.equal(server.refusals.length, 1);
});

test('it is none after a request', () => {
  const { bytes, server } = handOver(['GET / HTTP/1.1\r\nHost: a\r\n\r\n', PREFACE]);
  assert.equal(bytes, '');
  assert.equal(server.refusals.length, 1);
});

test('what is neither version of HTTP is for HTTP/2 to refuse', () => {
  assert.equal(handOver(['INVALID CONNECTION PREFACE\r\n\r\nrest']).bytes, 'INVALID CONNECTION PREFACE\r\n\r\nrest');
});

for (const almost of [
  'GET /\r\n\r\n',
  'INVALID HTTP/\r\n\r\n',
  'PRI * HTTP/2.0\r\nHost: a\r\n\r\nSM\r\n\r\n',
  'PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n',
  'PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET / HTTP/2.0\r\n\r\n',
]) {
  test(`${JSON.stringify(almost)} is no preface`, () => {
    const { bytes, server } = handOver([almost]);
    assert.equal(bytes, '');
    assert.equal(server.refusals.length, 1);
  });
}

test('a client that sends three bytes of it and waits has as long as one with a slow request', () => {
  for (const start of ['P', 'PRI', PREFACE.slice(0, 17)]) {
    const { server } = handOver([start]);
    server.pass(9_000);
    assert.equal(server.refusals.length, 0);
    server.pass(3_000);
    assert.equal(server.refusals[0]?.code, 'request-timeout');
  }
});

test('a drain before the preface is whole goes on with it', () => {
  const { server } = handOver([PREFACE.slice(0, 5)]);
  server.connection.drain();
  assert.ok(!server.socket.ended);
});
