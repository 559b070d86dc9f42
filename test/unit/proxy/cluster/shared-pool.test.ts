import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { MeshError } from '../../../../core/kit/error.ts';
import type { Cluster } from '../../../../core/model/view.ts';
import type {
  ClientConnection,
  ClientConnectionEvents,
  DialDone,
  SharedConnection,
} from '../../../../proxy/cluster/dial.ts';
import { EndpointPool, POOL_LIMITS } from '../../../../proxy/cluster/pool.ts';
import type { RequestHead, Upstream, UpstreamHandler } from '../../../../proxy/exchange.ts';
import { FakeUpstream, testHead } from '../../../support/exchange-fakes.ts';
import { endpointAt, staticCluster } from '../../../support/proxy-harness.ts';

class FakeShared implements SharedConnection {
  readonly multiplexed = true;
  readonly events: ClientConnectionEvents;
  readonly requests = new Set<FakeUpstream>();
  readonly room: number;
  draining = false;
  closed = false;
  #told = false;

  constructor(events: ClientConnectionEvents, room: number) {
    this.events = events;
    this.room = room;
  }

  get active(): number {
    return this.requests.size;
  }

  get capacity(): number {
    return this.draining || this.closed ? 0 : this.room - this.active;
  }

  get usable(): boolean {
    return this.capacity > 0;
  }

  start(): void {}

  request(_head: RequestHead, handler: UpstreamHandler): Upstream {
    assert.ok(this.usable);
    const upstream = new FakeUpstream('shared', handler, false);
    this.requests.add(upstream);
    return upstream;
  }

  /** As the codec does: room first, then the exchange hears of it. */
  finish(upstream: FakeUpstream): void {
    this.requests.delete(upstream);
    this.events.onIdle();
    upstream.handler.onEnd(null);
  }

  drain(): void {
    this.draining = true;
    this.#tell();
  }

  close(): void {
    this.closed = true;
    this.#tell();
    for (const upstream of [...this.requests]) {
      this.requests.delete(upstream);
      this.events.onIdle();
      upstream.fail(new MeshError('upstream-closed'));
    }
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.events.onClose();
  }
}

/** One request at a time, as a sidecar of an older version has it. */
class FakeOld implements ClientConnection {
  readonly #events: ClientConnectionEvents;
  requests = 0;
  usable = true;

  constructor(events: ClientConnectionEvents) {
    this.#events = events;
  }

  start(): void {}

  request(_head: RequestHead, handler: UpstreamHandler): Upstream {
    this.usable = false;
    this.requests += 1;
    return new FakeUpstream('old', handler, false);
  }

  close(): void {
    this.usable = false;
    this.#events.onClose();
  }
}

class Handler implements UpstreamHandler {
  readonly errors: MeshError[] = [];
  ended = 0;
  onInformational(): void {}
  onHead(): void {}
  onData(): void {}
  onEnd(): void {
    this.ended += 1;
  }
  onUpgrade(): void {}
  onDrain(): void {}
  onError(error: MeshError): void {
    this.errors.push(error);
  }
}

const CLUSTER: Cluster = { ...staticCluster('up'), kind: 'mesh' };

class Harness {
  readonly dials: { readonly done: DialDone; readonly http1Only: boolean }[] = [];
  readonly shared: FakeShared[] = [];
  readonly old: FakeOld[] = [];
  readonly pool: EndpointPool;
  room = 1_000;
  speaks: 'h2' | 'http/1.1' = 'h2';
  now = 0;

  constructor() {
    this.pool = new EndpointPool(CLUSTER, endpointAt(1), {
      dial: (_cluster, _endpoint, done, http1Only) => {
        this.dials.push({ done, http1Only });
        return () => {};
      },
      createConnection: (_cluster, _socket, events) => {
        if (this.speaks === 'h2') {
          const connection = new FakeShared(events, this.room);
          this.shared.push(connection);
          return connection;
        }
        const connection = new FakeOld(events);
        this.old.push(connection);
        return connection;
      },
      limits: { ...POOL_LIMITS, requests: 600 },
      now: () => this.now,
    });
  }

  send(fresh = false, upgrade = ''): Handler {
    const handler = new Handler();
    this.pool.request({ ...testHead(), upgrade }, handler, fresh);
    return handler;
  }

  /** The oldest dial that is under way succeeds. */
  connect(): void {
    this.now += 1;
    this.dials.shift()?.done(null, {} as Socket);
  }
}

test('requests wait for one connection, share it, and are counted while they are under way', () => {
  const harness = new Harness();
  const handlers = [harness.send(), harness.send(), harness.send()];
  assert.equal(harness.dials.length, 1);
  assert.equal(harness.pool.active, 3);
  harness.connect();
  const [connection] = harness.shared;
  assert.equal(connection?.active, 3);
  for (const upstream of connection?.requests ?? []) connection?.finish(upstream);
  assert.deepEqual([harness.pool.active, harness.pool.idle], [0, 1]);
  assert.ok(handlers.every(({ ended }) => ended === 1));
  harness.send();
  assert.equal(harness.dials.length, 0);
});

