import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { status, type StatusObject } from '@grpc/grpc-js';
import { loadServices } from '../../proto/codec/services.ts';
import { connectDiscovery } from '../../proxy/agent/channel.ts';
import { startAgent, startDiscovery } from '../support/discovery-harness.ts';
import { eventually } from '../support/eventually.ts';
import { handshake, HELLO, openRecordingClient, startRecordingServer } from '../support/recording-peers.ts';
import { sampleView } from '../support/sample-view.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

let authority: TestAuthority;
let stranger: TestAuthority;
before(async () => {
  authority = await makeTestAuthority();
  stranger = await makeTestAuthority();
});

test('a certificate of the same authority that the ledger does not know may not stream', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const client = openRecordingClient(discovery.port, await authority.svid('orders', { granted: false }));
  t.after(() => client.close());
  client.send(HELLO);
  const end = await client.ended;
  assert.equal(end.code, status.UNAUTHENTICATED);
  assert.match(end.details, /was not issued by this control plane: join again/);
  assert.equal(client.received.length, 0);
});

test('a service that is not in the configuration is told so', async (t) => {
  const discovery = await startDiscovery(authority, t);
  const client = openRecordingClient(discovery.port, await authority.svid('orders'));
  t.after(() => client.close());
  client.send(HELLO);
  const end = await client.ended;
  assert.equal(end.code, status.FAILED_PRECONDITION);
  assert.equal(end.details, 'orders is not in the configuration');
});

test('a service that leaves the configuration keeps its last view and comes back with it', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const { agent, log } = startAgent(discovery.port, await authority.svid('orders'), t);
  await eventually(() => agent.state.snapshot === 's1');
  discovery.setView('orders', null);
  await eventually(() => log.lines.some(({ message }) => /orders is not in the configuration/.test(message)));
  assert.equal(agent.state.snapshot, 's1');
  discovery.setView('orders', sampleView('s2', {}));
  await eventually(() => agent.state.snapshot === 's2');
});

test('messages that make no sense end the stream with a reason', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const first = async (message: Parameters<ReturnType<typeof openRecordingClient>['send']>[0]) => {
    const client = openRecordingClient(discovery.port, await authority.svid('orders'));
    t.after(() => client.close());
    client.send(message);
    const { code, details } = await client.ended;
    assert.equal(code, status.INVALID_ARGUMENT, details);
    return details;
  };
  const { node = null } = HELLO;
  assert.match(await first({}), /must say which node/);
  assert.match(await first({ node: { inboundPort: 70_000 } }), /inbound_port is out of range/);
  assert.match(await first({ node: { version: 'v'.repeat(300) } }), /version must be major\.minor\.patch/);
  assert.match(await first({ node: { version: '7.0.0' } }), /proxy of 7\.0\.0: both must be of one major version/);
  assert.match(await first({ node, subscriptions: [{ subscribe: ['*'] }] }), /UNSPECIFIED is not known/);
  assert.deepEqual(discovery.registry.instances(), []);
});

test('bytes that are no message end the stream of who sent them and no other', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  discovery.setView('users', sampleView('s1', {}));
  const { agent } = startAgent(discovery.port, await authority.svid('users'), t);
  await eventually(() => agent.state.snapshot === 's1');
  for (const bytes of [Buffer.alloc(64, 0xff), Buffer.from([0x0a, 0x7f]), Buffer.from([0x12, 0x02, 0x08])]) {
    const client = openRecordingClient(discovery.port, await authority.svid('orders'), () => bytes);
    t.after(() => client.close());
    client.send({});
    assert.notEqual((await client.ended).code, status.OK);
  }
  discovery.setView('users', sampleView('s2', {}));
  await eventually(() => agent.state.snapshot === 's2');
});

test('who floods the stream is answered no more than anybody else', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const client = openRecordingClient(discovery.port, await authority.svid('orders'));
  t.after(() => client.close());
  client.send(HELLO);
  const first = await client.response(0);
  for (let n = 0; n < 5_000; n++)
    client.send({ responseNonce: `made-up-${n}`, subscriptions: [...(HELLO.subscriptions ?? [])] });
  client.send({ responseNonce: first.nonce });
  await eventually(() => discovery.registry.instances().length === 1);
  assert.equal(client.received.length, 1);
  assert.equal(discovery.log.lines.filter(({ level }) => level === 'warn').length, 1);
});

