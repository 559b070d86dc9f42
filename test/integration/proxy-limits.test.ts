// What an edge listener demands of its clients: each limit with its status, over both versions of HTTP.
import assert from 'node:assert/strict';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { milliseconds } from '../../core/model/brand.ts';
import { eventually } from '../support/eventually.ts';
import { ask, connectRaw, startRawUpstream, startUpstream } from '../support/http-peers.ts';
import { edgeView, startProxy } from '../support/proxy-harness.ts';

const LIMITS = { requestLine: 256, headerSize: 1_024, headerCount: 10, bodySize: 1_000 };

const over: readonly (readonly [what: string, bytes: string, status: number, code: string])[] = [
  ['a request line', `GET /${'a'.repeat(256)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414, 'uri-too-long'],
  ['the header fields', `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(1_024)}\r\n\r\n`, 431, 'headers-too-large'],
  ['the number of fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X-A: b\r\n'.repeat(10)}\r\n`, 431, 'headers-too-large'],
  ['a declared body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n', 413, 'body-too-large'],
  [
    'a chunked body',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n${'a'.repeat(1_001)}\r\n`,
    413,
    'body-too-large',
  ],
];

for (const [what, bytes, status, code] of over) {
  test(`${what} beyond the limit of the listener is answered ${status}`, async (t) => {
    let whole = 0;
    const port = await startRawUpstream(t, (socket) => {
      socket.on('data', (data) => void (whole += data.toString('latin1').endsWith('0\r\n\r\n') ? 1 : 0));
    });
    const edge = await startProxy(t, { view: edgeView([port], { limits: LIMITS }) });
    const client = await connectRaw(t, edge.port());
    client.socket.write(bytes, 'latin1');
    await eventually(() => client.text().includes('\r\n\r\n'));
    assert.match(client.text(), new RegExp(`^HTTP/1\\.1 ${status} .+\\r\\n(?:.+\\r\\n)*x-weft-error: ${code}\\r\\n`));
    const [line] = await edge.exchanges(1);
    assert.equal(line?.['status'], status);
    assert.equal(whole, 0);
  });
}

test('what keeps within the limits passes, to the last byte', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => incoming.pipe(response));
  const edge = await startProxy(t, { view: edgeView([upstream.port], { limits: LIMITS }) });
  const body = 'a'.repeat(1_000);
  assert.equal((await ask(edge.port(), '/', { method: 'POST', body })).body, body);
  const chunked = await ask(edge.port(), '/', { method: 'POST', body, headers: { 'transfer-encoding': 'chunked' } });
  assert.equal(chunked.body, body);
});

test('a head that does not come to its end in time is answered 408', async (t) => {
  const upstream = await startUpstream(t, (_incoming, response) => response.end());
  const edge = await startProxy(t, {
    view: edgeView([upstream.port], { limits: { headerTimeout: milliseconds(100) } }),
  });
  const client = await connectRaw(t, edge.port());
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
  await client.closed;
  assert.match(client.text(), /^HTTP\/1\.1 408 /);
});

test('the same limits hold over HTTP/2', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => incoming.pipe(response));
  const edge = await startProxy(t, { view: edgeView([upstream.port], { limits: LIMITS }) });
  const session = await openSession(t, edge.port());
  assert.equal(await statusOf(session, {}, 'a'.repeat(1_000)), 200);
  assert.equal(await statusOf(session, {}, 'a'.repeat(1_001)), 413);
  assert.equal(await statusOf(session, { 'content-length': '1001' }, 'a'.repeat(1_001)), 413);
});

async function openSession(t: TestContext, port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  t.after(() => session.destroy());
  await new Promise<void>((done) => session.once('connect', () => done()));
  return session;
}

function statusOf(session: ClientHttp2Session, headers: IncomingHttpHeaders, body: string): Promise<number> {
  return new Promise((done, fail) => {
    const stream = session.request({ ':method': 'POST', ':path': '/', ...headers });
    stream.on('error', fail);
    stream.on('response', (answer) => {
      stream.resume();
      done(Number(answer[':status']));
    });
    stream.end(body);
  });
}