test('a busy connection gets company, at most three more, and the least busy one is taken', () => {
  const harness = new Harness();
  for (let i = 0; i < 600; i++) {
    harness.send();
    if (harness.dials.length > 0) harness.connect();
  }
  assert.equal(harness.shared.length, 4);
  const loads = harness.shared.map(({ active }) => active);
  assert.ok(Math.max(...loads) - Math.min(...loads) <= 1, loads.join());
});

test('requests above the room of a connection wait for it, those above the limit fail at once', async () => {
  const harness = new Harness();
  harness.room = 2;
  const handlers = Array.from({ length: 10 }, () => harness.send());
  for (let i = 0; i < 6; i++) harness.connect();
  assert.equal(harness.shared.length, 4);
  assert.equal(harness.pool.active, 10);
  for (let round = 0; round < 3; round++) {
    for (const connection of harness.shared) for (const one of [...connection.requests]) connection.finish(one);
  }
  assert.ok(handlers.every(({ ended }) => ended === 1));
  for (let i = 0; i < 700; i++) handlers.push(harness.send());
  await Promise.resolve();
  assert.equal(handlers.filter(({ errors }) => errors[0]?.code === 'overloaded').length, 100);
});

test('a second try does not go on a connection that is older than the loss of another', () => {
  const harness = new Harness();
  for (let i = 0; i < 100; i++) {
    harness.send();
    if (harness.dials.length > 0) harness.connect();
  }
  harness.connect();
  const [first, second] = harness.shared;
  assert.equal(harness.shared.length, 2);
  first?.close();
  const before = second?.active;
  harness.send(true);
  assert.equal(second?.active, before);
  harness.connect();
  assert.equal(harness.shared.at(-1)?.active, 1);
  assert.equal(harness.pool.active, (before ?? 0) + 1);
});

test('when connecting fails, those who wait for it fail', () => {
  const harness = new Harness();
  const handlers = [harness.send(), harness.send()];
  harness.dials.shift()?.done(new MeshError('connect-failed', { unprocessed: true }), null);
  assert.ok(handlers.every(({ errors }) => errors[0]?.unprocessed === true));
  assert.equal(harness.pool.active, 0);
});

test('a sidecar of an older version gets a connection for every request', () => {
  const harness = new Harness();
  harness.speaks = 'http/1.1';
  for (let i = 0; i < 3; i++) harness.send();
  assert.deepEqual(
    harness.dials.map(({ http1Only }) => http1Only),
    [false],
  );
  harness.connect();
  assert.deepEqual(
    harness.dials.map(({ http1Only }) => http1Only),
    [true, true],
  );
  harness.connect();
  harness.connect();
  assert.deepEqual(
    harness.old.map(({ requests }) => requests),
    [1, 1, 1],
  );
  for (const connection of harness.old) connection.close();
  harness.speaks = 'h2';
  harness.send();
  assert.deepEqual(
    harness.dials.map(({ http1Only }) => http1Only),
    [false],
  );
  harness.connect();
  assert.equal(harness.shared[0]?.active, 1);
});

test('a request with an upgrade goes on a connection of its own', () => {
  const harness = new Harness();
  harness.send();
  harness.connect();
  harness.send(false, 'websocket');
  assert.deepEqual(
    harness.dials.map(({ http1Only }) => http1Only),
    [true],
  );
  harness.speaks = 'http/1.1';
  harness.connect();
  assert.deepEqual([harness.shared[0]?.active, harness.old[0]?.requests], [1, 1]);
});

test('idle connections are closed, old ones replaced, and a drained pool lets requests end', () => {
  const harness = new Harness();
  harness.send();
  harness.connect();
  const [first] = harness.shared;
  harness.now += 3_600_001;
  harness.pool.sweep();
  assert.deepEqual([first?.draining, first?.active], [true, 1]);
  harness.send();
  harness.connect();
  const second = harness.shared[1];
  for (const upstream of second?.requests ?? []) second?.finish(upstream);
  harness.now += 30_001;
  harness.pool.sweep();
  assert.ok(second?.closed);
  for (const upstream of first?.requests ?? []) first?.finish(upstream);
  assert.equal(harness.pool.active, 0);
  harness.send();
  harness.pool.drain();
  harness.connect();
  const third = harness.shared[2];
  assert.deepEqual([third?.active, third?.draining], [1, true]);
});

test('closing fails what waits and what is under way', () => {
  const harness = new Harness();
  const sent = harness.send();
  harness.connect();
  harness.room = 0;
  const [connection] = harness.shared;
  if (connection !== undefined) connection.draining = true;
  const waiting = harness.send();
  harness.pool.close();
  assert.equal(waiting.errors[0]?.code, 'draining');
  assert.ok(harness.pool.active <= 1);
  connection?.close();
  assert.equal(sent.errors[0]?.code, 'upstream-closed');
});