test('a contract of another version is told that it is not spoken here', async (t) => {
  const discovery = await startDiscovery(authority, t);
  const method = { ...loadServices().discovery.Stream, path: '/weft.v2.Discovery/Stream' };
  const keepalive = { time: 60_000, timeout: 60_000 };
  const address = { host: '127.0.0.1', port: discovery.port };
  const connection = connectDiscovery(address, await authority.svid('orders'), method, keepalive);
  t.after(() => connection.close());
  connection.stream.on('error', () => {});
  const ended = new Promise<StatusObject>((done) => connection.stream.once('status', done));
  connection.stream.write(HELLO);
  const end = await ended;
  assert.equal(end.code, status.UNIMPLEMENTED);
  assert.match(end.details, /weft\.v2\.Discovery\/Stream/);
});

test('a message that is too large ends the stream', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const client = openRecordingClient(discovery.port, await authority.svid('orders'));
  t.after(() => client.close());
  client.send({ node: { version: 'v'.repeat(5 * 1024 * 1024) } });
  assert.equal((await client.ended).code, status.RESOURCE_EXHAUSTED);
});

test('only TLS 1.3 with a certificate of this authority gets in', async (t) => {
  const discovery = await startDiscovery(authority, t);
  const caPem = authority.server.bundlePem;
  const identity = await authority.svid('orders');
  assert.equal(await handshake(discovery.port, { identity, caPem }), 'TLSv1.3');
  await assert.rejects(handshake(discovery.port, { caPem }), /certificate required|closed|ECONNRESET/i);
  await assert.rejects(handshake(discovery.port, { identity: await stranger.svid('orders'), caPem }));
  await assert.rejects(handshake(discovery.port, { identity, caPem, maxVersion: 'TLSv1.2' }), /protocol version/i);
});

test('the proxy that the environment names stands between nobody and the control plane', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const names = ['http_proxy', 'https_proxy', 'grpc_proxy'] as const;
  for (const name of names) process.env[name] = 'http://127.0.0.1:1';
  t.after(() => {
    for (const name of names) delete process.env[name];
  });
  const { agent } = startAgent(discovery.port, await authority.svid('orders'), t);
  await eventually(() => agent.state.snapshot === 's1');
});

test('bytes that are no TLS disturb nobody', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const { agent } = startAgent(discovery.port, await authority.svid('orders'), t);
  await eventually(() => agent.state.snapshot === 's1');
  const socket = connect(discovery.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(1000));
  await eventually(() => socket.destroyed || socket.readyState === 'closed');
  discovery.setView('orders', sampleView('s2', {}));
  await eventually(() => agent.state.snapshot === 's2');
});

test('a proxy takes no view from somebody who is not the control plane', async (t) => {
  const pretender = await startRecordingServer(authority, await authority.svid('orders'));
  t.after(() => pretender.close());
  const { agent, log } = startAgent(pretender.port, await authority.svid('users'), t);
  const line = await eventually(() => log.lines.find(({ level }) => level === 'warn'));
  assert.match(line.message, /it is spiffe:\/\/shop\.test\/ns\/default\/sa\/orders, not .*weft-control-plane/);
  assert.equal(agent.state.connected, false);
  assert.equal(pretender.received.length, 0);
});

test('a proxy takes no view from a control plane of another authority', async (t) => {
  const foreign = await startDiscovery(stranger, t);
  foreign.setView('orders', sampleView('s1', {}));
  const { agent, log } = startAgent(foreign.port, await authority.svid('orders'), t);
  await eventually(() => log.lines.find(({ level }) => level === 'warn'));
  assert.equal(agent.state.snapshot, null);
});

test('a second stream of an instance takes the place of the first', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const identity = await authority.svid('orders');
  const first = openRecordingClient(discovery.port, identity);
  t.after(() => first.close());
  first.send(HELLO);
  await first.response(0);
  const second = openRecordingClient(discovery.port, identity);
  t.after(() => second.close());
  second.send(HELLO);
  const { nonce } = await second.response(0);
  assert.equal((await first.ended).code, status.ABORTED);
  second.send({ responseNonce: nonce });
  await eventually(() => discovery.registry.instances().length === 1);
  assert.equal(discovery.server.states().length, 1);
});

test('an instance is called only once it runs a view', async (t) => {
  const discovery = await startDiscovery(authority, t);
  discovery.setView('orders', sampleView('s1', {}));
  const client = openRecordingClient(discovery.port, await authority.svid('orders'));
  t.after(() => client.close());
  client.send(HELLO);
  const { nonce } = await client.response(0);
  assert.deepEqual(discovery.registry.instances(), []);
  client.send({ responseNonce: nonce, errorDetail: { code: 'warm-failed', message: 'no' } });
  await eventually(() => discovery.log.lines.some(({ message }) => message.startsWith('view refused')));
  assert.deepEqual(discovery.registry.instances(), []);
});
