import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOSTILE_BODIES, HOSTILE_HEADS } from './hostile-requests.ts';
import { ServerHarness } from './server-harness.ts';

for (const [what, bytes, code] of HOSTILE_HEADS) {
  test(`a head is refused as ${code}: ${what}`, () => {
    const server = new ServerHarness();
    server.socket.feed(`${bytes}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.deepEqual(server.requests, []);
    assert.deepEqual(
      server.refusals.map((error) => error.code),
      [code],
    );
    assert.equal(server.refusals[0]?.origin, 'downstream');
    assert.match(server.socket.written, /^HTTP\/1\.1 400 Ok\r\n(?:.+\r\n)*Connection: close\r\n/);
    assert.ok(server.socket.ended);
  });
}

for (const [what, bytes, code] of HOSTILE_BODIES) {
  test(`a body is refused as ${code}: ${what}`, () => {
    const server = new ServerHarness();
    server.socket.feed(`${bytes}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.equal(server.requests.length, 1);
    assert.equal(server.last.ended, false);
    assert.equal(server.last.aborted?.code, code);
    assert.match(server.socket.written, /^HTTP\/1\.1 4\d\d Ok\r\n(?:.+\r\n)*Connection: close\r\n/);
    assert.ok(server.socket.ended);
  });
}

test('a TLS client on a plaintext port is named as that', () => {
  const server = new ServerHarness();
  server.socket.feed('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
  assert.equal(server.refusals[0]?.code, 'bad-request');
  assert.match(server.refusals[0]?.detail ?? '', /a TLS handshake on a plaintext port/);
});

test('limits are configurable and hold for a head that comes in one piece', () => {
  for (const [limits, bytes, code] of [
    [{ lineBytes: 20 }, 'GET /aaaaaaaaaaaa HTTP/1.1\r\nHost: a\r\n\r\n', 'uri-too-long'],
    [{ headerBytes: 20 }, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: bbbbbbb\r\n\r\n', 'headers-too-large'],
    [{ headerFields: 1 }, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n', 'headers-too-large'],
  ] as const) {
    const server = new ServerHarness({ limits });
    server.socket.feed(bytes);
    assert.equal(server.refusals[0]?.code, code);
  }
});

test('what is refused in one piece is refused with the same code at every split', () => {
  for (const [what, bytes] of [...HOSTILE_HEADS, ...HOSTILE_BODIES]) {
    if (bytes.length > 1_000) continue;
    const whole = new ServerHarness();
    whole.socket.feed(bytes);
    for (let at = 1; at < bytes.length; at++) {
      const split = new ServerHarness();
      split.socket.feed(bytes.slice(0, at));
      split.socket.feed(bytes.slice(at));
      assert.deepEqual(split.transcript, whole.transcript, `${what}, split at ${at}`);
    }
  }
});

test('of two things that are wrong the same one is said at every split', () => {
  const fields = 'X-A: 1\r\n'.repeat(101);
  for (const bytes of [
    `GET / HTTP/1.1\r\nHost: a\r\n${fields}X-\nB: 1\r\n\r\n`,
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${fields}X-\nB: 1\r\n\r\n`,
  ]) {
    const whole = new ServerHarness();
    whole.socket.feed(bytes);
    const split = new ServerHarness();
    split.socket.feed(bytes.slice(0, -20));
    split.socket.feed(bytes.slice(-20));
    assert.deepEqual(split.transcript, whole.transcript);
    assert.match(whole.socket.written, /^HTTP\/1\.1 400/);
  }
});

test('what is refused in one piece is refused with the same code byte by byte', () => {
  for (const [what, bytes] of [...HOSTILE_HEADS, ...HOSTILE_BODIES]) {
    const whole = new ServerHarness();
    whole.socket.feed(bytes);
    const bytewise = new ServerHarness();
    for (const byte of bytes) bytewise.socket.feed(byte);
    assert.deepEqual(bytewise.transcript, whole.transcript, what);
  }
});
