import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { MeshError } from '../../../../core/kit/error.ts';
import type { ClientConnection, ClientConnectionEvents, DialDone } from '../../../../proxy/cluster/dial.ts';
import { EndpointPool, POOL_LIMITS, type PoolLimits } from '../../../../proxy/cluster/pool.ts';
import type { RequestHead, Upstream, UpstreamHandler } from '../../../../proxy/exchange.ts';
import { FakeUpstream, testHead } from '../../../support/exchange-fakes.ts';
import { endpointAt, staticCluster } from '../../../support/proxy-harness.ts';

class FakeConnection implements ClientConnection {
  readonly number: number;
  readonly requests: FakeUpstream[] = [];
  readonly #events: ClientConnectionEvents;
  busy = false;
  closed = false;
  announcedIdle = -1;
  endedByPeer = false;

  constructor(number: number, events: ClientConnectionEvents) {
    this.number = number;
    this.#events = events;
  }

  get usable(): boolean {
    return !this.busy && !this.closed;
  }

  start(): void {}

  request(_head: RequestHead, handler: UpstreamHandler): Upstream {
    assert.ok(this.usable);
    this.busy = true;
    const upstream = new FakeUpstream(String(this.number), handler, false);
    this.requests.push(upstream);
    return upstream;
  }

  /** As the codec does: idle first, then the exchange hears of it. */
  finish(): void {
    this.busy = false;
    this.#events.onIdle();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#events.onClose();
  }
}

class Handler implements UpstreamHandler {
  errors: MeshError[] = [];
  drained = 0;
  onInformational(): void {}
  onHead(): void {}
  onData(): void {}
  onEnd(): void {}
  onUpgrade(): void {}
  onDrain(): void {
    this.drained += 1;
  }
  onError(error: MeshError): void {
    this.errors.push(error);
  }
}

function setUp(limits: Partial<PoolLimits> = {}) {
  const dials: { done: DialDone; givenUp: boolean }[] = [];
  const connections: FakeConnection[] = [];
  const time = { now: 0 };
  const pool = new EndpointPool(staticCluster('up'), endpointAt(1), {
    dial: (_cluster, _endpoint, done) => {
      const dial = { done, givenUp: false };
      dials.push(dial);
      return () => {
        dial.givenUp = true;
      };
    },
    createConnection: (_cluster, _socket, events) => {
      const connection = new FakeConnection(connections.length, events);
      connections.push(connection);
      return connection;
    },
    limits: { ...POOL_LIMITS, connections: 4, pending: 0, idle: 2, ...limits },
    now: () => time.now,
  });
  const row = new Uint32Array(2);
  pool.attach(row, 1);
  const request = (fresh = false, method = 'GET'): { handler: Handler; upstream: Upstream } => {
    const handler = new Handler();
    return { handler, upstream: pool.request(testHead({}, { method }), handler, fresh) };
  };
  // No pool looks into a socket.
  const connect = (index: number): void => dials[index]?.done(null, {} as Socket);
  return { pool, dials, connections, time, row, request, connect };
}

/** So many idle connections. */
function withIdle(count: number, limits: Partial<PoolLimits> = {}): ReturnType<typeof setUp> {
  const parts = setUp(limits);
  for (let i = 0; i < count; i++) {
    parts.request();
    parts.connect(i);
  }
  for (const connection of parts.connections) {
    connection.finish();
    parts.time.now += 1;
  }
  return parts;
}

test('the connection that was used last is used first', () => {
  const { request, connections, pool } = withIdle(2);
  assert.equal(pool.idle, 2);
  request();
  assert.deepEqual(
    connections.map(({ requests }) => requests.length),
    [1, 2],
  );
});

