import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { OutboundMode } from '../../proxy/mode/outbound.ts';
import { configuredMesh, localhost } from '../support/configured-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { type ProxyHarness, startProxy } from '../support/proxy-harness.ts';
import { echo, type TcpApp, tcpApp, tcpClient } from '../support/tcp-peers.ts';

const KV = `version: 1
services:
  kv: { port: 6379, protocol: tcp }
  web: { calls: [kv] }
  thief: { calls: [] }
`;

interface Pair {
  readonly app: TcpApp;
  readonly callee: ProxyHarness;
  readonly caller: ProxyHarness;
  readonly port: number;
}

async function pair(t: TestContext, serve: (socket: Socket) => void, yaml = KV): Promise<Pair> {
  const app = await tcpApp(t, serve);
  const mesh = await configuredMesh(t, yaml);
  const callee = await mesh.callee('kv', localhost(app.port));
  const caller = await mesh.caller('web', ['kv']);
  return { app, callee, caller, port: caller.port('outbound/kv') };
}

function connections(harness: ProxyHarness): readonly Readonly<Record<string, unknown>>[] {
  return harness.lines.filter(({ message }) => message === 'connection').map(({ fields }) => fields);
}

test('bytes go through both sidecars and back, and each writes one record of the connection', async (t) => {
  const { callee, caller, port } = await pair(t, echo);
  const client = tcpClient(t, port);
  client.socket.end('PING\r\n');
  assert.equal(await client.ended, 'end');
  assert.equal(client.received().toString(), 'PING\r\n');
  await client.closed;
  const [out, into] = await eventually(() => {
    const records = [connections(caller)[0], connections(callee)[0]] as const;
    return records.every((record) => record !== undefined) ? records : null;
  });
  assert.deepEqual(
    [out?.['listener'], out?.['cluster'], out?.['receivedBytes'], out?.['sentBytes'], out?.['broken'], out?.['flag']],
    ['outbound/kv', 'kv', 6, 6, false, '-'],
  );
  assert.equal(into?.['peer'], 'spiffe://shop.test/ns/default/sa/web');
  assert.equal(into?.['rule'], 'services.web.calls[0]');
  const [series] = [...caller.stats.tcp.series];
  assert.deepEqual([series?.receivedBytes, series?.sentBytes, series?.connections.get('-')], [6, 6, 1]);
});

test('a server that speaks first is heard before the client says a word', async (t) => {
  const { port } = await pair(t, (socket) => void socket.write('220 ready\r\n'));
  const client = tcpClient(t, port);
  await eventually(() => client.received().toString() === '220 ready\r\n');
});

test('either side may end its direction first and go on listening', async (t) => {
  const heard = Promise.withResolvers<string>();
  const { port } = await pair(t, (socket) => {
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('end', () => {
      heard.resolve(text);
      socket.end(`you said ${text}`);
    });
  });
  const client = tcpClient(t, port);
  client.socket.end('question');
  assert.equal(await heard.promise, 'question');
  assert.equal(await client.ended, 'end');
  assert.equal(client.received().toString(), 'you said question');

  const other = await pair(t, (socket) => {
    socket.end('I am done\n');
    socket.on('data', (chunk) => heardAfter.push(String(chunk)));
  });
  const heardAfter: string[] = [];
  const listener = tcpClient(t, other.port);
  assert.equal(await listener.ended, 'end');
  listener.socket.write('still ');
  listener.socket.end('talking');
  await eventually(() => heardAfter.join('') === 'still talking');
  await listener.closed;
});

test('a client that ends before its upstream is there is not waited for', async (t) => {
  const yaml = (port: number): string => `version: 1
services:
  kv: { endpoints: [127.0.0.1:${port}], protocol: tcp }
  web: { calls: [kv] }
`;
  const outside = await tcpApp(t, echo);
  const caller = await (await configuredMesh(t, yaml(outside.port))).caller('web', ['kv']);
  const inMesh = await pair(t, echo);
  for (const [port, app, proxy] of [
    [caller.port('outbound/kv'), outside, caller],
    [inMesh.port, inMesh.app, inMesh.caller],
  ] as const) {
    const clients = Array.from({ length: 20 }, (_, index) => {
      const client = tcpClient(t, port);
      client.socket.end(index % 2 === 0 ? '' : 'all');
      return client;
    });
    assert.deepEqual([...new Set(await Promise.all(clients.map(({ ended }) => ended)))], ['end']);
    assert.equal(clients.filter((client) => client.received().toString() === 'all').length, 10);
    await eventually(() => app.sockets.size === 0 && connections(proxy).length === clients.length);
  }
});

