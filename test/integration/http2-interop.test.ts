// The HTTP/2 codec against Node's (nghttp2), in both roles, on real sockets.
import assert from 'node:assert/strict';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { type ClientHttp2Session, connect, constants, createServer, type ServerHttp2Stream } from 'node:http2';
import { type TestContext, test } from 'node:test';
import type { MeshError } from '../../core/kit/error.ts';
import type { ConnectionInfo, Downstream, DownstreamHandler, RequestHead, Upstream } from '../../proxy/exchange.ts';
import { Http2ClientConnection } from '../../proxy/http2/client-connection.ts';
import { HTTP2_LIMITS } from '../../proxy/http2/limits.ts';
import { Http2ServerConnection } from '../../proxy/http2/server-connection.ts';
import { HeaderList } from '../../proxy/kit/header-list.ts';
import { TimerWheel } from '../../proxy/kit/timer-wheel.ts';
import { eventually } from '../support/eventually.ts';
import { testHead } from '../support/exchange-fakes.ts';

const TEN_MIB = 10 * 1024 * 1024;

function common(t: TestContext): { limits: typeof HTTP2_LIMITS; timers: TimerWheel; now: () => number } {
  const now = (): number => performance.now();
  const timers = new TimerWheel({ now });
  timers.start();
  t.after(() => timers.close());
  return { limits: HTTP2_LIMITS, timers, now };
}

const INFO: ConnectionInfo = {
  listener: 'test',
  peer: null,
  remoteAddress: '127.0.0.1',
  remotePort: 1,
  scheme: 'http',
  serverName: '',
};

interface OwnServer {
  readonly session: ClientHttp2Session;
  readonly connection: () => Http2ServerConnection;
  readonly aborts: MeshError[];
}

/** Our server with Node's client connected to it. */
async function ownServer(
  t: TestContext,
  onRequest: (downstream: Downstream, head: RequestHead) => DownstreamHandler,
): Promise<OwnServer> {
  const options = common(t);
  const aborts: MeshError[] = [];
  let connection: Http2ServerConnection | null = null;
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    connection = new Http2ServerConnection(socket, INFO, {
      ...options,
      onRequest: (downstream, head) => {
        const handler = onRequest(downstream, head);
        return { ...handler, onAbort: (error) => void aborts.push(error) };
      },
      onRefused: (downstream) => answer(downstream, 400, ''),
      onClose: () => {},
      webSocketKey: () => 'dGhlIHNhbXBsZSBub25jZQ==',
    });
    connection.start();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  // Node counts a body that waits to be sent as memory of the session.
  const session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 100 });
  t.after(() => {
    session.destroy();
    server.close();
  });
  return { session, aborts, connection: () => connection as unknown as Http2ServerConnection };
}

function answer(downstream: Downstream, status: number, body: string, fields: Record<string, string> = {}): void {
  const headers = new HeaderList();
  for (const [name, value] of Object.entries(fields)) headers.add(name, value);
  downstream.sendHead({ status, reason: '', headers, bodyLength: body.length, declaredLength: -1 });
  if (body !== '') downstream.sendData(Buffer.from(body, 'latin1'));
  downstream.sendEnd(null);
}

const IGNORE = { onData() {}, onEnd() {}, onDrain() {}, onAbort() {} };

/** Sends back what comes, with backpressure in both directions, and the trailers. */
function echo(downstream: Downstream): DownstreamHandler {
  downstream.sendHead({ status: 200, reason: '', headers: new HeaderList(), bodyLength: -1, declaredLength: -1 });
  return {
    onData(chunk) {
      if (!downstream.sendData(chunk)) downstream.pause();
    },
    onEnd: (trailers) => downstream.sendEnd(trailers),
    onDrain: () => downstream.resume(),
    onAbort() {},
  };
}

interface NodeAnswer {
  readonly status: number;
  readonly fields: Record<string, unknown>;
  readonly body: Buffer;
}

