import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { Acceptor, createPlainServer, plainAddress, type ServedConnection } from '../../../../proxy/accept/acceptor.ts';
import { isLoopback, requireLoopback } from '../../../../proxy/accept/loopback.ts';
import type { ConnectionInfo } from '../../../../proxy/exchange.ts';
import { eventually } from '../../../support/eventually.ts';

class Connection implements ServedConnection {
  readonly socket: Socket;
  readonly info: ConnectionInfo;
  drained = false;

  constructor(socket: Socket, info: ConnectionInfo) {
    this.socket = socket;
    this.info = info;
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
  }

  start(): void {
    this.socket.resume();
  }

  drain(): void {
    this.drained = true;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

function acceptorFor(t: TestContext, maxConnections = 100, port = 0): { acceptor: Acceptor; served: Connection[] } {
  const served: Connection[] = [];
  const acceptor = new Acceptor({
    name: 'edge/main/0',
    address: { host: '127.0.0.1', port },
    scheme: 'http',
    createServer: createPlainServer,
    serve: (socket, info) => {
      const connection = new Connection(socket, info);
      served.push(connection);
      return connection;
    },
    maxConnections,
  });
  t.after(() => acceptor.close());
  return { acceptor, served };
}

function dial(t: TestContext, port: number): Promise<{ socket: Socket; closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  t.after(() => socket.destroy());
  const closed = new Promise<void>((done) => socket.on('close', () => done()));
  return new Promise((done) => socket.on('connect', () => done({ socket, closed })));
}

test('a connection is served with what is known about it', async (t) => {
  const { acceptor, served } = acceptorFor(t);
  await acceptor.start();
  const { socket } = await dial(t, acceptor.bound.port);
  await eventually(() => served.length === 1);
  assert.deepEqual(served[0]?.info, {
    listener: 'edge/main/0',
    peer: null,
    remoteAddress: '127.0.0.1',
    remotePort: socket.localPort,
    scheme: 'http',
    serverName: '',
  });
  acceptor.rename('edge/main/1');
  await dial(t, acceptor.bound.port);
  await eventually(() => served[1]?.info.listener === 'edge/main/1');
});

test('connections above the bound are closed at once and counted; a place that is given back is taken again', async (t) => {
  const { acceptor, served } = acceptorFor(t, 2);
  await acceptor.start();
  const { port } = acceptor.bound;
  const first = await dial(t, port);
  await dial(t, port);
  const third = await dial(t, port);
  await third.closed;
  assert.equal(acceptor.counts.refused, 1);
  first.socket.destroy();
  await eventually(() => acceptor.counts.open === 1);
  await dial(t, port);
  await eventually(() => served.length === 3);
});

test('a port in use names the address and what to do', async (t) => {
  const { acceptor } = acceptorFor(t);
  await acceptor.start();
  const { port } = acceptor.bound;
  const second = acceptorFor(t, 100, port);
  await assert.rejects(second.acceptor.start(), (error: Error & { code: string; detail: string; hint: string }) => {
    assert.equal(error.code, 'address-in-use');
    assert.equal(error.detail, `127.0.0.1:${port}`);
    assert.match(error.hint, /another port/);
    return true;
  });
});

test('a drain asks every connection to end and cuts those that do not', async (t) => {
  const { acceptor, served } = acceptorFor(t);
  await acceptor.start();
  const { closed } = await dial(t, acceptor.bound.port);
  await eventually(() => served.length === 1);
  const drained = acceptor.drain(50);
  assert.equal(served[0]?.drained, true);
  await closed;
  await drained;
});

test('a port can be given away and taken back while connections stay', async (t) => {
  const { acceptor, served } = acceptorFor(t);
  await acceptor.start();
  const { port } = acceptor.bound;
  const { socket } = await dial(t, port);
  await eventually(() => served.length === 1);
  await acceptor.suspend();
  const other = acceptorFor(t, 100, port);
  await other.acceptor.start();
  await other.acceptor.close();
  assert.equal(socket.destroyed, false);
});

test('loopback is 127.0.0.0/8, ::1 and localhost, and nothing that looks like it', () => {
  for (const host of ['127.0.0.1', '127.15.1.2', '::1', 'localhost']) assert.equal(isLoopback(host), true, host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.nip.io', '128.0.0.1', 'localhost.test', '']) {
    assert.equal(isLoopback(host), false, host);
  }
  assert.throws(() => requireLoopback('payments', { host: '0.0.0.0', port: 1 }), { code: 'config-invalid' });
});

test('an IPv4 address shows as one on a dual-stack socket', () => {
  assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(plainAddress('2001:db8::1'), '2001:db8::1');
  assert.equal(plainAddress('::ffff:1'), '::ffff:1');
});