test('a reset of the app reaches the client as one, and one of the client the app', async (t) => {
  const { port } = await pair(t, (socket) => {
    socket.write('part');
    socket.once('data', () => socket.resetAndDestroy());
  });
  const client = tcpClient(t, port);
  await eventually(() => client.received().toString() === 'part');
  client.socket.write('now');
  assert.equal(await client.ended, 'ECONNRESET');

  const ends: string[] = [];
  const other = await pair(t, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
    socket.on('end', () => ends.push('end'));
    socket.resume();
    socket.write('hello');
  });
  const leaver = tcpClient(t, other.port);
  await eventually(() => leaver.received().length > 0);
  leaver.socket.resetAndDestroy();
  await eventually(() => ends.length > 0);
  assert.deepEqual(ends, ['ECONNRESET']);
});

test('a sidecar that is killed in the middle is no proper end', async (t) => {
  const { callee, port } = await pair(t, (socket) => void socket.write('part'));
  const client = tcpClient(t, port);
  await eventually(() => client.received().toString() === 'part');
  callee.proxy.close();
  assert.equal(await client.ended, 'ECONNRESET');
});

test('megabytes arrive whole through a slow reader, which is not buffered without bounds', async (t) => {
  const size = 10 * 1024 * 1024;
  const sent = createHash('sha256');
  const { port } = await pair(t, (socket) => {
    const chunk = randomBytes(65_536);
    let left = size;
    const more = (): void => {
      while (left > 0) {
        left -= chunk.length;
        sent.update(chunk);
        if (!socket.write(chunk)) return void socket.once('drain', more);
      }
      socket.end();
    };
    more();
  });
  const before = process.memoryUsage().rss;
  const client = tcpClient(t, port);
  client.socket.pause();
  const got = createHash('sha256');
  let bytes = 0;
  client.socket.on('data', (chunk) => {
    bytes += chunk.length;
    got.update(chunk);
    client.socket.pause();
    setImmediate(() => client.socket.resume());
  });
  client.socket.resume();
  assert.equal(await client.ended, 'end');
  assert.equal(bytes, size);
  assert.equal(got.digest('hex'), sent.digest('hex'));
  assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024);
});

test('who may not connect gets a reset and no byte, and the log says which line would admit it', async (t) => {
  const app = await tcpApp(t, (socket) => void socket.write('secret'));
  const mesh = await configuredMesh(t, KV);
  const callee = await mesh.callee('kv', localhost(app.port));
  // As a compromised sidecar would: the view of web with the certificate of thief.
  const thief = await mesh.authority.svid('thief');
  const place = { host: '127.0.0.1', port: 0 };
  const mode = new OutboundMode({
    service: 'thief',
    namespace: 'default',
    byHost: place,
    ports: new Map([['kv', place]]),
    names: null,
  });
  const caller = await startProxy(t, { modes: [mode], identity: thief, view: mesh.view('web') });
  const client = tcpClient(t, caller.port('outbound/kv'));
  assert.equal(await client.ended, 'ECONNRESET');
  assert.equal(client.received().length, 0);
  assert.equal(app.sockets.size, 0);
  const [record] = await eventually(() => (connections(callee).length > 0 ? connections(callee) : null));
  assert.equal(record?.['code'], 'denied');
  const decision = callee.ring.find(String(record?.['decision']));
  assert.match(decision?.hint ?? '', /add `kv` to services\.thief\.calls/);
});

test('a connection does not outlive its permission', async (t) => {
  const app = await tcpApp(t, echo);
  const mesh = await configuredMesh(t, KV);
  const callee = await mesh.callee('kv', localhost(app.port));
  const caller = await mesh.caller('web', ['kv']);
  const client = tcpClient(t, caller.port('outbound/kv'));
  client.socket.write('hello');
  await eventually(() => client.received().length === 5);
  mesh.edit(KV.replace('calls: [kv]', 'calls: []'));
  assert.ok((await callee.proxy.apply(mesh.view('kv'))).ok);
  assert.equal(await client.ended, 'ECONNRESET');
  const record = await eventually(() => connections(callee)[0]);
  assert.equal(record['code'], 'denied');
  assert.notEqual(record['decision'], '');
});

