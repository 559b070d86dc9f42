import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { before, test, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { ApiServer } from '../../../../control-plane/api/api-server.ts';
import type { ApiFacts } from '../../../../control-plane/api/facts.ts';
import { eventually } from '../../../support/eventually.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { makeTestAuthority, type TestAuthority, type TestIdentity } from '../../../support/test-authority.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };

let authority: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
});

async function start(t: TestContext, identity: TestIdentity) {
  const log = recordingLog();
  // Nobody who is asked here comes as far as to anything else.
  const facts = { authority: { trustDomain: 'shop.test' }, now: () => Date.now(), log } as unknown as ApiFacts;
  const server = new ApiServer(facts);
  t.after(() => server.close());
  return { server, log, port: await server.listenOnTls(ANY_PORT, identity) };
}

async function dial(t: TestContext, port: number, { keyPem, chainPem, bundlePem }: TestIdentity) {
  const options = { key: keyPem, cert: chainPem, ca: bundlePem, checkServerIdentity: () => undefined };
  const socket = connect({ host: '127.0.0.1', port, ...options });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

test('new connections see a renewed certificate, and those that are open go on', async (t) => {
  const [old, fresh] = [await authority.svid('a'), await authority.svid('b')];
  const { server, port } = await start(t, old);
  const open = await dial(t, port, old);
  const serial = open.getPeerX509Certificate()?.serialNumber;
  server.setIdentity(fresh);
  const next = await dial(t, port, old);
  assert.notEqual(next.getPeerX509Certificate()?.serialNumber, serial);
  open.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  assert.match(String((await once(open, 'data'))[0]), /^HTTP\/1\.1 401 /);
});

test('nothing older than TLS 1.3 is spoken, and a refusal that is repeated is one line in the log', async (t) => {
  const identity = await authority.svid('orders');
  const { port, log } = await start(t, identity);
  const old = connect({ host: '127.0.0.1', port, ca: identity.bundlePem, maxVersion: 'TLSv1.2' });
  t.after(() => old.destroy());
  assert.match(String((await once(old, 'error'))[0]), /version/i);
  for (let i = 0; i < 3; i++) {
    const socket = await dial(t, port, identity);
    socket.write('GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket.resume(), 'close');
  }
  const said = log.lines.filter(({ level }) => level === 'warn');
  assert.deepEqual(
    said.map(({ fields }) => fields['reason']),
    ['spiffe://shop.test/ns/default/sa/orders is no operator'],
  );
});

test('connections beyond the bound are closed, and there is room again when others go', async (t) => {
  const { port } = await start(t, await authority.svid('a'));
  const sockets = Array.from({ length: 128 }, () => connectTcp(port, '127.0.0.1'));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const more = connectTcp(port, '127.0.0.1');
  more.on('error', () => {});
  await once(more.resume(), 'close');
  for (const socket of sockets) socket.destroy();
  const identity = await authority.svid('b');
  await eventually(() => dial(t, port, identity));
});

test('a connection without a handshake does not hold up the end', async (t) => {
  const { port, server } = await start(t, await authority.svid('a'));
  const silent = connectTcp(port, '127.0.0.1');
  t.after(() => silent.destroy());
  await once(silent, 'connect');
  const identity = await authority.svid('b');
  // It was accepted before this one.
  await dial(t, port, identity);
  const began = performance.now();
  await server.close();
  assert.ok(performance.now() - began < 2_000);
});
