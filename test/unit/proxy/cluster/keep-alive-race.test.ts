// A pool before an upstream that closes idle connections, with time that only the test moves: a request that reaches
// the upstream after its close is lost, as on a real wire.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { seededRandom } from '../../../../core/kit/random.ts';
import { MeshError } from '../../../../core/kit/error.ts';
import type { ClientConnection, ClientConnectionEvents } from '../../../../proxy/cluster/dial.ts';
import { EndpointPool, POOL_LIMITS } from '../../../../proxy/cluster/pool.ts';
import type { RequestHead, Upstream, UpstreamHandler } from '../../../../proxy/exchange.ts';
import { type FakeTimers, fakeTimers } from '../../../support/fake-timers.ts';
import { FakeUpstream, testHead } from '../../../support/exchange-fakes.ts';
import { endpointAt, staticCluster } from '../../../support/proxy-harness.ts';

interface App {
  /** Idle connections are closed after so many milliseconds. */
  readonly keepAlive: number;
  readonly announced: number;
  /** One way, in milliseconds. */
  readonly wire: number;
}

/** What both ends do with one connection, and what is under way between them. */
class Wire implements ClientConnection {
  readonly announcedIdle: number;
  endedByPeer = false;
  readonly #app: App;
  readonly #time: FakeTimers;
  readonly #events: ClientConnectionEvents;
  #busy = false;
  #gone = false;
  /** At the upstream's end. */
  #closedThere = false;
  #cancelClose = (): void => {};

  constructor(app: App, time: FakeTimers, events: ClientConnectionEvents) {
    this.#app = app;
    this.#time = time;
    this.#events = events;
    this.announcedIdle = app.announced;
  }

  get usable(): boolean {
    return !this.#busy && !this.#gone;
  }

  start(): void {
    this.#idleThere();
  }

  request(_head: RequestHead, handler: UpstreamHandler): Upstream {
    const { wire } = this.#app;
    this.#busy = true;
    this.#time.after(wire, () => {
      if (this.#closedThere) {
        this.#time.after(wire, () => this.#lost(handler));
        return;
      }
      this.#cancelClose();
      this.#time.after(wire, () => {
        this.#busy = false;
        this.#events.onIdle();
        handler.onEnd(null);
      });
      this.#idleThere();
    });
    return new FakeUpstream('wire', handler, false);
  }

  close(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#cancelClose();
    this.#events.onClose();
  }

  #idleThere(): void {
    this.#cancelClose = this.#time.after(this.#app.keepAlive, () => {
      this.#closedThere = true;
      this.#time.after(this.#app.wire, () => this.#ended());
    });
  }

  #ended(): void {
    if (this.#gone || this.#busy) return;
    this.endedByPeer = true;
    this.close();
  }

  #lost(handler: UpstreamHandler): void {
    this.endedByPeer = true;
    this.close();
    handler.onError(new MeshError('upstream-closed'));
  }
}

interface Outcome {
  answered: number;
  lost: number;
  dials: number;
}

/** Requests one after the other, each a gap after the last answer, over all the clients together. */
function run(app: App, method: string, requests: number, clients: number, gap: () => number): Outcome {
  const time = fakeTimers();
  const outcome: Outcome = { answered: 0, lost: 0, dials: 0 };
  const pool = new EndpointPool(staticCluster('up'), endpointAt(1), {
    dial: (_cluster, _endpoint, done) => {
      outcome.dials += 1;
      // No pool looks into a socket.
      return time.after(2 * app.wire, () => done(null, {} as Socket));
    },
    createConnection: (_cluster, _socket, events) => new Wire(app, time, events),
    limits: POOL_LIMITS,
    now: () => time.now(),
  });
  const sweep = (): void => {
    pool.sweep();
    time.after(1_000, sweep);
  };
  sweep();
  let left = requests;
  const send = (again: boolean): void => {
    const next = (): void => void time.after(gap(), () => send(false));
    if (!again && left-- <= 0) return;
    pool.request(
      testHead({}, { method }),
      answer(next, () => (method === 'GET' && !again ? send(true) : lose(next))),
      again,
    );
  };
  const answer = (onEnd: () => void, onError: () => void): UpstreamHandler => ({
    onInformational: () => {},
    onHead: () => {},
    onData: () => {},
    onUpgrade: () => {},
    onDrain: () => {},
    onEnd: () => {
      outcome.answered += 1;
      onEnd();
    },
    onError,
  });
  const lose = (next: () => void): void => {
    outcome.lost += 1;
    next();
  };
  for (let client = 0; client < clients; client++) time.after(gap(), () => send(false));
  while (outcome.answered + outcome.lost < requests) time.advance(1_000);
  return outcome;
}

const apps: readonly (readonly [string, App])[] = [
  ['closes after 1 s without saying so', { keepAlive: 1_000, announced: -1, wire: 0.05 }],
  ['closes after 1 s and is 20 ms away', { keepAlive: 1_000, announced: -1, wire: 20 }],
  ['closes after 50 ms without saying so', { keepAlive: 50, announced: -1, wire: 0.05 }],
  ['closes after 50 ms and is 5 ms away', { keepAlive: 50, announced: -1, wire: 5 }],
  ['closes after 5 s and says so', { keepAlive: 5_000, announced: 5_000, wire: 1 }],
  ['closes after 2 s and says 60', { keepAlive: 2_000, announced: 60_000, wire: 1 }],
];

for (const [what, app] of apps) {
  for (const clients of [1, 7]) {
    const random = seededRandom(11);
    const gaps: readonly (readonly [string, () => number])[] = [
      ['exactly its time', () => app.keepAlive - 2 * app.wire],
      ['about its time', () => app.keepAlive * (0.9 + 0.2 * random()) - 2 * app.wire],
      ['anything up to twice its time', () => app.keepAlive * 2 * random()],
    ];
    for (const [gapName, gap] of gaps) {
      test(`an app that ${what}: ${clients} in turn, gaps of ${gapName}`, () => {
        assert.deepEqual(run(app, 'GET', 2_000, clients, gap).lost, 0);
        const posts = run(app, 'POST', 2_000, clients, gap);
        // One that says what is not true is found out by its first close.
        assert.ok(posts.lost <= (app.announced > app.keepAlive ? clients : 0), `${posts.lost} lost`);
      });
    }
  }
}

test('an app that keeps its connections is given its requests on the same few', () => {
  const app = { keepAlive: 120_000, announced: -1, wire: 0.05 };
  const random = seededRandom(5);
  const outcome = run(app, 'POST', 5_000, 4, () => random() * 200);
  assert.equal(outcome.lost, 0);
  assert.ok(outcome.dials < 200, `${outcome.dials} connections for 5,000 requests`);
});
