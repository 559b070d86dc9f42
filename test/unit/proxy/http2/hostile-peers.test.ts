// Peers that send anything at all: what is promised about every exchange holds nonetheless.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../../core/kit/random.ts';
import { Http2ClientConnection } from '../../../../proxy/http2/client-connection.ts';
import { PREFACE } from '../../../../proxy/http2/frames.ts';
import { HTTP2_LIMITS } from '../../../../proxy/http2/limits.ts';
import { TimerWheel } from '../../../../proxy/kit/timer-wheel.ts';
import { testHead } from '../../../support/exchange-fakes.ts';
import { FakeSocket } from '../http1/fake-socket.ts';
import { FrameDice } from './arbitrary-frames.ts';
import { SETTINGS_ACK, settings } from './frame-bytes.ts';
import { Http2ServerHarness, turn } from './server-harness.ts';

const CONVERSATIONS = 3_000;

/** One exchange of a server does something, or nothing. */
function act(server: Http2ServerHarness, dice: FrameDice): void {
  for (const { downstream, head } of server.requests) {
    if (dice.roll(2) === 0) downstream.pause();
    else downstream.resume();
    if (dice.roll(3) === 0) {
      const bodyLength = dice.pick(-1, 0, 5);
      downstream.sendHead({ status: 200, reason: '', headers: head.headers, bodyLength, declaredLength: -1 });
      downstream.sendData(Buffer.from('hello'));
      if (dice.roll(2) === 0) downstream.sendEnd(null);
    }
    if (dice.roll(9) === 0) downstream.reset();
  }
}

test('whatever a client sends, a server is left without streams and closes once', async () => {
  const dice = new FrameDice(seededRandom(1));
  for (let i = 0; i < CONVERSATIONS; i++) {
    const server = new Http2ServerHarness({}, dice.roll(2) === 0);
    dice.inPieces(dice.conversation(PREFACE, settings(), SETTINGS_ACK), (piece) => {
      server.socket.feed(piece);
      if (dice.roll(5) === 0) act(server, dice);
    });
    server.socket.feedEnd();
    if (i % 100 === 0) await turn();
    assert.equal(server.connection.active, 0, `conversation ${i}`);
  }
});

/** What one request heard, as its exchange would. */
class Watched {
  lastCalls = 0;
  late = 0;
  readonly #over = (): void => void (this.lastCalls += 1);
  readonly #more = (): void => {
    if (this.lastCalls > 0) this.late += 1;
  };

  readonly handler = {
    onInformational: this.#more,
    onHead: this.#more,
    onData: this.#more,
    onDrain: this.#more,
    onEnd: this.#over,
    onUpgrade: this.#over,
    onError: this.#over,
  };
}

test('whatever a server sends, every request hears its end exactly once, and nothing afterwards', async () => {
  const dice = new FrameDice(seededRandom(2));
  const timers = new TimerWheel({ now: () => 0 });
  const options = { limits: HTTP2_LIMITS, timers, now: () => 0, onIdle() {}, onClose() {} };
  for (let i = 0; i < CONVERSATIONS; i++) {
    const socket = new FakeSocket();
    const connection = new Http2ClientConnection(socket.asSocket, options);
    connection.start();
    const requests = Array.from({ length: 3 }, () => {
      const watched = new Watched();
      const head = testHead({}, { method: dice.pick('GET', 'HEAD', 'POST'), bodyLength: dice.pick(0, -1, 5) });
      const upstream = connection.request(head, watched.handler);
      upstream.sendData(Buffer.from('hello'));
      if (dice.roll(2) === 0) upstream.sendEnd(null);
      if (dice.roll(3) === 0) upstream.pause();
      return { watched, upstream };
    });
    dice.inPieces(dice.conversation(settings(), SETTINGS_ACK), (piece) => socket.feed(piece));
    for (const { upstream } of requests) upstream.resume();
    socket.feedEnd();
    if (i % 100 === 0) await turn();
    for (const { watched } of requests)
      assert.deepEqual([watched.lastCalls, watched.late], [1, 0], `conversation ${i}`);
    assert.equal(connection.active, 0);
  }
});