test('what is sent before the connection stands arrives in order, and the sender waits above 64 KiB', () => {
  const { request, connect, connections } = setUp();
  const { handler, upstream } = request();
  assert.equal(upstream.sendData(Buffer.from('first ')), true);
  assert.equal(upstream.sendData(Buffer.alloc(70_000, 'x')), false);
  upstream.pause();
  connect(0);
  const [sent] = connections[0]?.requests ?? [];
  assert.equal(sent?.body.slice(0, 7), 'first x');
  assert.deepEqual(sent?.calls, ['pause']);
  assert.equal(handler.drained, 1);
  upstream.sendData(Buffer.from('last'));
  upstream.sendEnd(null);
  assert.ok(sent?.body.endsWith('last'));
  assert.deepEqual(sent?.calls, ['pause', 'end']);
});

test('a request that waits for its connection takes one that is given back first', () => {
  const { request, connections, dials, connect, pool } = withIdle(1);
  request();
  request();
  assert.equal(dials.length, 2);
  connections[0]?.finish();
  assert.equal(connections[0]?.requests.length, 3);
  // Its own connection comes later and waits for the next one.
  connect(1);
  assert.equal(pool.idle, 1);
});

test('a fresh request passes by the idle connections', () => {
  const { request, connections, dials, connect } = withIdle(1);
  request(true);
  assert.equal(dials.length, 2);
  connect(1);
  assert.deepEqual(
    connections.map(({ requests }) => requests.length),
    [1, 1],
  );
});

test('a connection that failed to come fails one request, not those that others are opened for', () => {
  const { request, dials } = setUp();
  const first = request();
  const second = request();
  dials[1]?.done(new MeshError('connect-failed', { unprocessed: true }), null);
  assert.equal(first.handler.errors.length + second.handler.errors.length, 1);
  dials[0]?.done(new MeshError('connect-failed', { unprocessed: true }), null);
  assert.equal(first.handler.errors.length, 1);
  assert.equal(second.handler.errors.length, 1);
});

test('requests in flight stand in the row of the picker', () => {
  const { request, connect, connections, row } = setUp();
  request();
  request();
  assert.deepEqual([...row], [0, 2]);
  connect(0);
  connect(1);
  assert.equal(row[1], 2);
  connections[0]?.finish();
  assert.equal(row[1], 1);
  connections[1]?.close();
  assert.equal(row[1], 0);
});

test('beyond the limit of connections a request is refused as unprocessed', async () => {
  const { request, dials } = setUp({ connections: 2 });
  request();
  request();
  const third = request();
  await Promise.resolve();
  assert.equal(dials.length, 2);
  assert.equal(third.handler.errors[0]?.code, 'overloaded');
  assert.equal(third.handler.errors[0]?.unprocessed, true);
});

test('more idle connections than wanted, and those idle for too long, are closed', () => {
  const { connections, pool, time } = withIdle(3);
  assert.deepEqual(
    connections.map(({ closed }) => closed),
    [false, false, true],
  );
  time.now = 30_000;
  pool.sweep();
  assert.deepEqual(
    connections.map(({ closed }) => closed),
    [true, false, true],
  );
  time.now = 40_000;
  pool.sweep();
  assert.equal(pool.idle, 0);
});

test('a connection that died while idle is not used', () => {
  const { connections, pool, request, dials } = withIdle(2);
  connections[1]?.close();
  assert.equal(pool.idle, 1);
  request();
  assert.equal(connections[0]?.requests.length, 2);
  assert.equal(dials.length, 2);
});

test('a drained pool closes idle connections now and busy ones after their exchange', () => {
  const { connections, pool, request } = withIdle(2);
  request();
  pool.drain();
  assert.deepEqual(
    connections.map(({ closed }) => closed),
    [true, false],
  );
  connections[1]?.finish();
  assert.equal(connections[1]?.closed, true);
});

test('a request that is cancelled while it waits leaves the connection for others', () => {
  const { request, connect, connections, pool, row } = setUp();
  const { upstream, handler } = request();
  upstream.cancel();
  assert.equal(row[1], 0);
  connect(0);
  assert.equal(connections[0]?.requests.length, 0);
  assert.equal(pool.idle, 1);
  assert.deepEqual(handler.errors, []);
});