test('an app that is down is tried at its other instance, before a byte was sent; with none left the client is reset', async (t) => {
  const app = await tcpApp(t, echo);
  const gone = await tcpApp(t, echo);
  gone.server.close();
  const mesh = await configuredMesh(t, KV.replace('protocol: tcp', 'protocol: tcp, balance: round-robin'));
  await mesh.callee('kv', localhost(gone.port));
  const healthy = await mesh.callee('kv', localhost(app.port));
  const caller = await mesh.caller('web', ['kv']);
  for (let i = 0; i < 4; i += 1) {
    const client = tcpClient(t, caller.port('outbound/kv'));
    client.socket.end('hi');
    assert.equal(await client.ended, 'end');
    assert.equal(client.received().toString(), 'hi');
    await client.closed;
  }
  await eventually(() => connections(caller).length === 4);
  assert.ok(connections(caller).some(({ attempts }) => attempts === 2));
  healthy.proxy.close();
  const client = tcpClient(t, caller.port('outbound/kv'));
  assert.notEqual(await client.ended, 'end');
  assert.equal(client.received().length, 0);
  const last = await eventually(() => connections(caller)[4]);
  assert.equal(last['code'], 'connect-failed');
});

test('a connection over which nothing moves is closed, and one that moves is not', async (t) => {
  const yaml = KV.replace('protocol: tcp', 'protocol: tcp, timeout: { idle: 300ms }');
  const { callee, caller, port } = await pair(t, echo, yaml);
  const busy = tcpClient(t, port);
  const idle = tcpClient(t, port);
  idle.socket.write('once');
  const beat = setInterval(() => busy.socket.write('.'), 50);
  t.after(() => clearInterval(beat));
  assert.equal(await idle.ended, 'ECONNRESET');
  await eventually(() => busy.received().length > 12);
  assert.equal(busy.socket.closed, false);
  // Both sidecars look, and one of them is first.
  await eventually(() =>
    [...connections(caller), ...connections(callee)].some(({ code, flag }) => code === 'stream-idle' && flag === 'SI'),
  );
});

const OPENING = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');
const HOSTILE: readonly (readonly [what: string, bytes: Buffer, expected: RegExp])[] = [
  ['no opening', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /does not begin/],
  ['half an opening', OPENING.subarray(0, 10), /within|before it began/],
  ['a frame that is too long', Buffer.concat([OPENING, Buffer.from('01000000', 'hex')]), /too long/],
  ['bytes after the end', Buffer.concat([OPENING, Buffer.from('0000000061', 'hex')]), /after the end/],
  ['an end with the opening', OPENING, /^$/],
  ['no end', Buffer.concat([OPENING, Buffer.from('0000000161', 'hex')]), /without an end/],
];

for (const [what, bytes, detail] of HOSTILE) {
  test(`a peer that breaks the rules of the mesh leg ends its own connection and nothing else: ${what}`, async (t) => {
    const app = await tcpApp(t, echo);
    const mesh = await configuredMesh(t, KV);
    const callee = await mesh.callee('kv', localhost(app.port));
    const caller = await mesh.caller('web', ['kv']);
    const svid = await mesh.authority.svid('web');
    const raw = tlsConnect({
      host: '127.0.0.1',
      port: callee.port('inbound'),
      ALPNProtocols: ['weft-tcp'],
      key: svid.keyPem,
      cert: svid.chainPem,
      ca: svid.bundlePem,
      checkServerIdentity: () => undefined,
    });
    const peer = tcpClient(t, 0, raw);
    raw.write(bytes);
    await eventually(() => raw.closed || app.sockets.size > 0 || bytes.length <= OPENING.length);
    raw.end();
    await peer.closed;
    const record = await eventually(() => connections(callee)[0]);
    assert.match(String(record['detail']), detail);
    assert.ok(record['code'] !== '' || record['broken'] === true);
    await eventually(() => app.sockets.size === 0);
    const client = tcpClient(t, caller.port('outbound/kv'));
    client.socket.end('fine');
    await client.closed;
    assert.equal(client.received().toString(), 'fine');
  });
}

test('a proxy that only looks whether somebody is there leaves no record', async (t) => {
  const { callee } = await pair(t, echo);
  assert.deepEqual(connections(callee), []);
});
