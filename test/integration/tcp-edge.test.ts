import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as tlsConnect, createServer as createTlsServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { readProxyHeader } from '../../proxy/kit/proxy-protocol.ts';
import { type ConfiguredMesh, configuredMesh, localhost } from '../support/configured-mesh.ts';
import { eventually } from '../support/eventually.ts';
import type { ProxyHarness } from '../support/proxy-harness.ts';
import { echo, tcpApp, tcpClient } from '../support/tcp-peers.ts';

const EDGE = `version: 1
services:
  db: { port: 5432, protocol: tcp }
  kv: { port: 6379, protocol: tcp, proxyProtocol: v1 }
  web: { port: 80 }
edges:
  main:
    listeners:
      - { port: 0, address: 127.0.0.1, tls: passthrough }
      - { port: 0, address: 127.0.0.1, protocol: tcp, to: kv, proxyProtocol: { from: [127.0.0.1] } }
      - { port: 0, address: 127.0.0.1, protocol: tcp, to: kv, tls: internal, hosts: [kv.test] }
      - { port: 0, address: 127.0.0.1, tls: internal, hosts: [web.test], proxyProtocol: { from: [127.0.0.0/8] } }
      - { port: 0, address: 127.0.0.1, proxyProtocol: { from: [192.0.2.0/24] } }
    routes:
      - { match: { sni: ["*.db.test", db.test] }, to: db }
      - { match: { sni: one.db.test }, to: kv }
      - { match: /**, to: web }
`;

function connections(harness: ProxyHarness): readonly Readonly<Record<string, unknown>>[] {
  return harness.lines.filter(({ message }) => message === 'connection').map(({ fields }) => fields);
}

async function edgeOf(mesh: ConfiguredMesh): Promise<ProxyHarness> {
  const certificate = await mesh.authority.svid('edge-main');
  return mesh.edge('main', { certificate });
}

