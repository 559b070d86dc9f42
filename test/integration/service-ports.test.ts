import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { configuredMesh, localhost } from '../support/configured-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { echo, tcpApp, tcpClient } from '../support/tcp-peers.ts';

const YAML = `version: 1
services:
  orders:
    ports: { http: 8080, admin: { port: 9000, protocol: http }, tcp: 7000 }
    allow: [{ from: web, methods: [GET] }, { from: probe }]
  web: { calls: [orders] }
  probe: { calls: [orders] }
`;

async function httpApp(t: TestContext, name: string): Promise<number> {
  const server = createServer((_, answer) => answer.end(name));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function start(t: TestContext) {
  const bytes = await tcpApp(t, echo);
  const [http, admin] = [await httpApp(t, 'orders'), await httpApp(t, 'admin')];
  const mesh = await configuredMesh(t, YAML);
  const callee = await mesh.callee('orders', localhost(http), { admin, tcp: bytes.port });
  return { mesh, callee, bytes };
}

const ask = async (port: number, method = 'GET'): Promise<string> => {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { method });
  return `${answer.status} ${answer.ok ? await answer.text() : ''}`;
};

test('each port of a service has a port of its own at the caller, and all go through one sidecar', async (t) => {
  const { mesh } = await start(t);
  const probe = await mesh.caller('probe', ['orders', 'orders:admin', 'orders:tcp']);
  assert.equal(await ask(probe.port('outbound/orders')), '200 orders');
  assert.equal(await ask(probe.port('outbound/orders:admin')), '200 admin');
  const client = tcpClient(t, probe.port('outbound/orders:tcp'));
  client.socket.end('bytes');
  assert.equal(await client.ended, 'end');
  assert.equal(client.received().toString(), 'bytes');
});

test('a permission for certain methods holds on every port of HTTP and admits no connection of bytes', async (t) => {
  const { mesh, bytes } = await start(t);
  const web = await mesh.caller('web', ['orders', 'orders:admin', 'orders:tcp']);
  assert.equal(await ask(web.port('outbound/orders:admin')), '200 admin');
  assert.equal(await ask(web.port('outbound/orders:admin'), 'POST'), '403 ');
  const client = tcpClient(t, web.port('outbound/orders:tcp'));
  client.socket.write('bytes');
  assert.equal(await client.ended, 'ECONNRESET');
  assert.equal(bytes.sockets.size, 0);
});

test('no port can be reached by the protocol of another: neither HTTP as bytes nor bytes as HTTP', async (t) => {
  const { mesh, callee, bytes } = await start(t);
  const svid = await mesh.authority.svid('probe');
  const dial = (protocol: string, servername: string) =>
    tlsConnect({
      ...localhost(callee.port('inbound')),
      servername,
      ALPNProtocols: [protocol],
      key: svid.keyPem,
      cert: svid.chainPem,
      ca: svid.bundlePem,
      checkServerIdentity: () => undefined,
    });
  for (const name of ['', 'admin.orders', 'nothing.orders', 'tcp.payments']) {
    const peer = tcpClient(t, 0, dial('weft-tcp', name));
    peer.socket.write(Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'));
    await peer.closed;
    assert.equal(peer.received().toString('hex'), '00000004', name);
  }
  const web = tcpClient(t, 0, dial('http/1.1', 'tcp.orders'));
  web.socket.write('GET / HTTP/1.1\r\nHost: orders\r\n\r\n');
  await eventually(() => web.received().toString().startsWith('HTTP/1.1 404 '));
  assert.equal(bytes.sockets.size, 0);
});

test('a plain name is served on every port of its service', async (t) => {
  const { mesh } = await start(t);
  const probe = await mesh.caller('probe', [], { appPort: null, transparent: false });
  const places = probe.proxy.acceptors.filter(({ name }) => name.startsWith('names/'));
  assert.deepEqual(
    places.map(({ bound }) => bound.port),
    [8080, 9000, 7000],
  );
  assert.equal(new Set(places.map(({ bound }) => bound.host)).size, 1);
});

test('CONNECT leads to bytes as well, by name and port', async (t) => {
  const { mesh } = await start(t);
  const probe = await mesh.caller('probe', []);
  const client = tcpClient(t, probe.port('outbound'));
  client.socket.write('CONNECT orders:7000 HTTP/1.1\r\nHost: orders:7000\r\n\r\nearly ');
  await eventually(() => client.received().toString().endsWith('early '));
  client.socket.end('late');
  assert.equal(await client.ended, 'end');
  assert.match(client.received().toString(), /^HTTP\/1\.1 200 .*\r\n\r\nearly late$/s);
});