test('closing gives up dials and fails what waits, unprocessed', () => {
  const { request, pool, dials } = setUp();
  const { handler } = request();
  pool.close();
  assert.equal(dials[0]?.givenUp, true);
  assert.equal(handler.errors[0]?.unprocessed, true);
});

test('at the limit of connections requests wait, up to a limit of their own, for one to come free or to end', async () => {
  const { request, connect, connections, dials, pool } = setUp({ connections: 2, pending: 2 });
  const requests = [1, 2, 3, 4, 5].map(() => request());
  await Promise.resolve();
  assert.deepEqual(
    requests.map(({ handler }) => handler.errors.map(({ code }) => code)),
    [[], [], [], [], ['overloaded']],
  );
  assert.deepEqual(pool.counts, { opened: 0, failed: 0, overflow: 1 });
  connect(0);
  connect(1);
  assert.equal(pool.pending, 2);
  connections[0]?.finish();
  assert.equal(connections[0]?.requests.length, 2);
  // Nobody gives this one back.
  connections[1]?.close();
  assert.equal(dials.length, 3);
  connect(2);
  assert.equal(connections[2]?.requests.length, 1);
  assert.equal(pool.pending, 0);
});

test('a connection is not used again after so many requests, nor when it is too old', () => {
  const worn = withIdle(1, { perConnection: 2 });
  worn.request();
  worn.connections[0]?.finish();
  assert.equal(worn.connections[0]?.closed, true);
  const old = withIdle(1, { lifetime: 1_000 });
  old.request();
  old.time.now = 1_000;
  old.connections[0]?.finish();
  assert.equal(old.connections[0]?.closed, true);
});

test('what an upstream says about its patience is kept to, and it may say something else later', () => {
  const { request, connect, connections, time, pool, dials } = setUp();
  request();
  connect(0);
  (connections[0] as FakeConnection).announcedIdle = 5_000;
  connections[0]?.finish();
  assert.equal(pool.idleLimit, 4_000);
  time.now = 4_001;
  request(false, 'POST');
  assert.equal(dials.length, 2);
  connect(1);
  (connections[1] as FakeConnection).announcedIdle = 20_000;
  connections[1]?.finish();
  assert.equal(pool.idleLimit, 19_000);
});

test('after an upstream was away nothing that was learned of it holds', () => {
  const { pool, connections, request, dials } = withIdle(1);
  (connections[0] as FakeConnection).endedByPeer = true;
  connections[0]?.close();
  assert.ok(pool.idleLimit < 1_000);
  request();
  dials[1]?.done(new MeshError('connect-failed', { unprocessed: true }), null);
  assert.equal(pool.idleLimit, 30_000);
  assert.equal(pool.counts.failed, 1);
});

test('a connection that carried nothing yet teaches nothing about those that did', () => {
  const { pool, connections, request, connect, time } = withIdle(1);
  (connections[0] as FakeConnection).endedByPeer = true;
  time.now = 51;
  connections[0]?.close();
  const limit = pool.idleLimit;
  assert.ok(limit < 30);
  // Opened for somebody who went away meanwhile.
  request().upstream.cancel();
  connect(1);
  for (const now of [1_000, 2_000, 3_000]) {
    time.now = now;
    pool.sweep();
  }
  assert.equal(connections[1]?.closed, false);
  assert.equal(pool.idleLimit, limit);
});

test('of connections too old to be used one is left to see when the upstream closes it', () => {
  const { pool, connections, time } = withIdle(4, { idle: 4 });
  (connections[3] as FakeConnection).endedByPeer = true;
  time.now = 104;
  connections[3]?.close();
  assert.ok(pool.idleLimit < 60);
  time.now = 150;
  pool.sweep();
  assert.deepEqual(
    connections.map(({ closed }) => closed),
    [false, true, true, true],
  );
  time.now = 1_150;
  pool.sweep();
  time.now = 2_150;
  pool.sweep();
  // It outlived that close by far.
  assert.equal(pool.idleLimit, 30_000);
});