/** A TLS app that answers every line with its name and the one that the client asked for. */
async function tlsApp(t: TestContext, mesh: ConfiguredMesh): Promise<number> {
  const { keyPem, chainPem } = await mesh.authority.svid('db');
  const server = createTlsServer({ key: keyPem, cert: chainPem }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.end(`db for ${String(socket.servername)}`));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test('TLS is passed through by its name, unopened, and a name that nobody has is said no to in TLS', async (t) => {
  const mesh = await configuredMesh(t, EDGE);
  await mesh.callee('db', localhost(await tlsApp(t, mesh)));
  const edge = await edgeOf(mesh);
  const ask = (servername: string) => {
    const socket = tlsConnect({ ...localhost(edge.port('edge/main/0')), servername, rejectUnauthorized: false });
    return tcpClient(t, 0, socket);
  };
  for (const name of ['db.test', 'two.db.test']) {
    const client = ask(name);
    client.socket.write('who?');
    assert.equal(await client.ended, 'end');
    assert.equal(client.received().toString(), `db for ${name}`);
  }
  for (const name of ['other.test', '']) {
    const refused = ask(name);
    assert.match(await refused.ended, /UNRECOGNIZED_NAME/);
  }
  const records = await eventually(() => (connections(edge).length === 4 ? connections(edge) : null));
  assert.deepEqual(records.map(({ serverName, code }) => `${String(serverName)} ${String(code)}`).toSorted(), [
    ' no-route',
    'db.test ',
    'other.test no-route',
    'two.db.test ',
  ]);
});

test('an exact name goes before a suffix that was written first', async (t) => {
  const mesh = await configuredMesh(t, EDGE);
  const first = Promise.withResolvers<string>();
  const kv = await tcpApp(t, (socket) => socket.once('data', (chunk) => first.resolve(String(chunk).slice(0, 5))));
  await mesh.callee('kv', localhost(kv.port));
  const edge = await edgeOf(mesh);
  tcpClient(t, 0, tlsConnect({ ...localhost(edge.port('edge/main/0')), servername: 'one.db.test' }));
  assert.equal(await first.promise, 'PROXY');
});

test('what is no TLS is cut off where TLS is passed through, and the next client is served', async (t) => {
  const mesh = await configuredMesh(t, EDGE);
  await mesh.callee('db', localhost(await tlsApp(t, mesh)));
  const edge = await edgeOf(mesh);
  const stranger = tcpClient(t, edge.port('edge/main/0'));
  stranger.socket.write('GET / HTTP/1.1\r\n\r\n');
  assert.equal(await stranger.ended, 'ECONNRESET');
  const client = tcpClient(
    t,
    0,
    tlsConnect({ ...localhost(edge.port('edge/main/0')), servername: 'db.test', rejectUnauthorized: false }),
  );
  client.socket.write('?');
  assert.equal(await client.ended, 'end');
});

test('the client that a PROXY header names is the one that log and app are told of, through the mesh', async (t) => {
  const mesh = await configuredMesh(t, EDGE);
  const heard: Buffer[] = [];
  const kv = await tcpApp(t, (socket) => {
    socket.on('data', (chunk) => heard.push(chunk));
    socket.on('end', () => socket.end('bye'));
  });
  await mesh.callee('kv', localhost(kv.port));
  const edge = await edgeOf(mesh);
  const client = tcpClient(t, edge.port('edge/main/1'));
  for (const byte of Buffer.from('PROXY TCP4 203.0.113.9 198.51.100.1 4711 6379\r\nSET a'))
    client.socket.write(Buffer.from([byte]));
  client.socket.end();
  assert.equal(await client.ended, 'end');
  const bytes = Buffer.concat(heard);
  const header = readProxyHeader(bytes);
  assert.ok(header.kind === 'header');
  assert.deepEqual(header.pair?.source, { address: '203.0.113.9', port: 4711 });
  assert.equal(bytes.toString('latin1', header.length), 'SET a');
  const record = await eventually(() => connections(edge)[0]);
  assert.equal(record['remote'], '203.0.113.9:4711');
});

test('who is expected to begin with a PROXY header and does not is cut off', async (t) => {
  const mesh = await configuredMesh(t, EDGE);
  const kv = await tcpApp(t, echo);
  await mesh.callee('kv', localhost(kv.port));
  const edge = await edgeOf(mesh);
  const client = tcpClient(t, edge.port('edge/main/1'));
  client.socket.write('SET a 1\r\n');
  assert.equal(await client.ended, 'ECONNRESET');
  assert.equal(kv.sockets.size, 0);
  assert.ok(edge.lines.some(({ message }) => message === 'a connection without a PROXY header'));
});

test('bytes inside of TLS that the edge ends go on in the mesh, whatever the client would have spoken', async (t) => {
  const mesh = await configuredMesh(t, EDGE);
  const kv = await tcpApp(t, (socket) => {
    socket.once('data', () => socket.write('+OK'));
  });
  await mesh.callee('kv', localhost(kv.port));
  const edge = await edgeOf(mesh);
  const secure = tlsConnect({
    ...localhost(edge.port('edge/main/2')),
    servername: 'kv.test',
    ALPNProtocols: ['redis'],
    rejectUnauthorized: false,
  });
  const client = tcpClient(t, 0, secure);
  secure.write('SET a 1');
  await eventually(() => client.received().toString() === '+OK');
});

function webApp(socket: Socket): void {
  let head = '';
  socket.on('data', (chunk) => {
    head += String(chunk);
    if (!head.includes('\r\n\r\n')) return;
    const forwarded = /x-forwarded-for: (\S+)/i.exec(head)?.[1] ?? 'nobody';
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${forwarded.length}\r\nConnection: close\r\n\r\n${forwarded}`);
  });
}

const REQUEST = 'GET / HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n';

test('behind a PROXY header there may be TLS, and X-Forwarded-For names the client of the header', async (t) => {
  const mesh = await configuredMesh(t, EDGE);
  const app = await tcpApp(t, webApp);
  await mesh.callee('web', localhost(app.port));
  const edge = await edgeOf(mesh);
  const header = Buffer.from(
    '0d0a0d0a000d0a515549540a' + '2111000c' + 'cb007109' + 'c6336401' + '1267' + '01bb',
    'hex',
  );
  const raw = connect(localhost(edge.port('edge/main/3')));
  raw.write(header);
  const client = tcpClient(t, 0, tlsConnect({ socket: raw, servername: 'web.test', rejectUnauthorized: false }));
  client.socket.write(REQUEST);
  assert.equal(await client.ended, 'end');
  assert.match(client.received().toString(), /\r\n\r\n203\.0\.113\.9$/);
});

test('who is not in the networks is a client of its own, and its header is no HTTP', async (t) => {
  const mesh = await configuredMesh(t, EDGE);
  const app = await tcpApp(t, webApp);
  await mesh.callee('web', localhost(app.port));
  const edge = await edgeOf(mesh);
  const plain = tcpClient(t, edge.port('edge/main/4'));
  plain.socket.write(REQUEST);
  assert.equal(await plain.ended, 'end');
  assert.match(plain.received().toString(), /\r\n\r\n127\.0\.0\.1$/);
  const liar = tcpClient(t, edge.port('edge/main/4'));
  liar.socket.write(`PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n${REQUEST}`);
  await liar.ended;
  assert.doesNotMatch(liar.received().toString(), /200 OK/);
  assert.equal(app.sockets.size, 0);
});

test('bytes go to endpoints outside the mesh too, with a PROXY header before them where they want one', async (t) => {
  const heard: Buffer[] = [];
  const app = await tcpApp(t, (socket) => {
    socket.on('data', (chunk) => heard.push(chunk));
    socket.on('end', () => socket.end('bye'));
  });
  const mesh = await configuredMesh(
    t,
    `version: 1
services:
  old: { endpoints: [127.0.0.1:${app.port}], protocol: tcp, proxyProtocol: v2 }
  web: { calls: [old] }
`,
  );
  const caller = await mesh.caller('web', ['old']);
  const client = tcpClient(t, caller.port('outbound/old'));
  await eventually(() => client.socket.localPort !== undefined);
  const { localPort } = client.socket;
  client.socket.end('hello');
  assert.equal(await client.ended, 'end');
  const bytes = Buffer.concat(heard);
  const header = readProxyHeader(bytes);
  assert.ok(header.kind === 'header');
  assert.deepEqual(header.pair?.source, { address: '127.0.0.1', port: localPort });
  assert.equal(bytes.toString('latin1', header.length), 'hello');
});

test('one endpoint takes so many connections and no more, and gets room again', async (t) => {
  const app = await tcpApp(t, (socket) => void socket.write('hi'));
  const mesh = await configuredMesh(
    t,
    `version: 1\nservices:\n  old: { endpoints: [127.0.0.1:${app.port}], protocol: tcp }\n  web: { calls: [old] }\n`,
  );
  const caller = await mesh.caller('web', ['old']);
  const port = caller.port('outbound/old');
  const clients = Array.from({ length: 1_024 }, () => tcpClient(t, port));
  await eventually(() => clients.every((client) => client.received().length > 0));
  const refused = tcpClient(t, port);
  assert.equal(await refused.ended, 'ECONNRESET');
  const record = await eventually(() => connections(caller)[0]);
  assert.equal(record['flag'], 'UO');
  clients[0]?.socket.resetAndDestroy();
  await eventually(() => app.sockets.size === 1_023);
  const next = tcpClient(t, port);
  await eventually(() => next.received().length > 0);
});