function askOwn(session: ClientHttp2Session, fields: Record<string, string>, body?: Buffer): Promise<NodeAnswer> {
  return new Promise((done, fail) => {
    const stream = session.request(fields, { endStream: body === undefined });
    const chunks: Buffer[] = [];
    let head: Record<string, unknown> = {};
    stream.on('response', (got) => void (head = got));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', fail);
    stream.on('end', () => done({ status: Number(head[':status']), fields: head, body: Buffer.concat(chunks) }));
    if (body !== undefined) stream.end(body);
  });
}

test('every character comes through as it was sent, Huffman-coded by the other side', async (t) => {
  const { session } = await ownServer(t, (downstream, head) => {
    answer(downstream, 200, '', { 'X-Echo': head.headers.get('x-sent') ?? '' });
    return IGNORE;
  });
  for (let c = 0x21; c <= 0xff; c++) {
    if (c === 0x7f) continue;
    const sent = `${'a'.repeat(12)}${String.fromCharCode(c)}${'e'.repeat(12)}`;
    const { fields } = await askOwn(session, { ':path': `/${c}`, 'x-sent': sent });
    assert.equal(fields['x-echo'], sent);
  }
});

test('a hundred requests at once, small and with a body, are answered each with its own', async (t) => {
  const { session } = await ownServer(t, (downstream, head) => {
    let bytes = 0;
    const onEnd = (): void => answer(downstream, 200, `${head.method} ${head.target} ${bytes}`);
    return { ...IGNORE, onData: (chunk) => void (bytes += chunk.length), onEnd };
  });
  const asked = Array.from({ length: 100 }, async (_, i) => {
    const body = i % 2 === 0 ? undefined : Buffer.alloc(i * 1_000);
    const { body: text } = await askOwn(session, { ':path': `/${i}`, ':method': body ? 'PUT' : 'GET' }, body);
    assert.equal(text.toString(), `${body ? 'PUT' : 'GET'} /${i} ${body?.length ?? 0}`);
  });
  await Promise.all(asked);
});

test('ten MiB go in and come out again, with a reader that stops now and then', async (t) => {
  const { session } = await ownServer(t, echo);
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (Math.random() > 0.1) return;
    stream.pause();
    setImmediate(() => stream.resume());
  });
  const ended = new Promise((done, fail) => {
    stream.on('end', done);
    stream.on('error', fail);
  });
  stream.end(Buffer.alloc(TEN_MIB, 'x'));
  await ended;
  assert.equal(bytes, TEN_MIB);
});

test('trailers pass in both directions', async (t) => {
  const { session } = await ownServer(t, echo);
  const stream = session.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const trailers = new Promise<unknown>((done) => {
    stream.on('trailers', (got) => done(got['grpc-status']));
  });
  stream.resume();
  stream.end('body');
  assert.equal(await trailers, '0');
});

test('a reset by the client aborts the exchange, one by the exchange reaches the client', async (t) => {
  let cut: Downstream | null = null;
  const { session, aborts } = await ownServer(t, (downstream) => {
    const head = { status: 200, reason: '', headers: new HeaderList(), bodyLength: 100, declaredLength: -1 };
    downstream.sendHead(head);
    cut = downstream;
    return IGNORE;
  });
  const first = session.request({ ':path': '/' });
  await new Promise((done) => first.on('response', done));
  first.close(constants.NGHTTP2_CANCEL);
  await eventually(() => aborts.length === 1);
  const second = session.request({ ':path': '/' });
  const code = new Promise<unknown>((done) => {
    second.on('error', () => done(second.rstCode));
  });
  await new Promise((done) => second.on('response', done));
  (cut as unknown as Downstream).reset();
  assert.equal(await code, constants.NGHTTP2_INTERNAL_ERROR);
});

test('a drain lets what is under way end, and the client then closes', async (t) => {
  let pending: Downstream | null = null;
  const own = await ownServer(t, (downstream) => {
    pending = downstream;
    return IGNORE;
  });
  const closed = new Promise((done) => own.session.on('close', done));
  const asked = askOwn(own.session, { ':path': '/' });
  await eventually(() => pending !== null);
  own.connection().drain();
  await new Promise((done) => own.session.on('goaway', done));
  answer(pending as unknown as Downstream, 200, 'last');
  assert.equal((await asked).body.toString(), 'last');
  await closed;
});

