// A sidecar's inbound port is no proxy: whatever a caller with a good certificate names, there is the app and nothing else.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { eventually } from '../support/eventually.ts';
import { startUpstream } from '../support/http-peers.ts';
import { startCallee } from '../support/mesh-pair.ts';
import { makeTestAuthority, type TestIdentity } from '../support/test-authority.ts';

interface Client {
  readonly socket: TLSSocket;
  text(): string;
}

function connectAs(
  t: TestContext,
  { keyPem: key, chainPem: cert, bundlePem: ca }: TestIdentity,
  port: number,
): Promise<Client> {
  return new Promise((done, fail) => {
    const options = { host: '127.0.0.1', port, key, cert, ca, checkServerIdentity: () => undefined };
    const socket = connect({ ...options, ALPNProtocols: ['http/1.1'] }, () => done({ socket, text: () => text }));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.once('error', fail);
    t.after(() => socket.destroy());
  });
}

test('a caller’s absolute-form and CONNECT reach the app or nothing, never another place', async (t) => {
  const authority = await makeTestAuthority();
  const seen: string[] = [];
  const app = await startUpstream(t, (incoming, response) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    response.end('app');
  });
  const elsewhere = await startUpstream(t, (_incoming, response) => response.end('elsewhere'));
  const payments = await startCallee(t, authority, app.port);
  const orders = await authority.svid('orders');
  const places = [
    `127.0.0.1:${elsewhere.port}`,
    `localhost:${elsewhere.port}`,
    '169.254.169.254',
    `[::1]:${elsewhere.port}`,
    '2130706433',
  ];
  for (const place of places) {
    const asked = await connectAs(t, orders, payments.port('inbound'));
    asked.socket.write(`GET http://${place}/charge HTTP/1.1\r\nHost: payments\r\n\r\n`);
    await eventually(() => asked.text().endsWith('app'));
    assert.equal(seen.pop(), 'GET /charge', place);
    const tunnel = await connectAs(t, orders, payments.port('inbound'));
    const target = /:\d+$/.test(place) ? place : `${place}:80`;
    tunnel.socket.write(
      `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\nGET /charge HTTP/1.1\r\nHost: payments\r\n\r\n`,
    );
    await eventually(() => tunnel.text() !== '');
    assert.match(tunnel.text(), /^HTTP\/1\.1 501 /, place);
  }
  assert.deepEqual([seen, elsewhere.connections()], [[], 0]);
});
