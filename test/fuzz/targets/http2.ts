// The HTTP/2 codec in both roles, against itself on every other split, and HPACK: no fault, nothing left open, no more
// written than was asked for.
import assert from 'node:assert/strict';
import type { RequestHead } from '../../../proxy/exchange.ts';
import { Http2ClientConnection } from '../../../proxy/http2/client-connection.ts';
import { HpackDecoder } from '../../../proxy/http2/hpack-decoder.ts';
import { HpackEncoder } from '../../../proxy/http2/hpack-encoder.ts';
import { HTTP2_LIMITS } from '../../../proxy/http2/limits.ts';
import { HeaderList } from '../../../proxy/kit/header-list.ts';
import { TimerWheel } from '../../../proxy/kit/timer-wheel.ts';
import type { Tunnel } from '../../../proxy/kit/tunnel.ts';
import { testHead } from '../../support/exchange-fakes.ts';
import { FakeSocket } from '../../unit/proxy/http1/fake-socket.ts';
import { Http2ServerHarness, turn } from '../../unit/proxy/http2/server-harness.ts';
import { encodeFields, makeBlocks, makeClientBytes, makeFields, makeServerBytes } from '../http2-corpus.ts';
import { cutsOf, pick, piecesOf } from '../mutate.ts';
import type { FuzzTarget, Random } from '../target.ts';

/** Bytes that the codec may write for every byte that it was sent, beside the greeting and a few answers. */
const ECHO = 40;
const FEW = 20_000;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** Counts what a tunnel or an exchange hears, of which the last call comes once. */
class Heard {
  lastCalls = 0;
  late = 0;
  tunnel: Tunnel | null = null;
  readonly more = (): void => {
    if (this.lastCalls > 0) this.late += 1;
  };
  readonly last = (): void => void (this.lastCalls += 1);

  run(tunnel: Tunnel): void {
    this.tunnel = tunnel;
    tunnel.start({ onData: this.more, onEnd: this.more, onDrain: this.more, onClose: this.last });
  }

  act(random: Random): void {
    const { tunnel } = this;
    if (tunnel === null) return;
    const calls = [
      () => tunnel.pause(),
      () => tunnel.resume(),
      () => void tunnel.write(Buffer.from('ping')),
      () => tunnel.end(),
      () => tunnel.close(),
      () => tunnel.destroy(),
    ];
    pick(random, calls)();
  }
}

interface Answers {
  readonly tunnels: Map<object, Heard>;
  /** What has its head already. */
  readonly begun: Set<object>;
  /** The harness answers what is whole, tunnels too. */
  readonly atOnce: boolean;
}

function answerSome(server: Http2ServerHarness, { tunnels, begun, atOnce }: Answers, random: Random): void {
  for (const { downstream, head } of server.requests) {
    tunnels.get(downstream)?.act(random);
    if (random() < 0.3) downstream.pause();
    if (random() < 0.3) downstream.resume();
    if (random() < 0.2) downstream.sendInformational(103, new HeaderList());
    if (random() < 0.3 && head.upgrade !== '' && !atOnce && !begun.has(downstream)) {
      begun.add(downstream);
      const headers = new HeaderList();
      headers.add('Sec-WebSocket-Accept', random() < 0.9 ? ACCEPT : 'none');
      const heard = new Heard();
      tunnels.set(downstream, heard);
      heard.run(downstream.sendUpgrade({ status: 101, reason: '', headers, bodyLength: 0, declaredLength: -1 }));
    } else if (random() < 0.3) {
      begun.add(downstream);
      const bodyLength = pick(random, [-1, 0, 5]);
      downstream.sendHead({ status: 200, reason: '', headers: head.headers, bodyLength, declaredLength: -1 });
      downstream.sendData(Buffer.from('hello'));
      if (random() < 0.5) downstream.sendEnd(null);
    }
    if (random() < 0.1 && !tunnels.has(downstream)) downstream.reset();
  }
}

export function http2Clients(): FuzzTarget {
  return {
    name: 'http2-clients',
    batch: 64,
    limit: 5_000,
    make: makeClientBytes,
    check: async (input, random) => {
      const atOnce = random() < 0.5;
      const server = new Http2ServerHarness({}, atOnce);
      const answers: Answers = { tunnels: new Map(), begun: new Set(), atOnce };
      for (const piece of piecesOf(input, cutsOf(random, input.length))) {
        server.socket.feed(piece);
        if (random() < 0.3) answerSome(server, answers, random);
      }
      const written = (await server.frames()).reduce((sum, { payload }) => sum + payload.length + 9, 0);
      assert.ok(written < FEW + ECHO * input.length, `${written} bytes were written for ${input.length}`);
      server.socket.feedEnd();
      // What came in order before the end is there for who reads it.
      for (const heard of answers.tunnels.values()) heard.tunnel?.resume();
      await turn();
      assert.equal(server.connection.active, 0);
      for (const heard of answers.tunnels.values()) assert.deepEqual([heard.lastCalls, heard.late], [1, 0]);
    },
  };
}