interface OwnClient {
  readonly connection: Http2ClientConnection;
  readonly closed: Promise<void>;
}

/** Node's server with our client connected to it. */
async function ownClient(
  t: TestContext,
  onStream: (stream: ServerHttp2Stream, fields: Record<string, unknown>) => void,
): Promise<OwnClient> {
  const options = common(t);
  const server = createServer();
  server.on('stream', (stream, fields) => {
    stream.on('error', () => {});
    onStream(stream, fields);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const socket = connectTcp((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => {
    socket.destroy();
    server.close();
  });
  await new Promise((done) => socket.on('connect', done));
  let gone = (): void => {};
  const closed = new Promise<void>((done) => {
    gone = done;
  });
  const connection = new Http2ClientConnection(socket, { ...options, onIdle() {}, onClose: () => gone() });
  connection.start();
  return { connection, closed };
}

interface Got {
  status: number;
  bytes: number;
  trailers: readonly string[] | null;
  error: MeshError | null;
  readonly done: Promise<void>;
  readonly upstream: Upstream;
}

function send(connection: Http2ClientConnection, method = 'GET', bodyLength = 0): Got {
  let finish = (): void => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const got = {
    status: 0,
    bytes: 0,
    trailers: null as readonly string[] | null,
    error: null as MeshError | null,
    done,
  };
  const waiting: Buffer[] = [];
  const upstream = connection.request(testHead({ 'X-Case': 'Kept' }, { method, bodyLength }), {
    onInformational() {},
    onHead: (head) => void (got.status = head.status),
    onData(chunk) {
      got.bytes += chunk.length;
      if (Math.random() > 0.1) return;
      upstream.pause();
      setImmediate(() => upstream.resume());
    },
    onEnd(trailers) {
      got.trailers = trailers?.fields ?? null;
      finish();
    },
    onUpgrade() {},
    onDrain() {
      while (waiting.length > 0 && upstream.sendData(waiting.shift() as Buffer));
      if (waiting.length === 0) upstream.sendEnd(null);
    },
    onError(error) {
      got.error = error;
      finish();
    },
  });
  for (let left = bodyLength; left > 0; left -= 65_536) waiting.push(Buffer.alloc(Math.min(left, 65_536)));
  if (waiting.length > 0 && upstream.sendData(waiting.shift() as Buffer)) upstream.sendData(Buffer.alloc(0));
  return Object.assign(got, { upstream });
}

test('our client sends ten MiB to a slow server and reads ten MiB back', async (t) => {
  const { connection } = await ownClient(t, (stream, fields) => {
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      stream.pause();
      setImmediate(() => stream.resume());
    });
    stream.on('end', () => {
      stream.respond({ ':status': bytes === TEN_MIB && fields['x-case'] === 'Kept' ? 200 : 500 });
      stream.end(Buffer.alloc(TEN_MIB));
    });
  });
  const got = send(connection, 'POST', TEN_MIB);
  await got.done;
  assert.deepEqual([got.error, got.status, got.bytes], [null, 200, TEN_MIB]);
});

test('trailers and resets of a server reach the exchange', async (t) => {
  const { connection } = await ownClient(t, (stream, fields) => {
    if (fields[':method'] === 'DELETE') {
      stream.respond({ ':status': 200 });
      stream.write('part');
      setImmediate(() => stream.destroy(new Error('cut')));
      return;
    }
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5' }));
    stream.end('x');
  });
  const [whole, cut] = [send(connection), send(connection, 'DELETE')];
  await Promise.all([whole.done, cut.done]);
  assert.deepEqual(whole.trailers, ['grpc-status', '5']);
  assert.equal(cut.error?.code, 'upstream-reset');
});

test('a server that goes away finishes what it took, and the connection closes after it', async (t) => {
  const held: ServerHttp2Stream[] = [];
  const { connection, closed } = await ownClient(t, (stream) => void held.push(stream));
  const got = send(connection);
  await eventually(() => held.length === 1);
  held[0]?.session?.close();
  await closed;
  assert.equal(connection.usable, false);
  held[0]?.respond({ ':status': 204 }, { endStream: true });
  await got.done;
  assert.equal(got.status, 204);
});
