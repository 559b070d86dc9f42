// HTTP/2 at the front door and towards an app: prior knowledge, ALPN, and either version on either side.
import assert from 'node:assert/strict';
import { connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { eventually } from '../support/eventually.ts';
import { askHttp2, connectHttp2, startHttp2Upstream } from '../support/http2-peers.ts';
import { ask, connectRaw, startUpstream } from '../support/http-peers.ts';
import { edgeView, startProxy, type ProxyHarness } from '../support/proxy-harness.ts';
import { makeTestAuthority } from '../support/test-authority.ts';

async function edgeBefore(t: TestContext): Promise<ProxyHarness> {
  const upstream = await startUpstream(t, (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      response.setHeader('x-version', incoming.httpVersion);
      response.end(`${incoming.method} ${incoming.url} ${Buffer.concat(chunks).length}`);
    });
  });
  return startProxy(t, { view: edgeView([upstream.port]) });
}

test('a plaintext listener speaks both, each to who begins with it', async (t) => {
  const edge = await edgeBefore(t);
  const session = await connectHttp2(t, edge.port());
  const shared = await askHttp2(session, '/a', { method: 'PUT', body: Buffer.alloc(100_000) });
  assert.equal(shared.status, 200);
  assert.equal(shared.body.toString(), 'PUT /a 100000');
  assert.equal((await ask(edge.port(), '/b')).body, 'GET /b 0');
  assert.equal((await askHttp2(session, '/c')).body.toString(), 'GET /c 0');
});

test('the preface may come in any pieces', async (t) => {
  const edge = await edgeBefore(t);
  const opening = Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
    Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
  ]);
  for (let first = 1; first < opening.length; first += 4) {
    const client = await connectRaw(t, edge.port());
    client.socket.setNoDelay(true);
    client.socket.write(opening.subarray(0, first));
    await new Promise((done) => setImmediate(done));
    client.socket.write(opening.subarray(first));
    // SETTINGS of the server, and the acknowledgement of ours.
    await eventually(() => client.text().includes('\x00\x00\x00\x04\x01\x00\x00\x00\x00'));
    client.socket.destroy();
  }
});

test('Upgrade: h2c is not taken: the answer is one of HTTP/1.1', async (t) => {
  const edge = await edgeBefore(t);
  const client = await connectRaw(t, edge.port());
  client.socket.write(
    'GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
  );
  await eventually(() => client.text().includes('\r\n\r\n'));
  assert.match(client.text(), /^HTTP\/1\.1 (?:200|400) /);
});

test('a listener with TLS offers both, and gives HTTP/1.1 to who offers nothing', async (t) => {
  const authority = await makeTestAuthority();
  const upstream = await startUpstream(t, (incoming, response) => response.end(`over ${incoming.httpVersion}`));
  const edge = await startProxy(t, {
    view: edgeView([upstream.port], { tls: 'internal' }),
    certificate: await authority.svid('edge'),
  });
  const session = await connectHttp2(t, edge.port(), 'https');
  assert.equal(session.alpnProtocol, 'h2');
  assert.equal((await askHttp2(session, '/')).body.toString(), 'over 1.1');
  for (const ALPNProtocols of [[], ['http/1.1']]) {
    const socket = connectTls({ port: edge.port(), host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols });
    t.after(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let text = '';
    socket.on('data', (data: Buffer) => void (text += data.toString()));
    await new Promise((done) => socket.on('end', done));
    assert.match(text, /^HTTP\/1\.1 200 /);
    assert.equal(socket.alpnProtocol, ALPNProtocols.length === 0 ? false : 'http/1.1');
  }
});

test('a client of TLS 1.2 gets HTTP/2 too, and no second handshake', async (t) => {
  const authority = await makeTestAuthority();
  const edge = await startProxy(t, {
    view: edgeView([1], { tls: 'internal' }),
    certificate: await authority.svid('edge'),
  });
  const socket = connectTls({
    port: edge.port(),
    host: '127.0.0.1',
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
  });
  t.after(() => socket.destroy());
  await new Promise((done) => socket.once('secureConnect', done));
  assert.equal(socket.alpnProtocol, 'h2');
  const refused = new Promise<Error>((done) => socket.once('error', done));
  socket.renegotiate({ rejectUnauthorized: false }, (error) => void (error !== null && socket.destroy(error)));
  assert.match((await refused).message, /renegotiation|handshake/i);
});

test('over TLS it is ALPN alone that says HTTP/2', async (t) => {
  const authority = await makeTestAuthority();
  const edge = await startProxy(t, {
    view: edgeView([1], { tls: 'internal' }),
    certificate: await authority.svid('edge'),
  });
  const socket = connectTls({ port: edge.port(), host: '127.0.0.1', rejectUnauthorized: false });
  t.after(() => socket.destroy());
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const [data] = await new Promise<Buffer[]>((done) => socket.once('data', (...got: Buffer[]) => done(got)));
  assert.match(String(data), /^HTTP\/1\.1 505 /);
});

test('an app of protocol http2 is spoken to in HTTP/2 from the first byte, over few connections', async (t) => {
  const upstream = await startHttp2Upstream(t, (stream, fields) => {
    stream.respond({ ':status': 200, 'x-authority': String(fields[':authority']) }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-after': 'all' }));
    stream.end(`${String(fields[':method'])} ${String(fields[':path'])}`);
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port], { protocol: 'http2' }) });
  const session = await connectHttp2(t, edge.port());
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => askHttp2(session, `/${i}`)));
  answers.forEach((answer, i) => {
    assert.equal(answer.body.toString(), `GET /${i}`);
    assert.equal(answer.trailers?.['x-after'], 'all');
  });
  assert.equal((await ask(edge.port(), '/one')).body, 'GET /one');
  assert.ok(upstream.sessions() <= 2, `${upstream.sessions()} connections`);
});

test('an app that does not speak HTTP/2 although the config says so is a clear failure', async (t) => {
  const upstream = await startUpstream(t, (_incoming, response) => response.end('one'));
  const edge = await startProxy(t, { view: edgeView([upstream.port], { protocol: 'http2' }) });
  const answer = await ask(edge.port(), '/');
  assert.equal(answer.status, 502);
  const [line] = await edge.exchanges(1);
  assert.match(String(line?.['detail']), /answers in HTTP\/1/);
});

test('a client of HTTP/2 that goes away leaves nothing behind', async (t) => {
  const edge = await edgeBefore(t);
  const session = await connectHttp2(t, edge.port());
  await askHttp2(session, '/');
  session.destroy();
  await eventually(() => edge.proxy.acceptors[0]?.counts.open === 0);
  const socket = connectTcp(edge.port(), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.end('PRI * HT');
  await eventually(() => edge.proxy.acceptors[0]?.counts.open === 0);
});