export function http2Servers(): FuzzTarget {
  const timers = new TimerWheel({ now: () => 0 });
  const options = { limits: HTTP2_LIMITS, timers, now: () => 0, onIdle() {}, onClose() {} };
  return {
    name: 'http2-servers',
    batch: 64,
    limit: 5_000,
    make: makeServerBytes,
    check: async (input, random) => {
      const socket = new FakeSocket();
      const connection = new Http2ClientConnection(socket.asSocket, options);
      connection.start();
      const requests = Array.from({ length: 3 }, () => askSomething(connection, random));
      for (const piece of piecesOf(input, cutsOf(random, input.length))) {
        socket.feed(piece);
        for (const { heard } of requests) if (random() < 0.2) heard.act(random);
      }
      for (const { upstream } of requests) upstream.resume();
      await turn();
      socket.feedEnd();
      for (const { heard } of requests) heard.tunnel?.resume();
      await turn();
      for (const { heard } of requests) assert.deepEqual([heard.lastCalls, heard.late], [1, 0]);
      assert.equal(connection.active, 0);
    },
  };
}

function askSomething(connection: Http2ClientConnection, random: Random) {
  const heard = new Heard();
  const upgrade = random() < 0.3 ? 'websocket' : '';
  const method = upgrade === '' ? pick(random, ['GET', 'HEAD', 'POST']) : 'GET';
  const bodyLength = upgrade === '' ? pick(random, [0, -1, 5]) : 0;
  const head: RequestHead = { ...testHead({ 'Sec-WebSocket-Key': KEY }, { method, bodyLength }), upgrade };
  const upstream = connection.request(head, {
    onInformational: heard.more,
    onHead: heard.more,
    onData: heard.more,
    onDrain: heard.more,
    onEnd: heard.last,
    onError: heard.last,
    onUpgrade: (_head, tunnel) => heard.run(tunnel),
  });
  upstream.sendData(Buffer.from('hello'));
  if (random() < 0.5) upstream.sendEnd(null);
  if (random() < 0.3) upstream.pause();
  return { heard, upstream };
}

/** However the bytes are cut, a server sees the same requests and says the same. */
export function http2Splits(): FuzzTarget {
  return {
    name: 'http2-splits',
    batch: 16,
    limit: 5_000,
    make: makeClientBytes,
    check: async (input, random) => {
      const whole = await heardBy([Buffer.from(input)]);
      assert.deepEqual(await heardBy(piecesOf(input, cutsOf(random, input.length))), whole);
    },
  };
}

async function heardBy(pieces: readonly Buffer[]): Promise<unknown> {
  const server = new Http2ServerHarness();
  for (const piece of pieces) server.socket.feed(piece);
  const resets = await server.resets();
  return {
    resets,
    goAway: server.goAway,
    refused: server.refusals.map(({ code, detail }) => [code, detail]),
    requests: server.requests.map(({ head, body, trailers, ended, aborted }) => [
      head.method,
      head.target,
      head.headers.fields,
      body,
      trailers,
      ended,
      aborted?.code,
    ]),
  };
}

/** Blocks that were changed end in fields within the limits, or in a refusal. */
export function hpackBlocks(): FuzzTarget {
  return {
    name: 'hpack-blocks',
    batch: 1,
    limit: 500,
    make: makeBlocks,
    check: (input) => {
      const decoder = new HpackDecoder(HTTP2_LIMITS);
      for (let at = 0; at + 2 <= input.length; ) {
        const end = Math.min(at + 2 + input.readUInt16BE(at), input.length);
        let bytes = 0;
        let fields = 0;
        const onField = (name: string, value: string): void => {
          fields += 1;
          bytes += name.length + value.length + 32;
        };
        if (!decoder.decode(input, at + 2, end, { onField })) return;
        assert.ok(bytes <= HTTP2_LIMITS.headerBytes && fields <= HTTP2_LIMITS.headerFields + 5, `${fields}, ${bytes}`);
        at = end;
      }
    },
  };
}

/** What our encoder writes our decoder reads, whatever the size of the table becomes. The input is a seed. */
export function hpackRoundTrip(): FuzzTarget {
  return {
    name: 'hpack-round-trip',
    batch: 1,
    limit: 500,
    make: (random) => Buffer.from([random() * 256]),
    check: (_input, random) => {
      const encoder = new HpackEncoder(4_096);
      const decoder = new HpackDecoder(HTTP2_LIMITS);
      for (let i = 0; i < 6; i++) {
        if (random() < 0.3) encoder.resize(Math.floor(random() ** 2 * 5_000));
        const fields = makeFields(random);
        const block = encodeFields(encoder, fields);
        const got: [string, string][] = [];
        const sink = { onField: (name: string, value: string) => void got.push([name, value]) };
        assert.ok(decoder.decode(block, 0, block.length, sink), decoder.detail);
        assert.deepEqual(got, fields);
      }
    },
  };
}
