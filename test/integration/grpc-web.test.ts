// gRPC-Web at an edge, spoken by hand as browsers do, with a gRPC app of grpc-js behind it.
import assert from 'node:assert/strict';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { type GrpcApp, startGrpcApp } from '../support/grpc-peers.ts';
import { type Answer, ask, connectRaw, startUpstream } from '../support/http-peers.ts';
import { askHttp2, connectHttp2, startHttp2Upstream } from '../support/http2-peers.ts';
import { edgeView, type ProxyHarness, startProxy } from '../support/proxy-harness.ts';

const UNARY = '/weft.test.Echo/Unary';
const COUNT = '/weft.test.Echo/Count';
const FAIL = '/weft.test.Echo/Fail';
const BINARY = { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' };
const TEXT = { 'content-type': 'application/grpc-web-text', accept: 'application/grpc-web-text', 'x-grpc-web': '1' };

function frame(message: string | Buffer, flags = 0): Buffer {
  const bytes = Buffer.from(message);
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

interface Said {
  readonly messages: readonly string[];
  /** The last frame. */
  readonly trailers: Readonly<Record<string, string>> | null;
}

function read(body: Buffer): Said {
  const messages: string[] = [];
  let trailers: Record<string, string> | null = null;
  for (let at = 0; at < body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    const payload = body.subarray(at + 5, end).toString('latin1');
    assert.ok(end <= body.length && trailers === null, 'a frame that is whole, and nothing after the trailers');
    if (body[at] === 0x80) {
      const lines = payload.split('\r\n').filter((line) => line !== '');
      trailers = Object.fromEntries(lines.map((line) => line.split(': ') as [string, string]));
    } else {
      messages.push(payload);
    }
    at = end;
  }
  return { messages, trailers };
}

/** Base64 that may be padded in the middle, in groups of four. */
function fromText(body: string): Buffer {
  return Buffer.concat((body.match(/.{4}/gs) ?? []).map((group) => Buffer.from(group, 'base64')));
}

const readAnswer = ({ body }: Answer): Said => read(Buffer.from(body, 'latin1'));

async function started(t: TestContext): Promise<{ readonly app: GrpcApp; readonly edge: ProxyHarness }> {
  const app = await startGrpcApp(t);
  return { app, edge: await startProxy(t, { view: edgeView([app.port], { protocol: 'grpc' }) }) };
}

test('a unary call over HTTP/1.1 has its message and its trailers as the last frame', async (t) => {
  const { app, edge } = await started(t);
  const answer = await ask(edge.port(), UNARY, { method: 'POST', headers: BINARY, body: frame('hello') });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/grpc-web+proto');
  assert.equal(answer.headers['x-head'], 'first');
  const { messages, trailers } = readAnswer(answer);
  assert.deepEqual(messages, ['hello']);
  assert.equal(trailers?.['grpc-status'], '0');
  assert.equal(trailers['x-trailer'], 'last');
  assert.equal(trailers['x-trailer-bin'], 'AP8B');
  assert.deepEqual(app.metadata().get('x-grpc-web'), ['1']);
  const [line] = await edge.exchanges(1);
  assert.deepEqual([line?.['status'], line?.['grpcStatus'], line?.['code']], [200, 0, '']);
});

test('over HTTP/2 it is the same', async (t) => {
  const { edge } = await started(t);
  const session = await connectHttp2(t, edge.port());
  const answer = await askHttp2(session, UNARY, { method: 'POST', fields: BINARY, body: frame('hello') });
  assert.equal(answer.fields['content-type'], 'application/grpc-web+proto');
  assert.equal(answer.trailers, null);
  const { messages, trailers } = read(answer.body);
  assert.deepEqual([messages, trailers?.['grpc-status']], [['hello'], '0']);
});

test('text is base64 both ways, in whatever pieces it comes', async (t) => {
  const { edge } = await started(t);
  const text = frame('a message in base64').toString('base64');
  for (const step of [1, 3, 7, text.length]) {
    const client = await connectRaw(t, edge.port());
    const fields = Object.entries(TEXT).map(([name, value]) => `${name}: ${value}\r\n`);
    client.socket.setNoDelay(true);
    client.socket.write(
      `POST ${UNARY} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields.join('')}Content-Length: ${text.length}\r\n\r\n`,
    );
    for (let at = 0; at < text.length; at += step) {
      client.socket.write(text.slice(at, at + step));
      await new Promise((done) => setImmediate(done));
    }
    await client.closed;
    const [head = '', body = ''] = client.text().split('\r\n\r\n');
    assert.match(head, /content-type: application\/grpc-web-text\r?\n?/i);
    const whole = `${body}\r\n`.replaceAll(/[0-9a-f]+\r\n(.*?)\r\n/gs, '$1');
    const { messages, trailers } = read(fromText(whole));
    assert.deepEqual([messages, trailers?.['grpc-status']], [['a message in base64'], '0']);
  }
});

test('runs that are padded one by one are one body', async (t) => {
  const { edge } = await started(t);
  const bytes = frame('padded');
  const body = [bytes.subarray(0, 4), bytes.subarray(4, 9), bytes.subarray(9)].map((run) => run.toString('base64'));
  const answer = await ask(edge.port(), UNARY, { method: 'POST', headers: TEXT, body: body.join('') });
  assert.deepEqual(read(fromText(answer.body)).messages, ['padded']);
});

test('a binary call that wants text is answered with text', async (t) => {
  const { edge } = await started(t);
  const headers = { ...BINARY, accept: 'application/grpc-web-text+proto' };
  const answer = await ask(edge.port(), UNARY, { method: 'POST', headers, body: frame('hello') });
  assert.equal(answer.headers['content-type'], 'application/grpc-web-text+proto');
  assert.deepEqual(read(fromText(answer.body)).messages, ['hello']);
});

test('what an app streams comes at once, in text too', async (t) => {
  const { edge } = await started(t);
  let heard = '';
  const sent = request({
    port: edge.port(),
    path: COUNT,
    method: 'POST',
    headers: TEXT,
    agent: new Agent({ keepAlive: false }),
  });
  sent.on('response', (answer) => answer.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1'))));
  sent.on('error', () => {});
  t.after(() => sent.destroy());
  // An empty message makes the app say one and go on for ever.
  sent.end(frame('').toString('base64'));
  await eventually(() => read(fromText(heard)).messages.join('') === 'first');
});

test('a failing call has its status where trailers go, and the page its cause', async (t) => {
  const { edge } = await started(t);
  const answer = await ask(edge.port(), FAIL, { method: 'POST', headers: BINARY, body: frame('5') });
  assert.equal(answer.status, 200);
  const { trailers } = readAnswer(answer);
  assert.equal(answer.headers['grpc-status'] ?? trailers?.['grpc-status'], '5');
  assert.equal(
    decodeURIComponent(String(answer.headers['grpc-message'] ?? trailers?.['grpc-message'])),
    'a %-sign and ü\n',
  );
  assert.equal((await edge.exchanges(1))[0]?.['grpcStatus'], 5);
});

test('a deadline holds, and the page is told by status', async (t) => {
  const { app, edge } = await started(t);
  const headers = { ...BINARY, 'grpc-timeout': '200m' };
  const answer = await ask(edge.port(), '/weft.test.Echo/Hang', { method: 'POST', headers, body: frame('') });
  assert.equal(answer.headers['grpc-status'], '4');
  assert.equal(answer.headers['content-type'], 'application/grpc-web+proto');
  await eventually(() => app.cancelled() === 1);
});

test('a body that is no gRPC is refused, and the app does not take it for a call', async (t) => {
  const { edge } = await started(t);
  const bad: readonly (readonly [Readonly<Record<string, string>>, string | Buffer])[] = [
    [TEXT, 'AAAA*AAA'],
    [TEXT, `${frame('hello').toString('base64').slice(0, -3)}`],
    [TEXT, frame('hello').subarray(0, 7).toString('base64')],
    [BINARY, frame('hello').subarray(0, 7)],
    [BINARY, frame('hello').subarray(0, 3)],
    [BINARY, frame('grpc-status: 0', 0x80)],
    [BINARY, Buffer.from('{"json":true}')],
  ];
  for (const [headers, body] of bad) {
    const answer = await ask(edge.port(), UNARY, { method: 'POST', headers, body });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['grpc-status'], '13', body.toString());
    assert.match(String(answer.headers['grpc-message']), /\(bad-request, request [0-9a-f]+\)/);
    assert.equal(answer.headers['x-weft-error'], 'bad-request');
  }
  const good = await ask(edge.port(), UNARY, { method: 'POST', headers: BINARY, body: frame('after') });
  assert.deepEqual(readAnswer(good).messages, ['after']);
});

test('an answer that breaks off has no trailers and looks like it', async (t) => {
  const { app, edge } = await started(t);
  const cut = new Promise<string>((done) => {
    const sent = request({
      port: edge.port(),
      path: COUNT,
      method: 'POST',
      headers: BINARY,
      agent: new Agent({ keepAlive: false }),
    });
    sent.on('response', (answer) => {
      answer.once('data', () => app.stop());
      answer.on('error', ({ message }) => done(message));
      answer.on('end', () => done('complete'));
    });
    sent.on('error', ({ message }) => done(message));
    sent.end(frame(''));
  });
  assert.match(await cut, /aborted|reset|hang up/);
});

test('without an app the failure is a status, in the form that was asked for', async (t) => {
  const { app, edge } = await started(t);
  app.stop();
  const answer = await ask(edge.port(), UNARY, { method: 'POST', headers: TEXT, body: frame('a').toString('base64') });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['grpc-status'], '14');
  assert.equal(answer.headers['content-type'], 'application/grpc-web-text+proto');
});

test('the app is asked in plain gRPC, and an answer without messages stays one', async (t) => {
  const asked: IncomingHttpHeaders[] = [];
  const app = await startHttp2Upstream(t, (stream, fields) => {
    asked.push(fields);
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc+proto', 'grpc-status': '5' },
      { endStream: true },
    );
  });
  const edge = await startProxy(t, { view: edgeView([app.port], { protocol: 'grpc' }) });
  const headers = { ...TEXT, 'content-type': 'application/grpc-web-text+proto' };
  const answer = await ask(edge.port(), UNARY, { method: 'POST', headers, body: frame('a').toString('base64') });
  const [fields] = asked;
  assert.equal(fields?.['content-type'], 'application/grpc+proto');
  assert.equal(fields['te'], 'trailers');
  assert.equal(fields['content-length'], undefined);
  assert.equal(answer.headers['content-type'], 'application/grpc-web-text+proto');
  assert.deepEqual([answer.headers['grpc-status'], answer.headers['content-length'], answer.body], ['5', '0', '']);
});

test('a service that does not say that it speaks gRPC gets gRPC-Web as it is', async (t) => {
  const app = await startUpstream(t, (incoming, response) => {
    response.setHeader('content-type', incoming.headers['content-type'] ?? '');
    incoming.pipe(response);
  });
  const edge = await startProxy(t, { view: edgeView([app.port]) });
  const answer = await ask(edge.port(), UNARY, { method: 'POST', headers: TEXT, body: 'anything' });
  assert.deepEqual([answer.headers['content-type'], answer.body], ['application/grpc-web-text', 'anything']);
});
