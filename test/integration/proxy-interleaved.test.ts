// Many clients at once, each with bytes of its own, in pieces and with pauses by chance: what one of them sends or is sent
// never turns up at another. All sockets of a proxy read into memory that they share (proxy/kit/socket-input.ts).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { connectHttp2 } from '../support/http2-peers.ts';
import { startUpstream } from '../support/http-peers.ts';
import { outboundView, startCallee, startCaller } from '../support/mesh-pair.ts';
import { edgeView, startProxy } from '../support/proxy-harness.ts';
import { makeTestAuthority } from '../support/test-authority.ts';

/** Around the sizes at which memory is shared, taken over or copied. */
const SIZES = [0, 1, 900, 1_024, 4_096, 12_287, 12_288, 16_384, 40_000, 65_536, 65_537, 200_000];
const ROUNDS = 5;

/** Numbers below `limit` that look like chance and are the same every time. */
type Chance = (limit: number) => number;

function chanceFrom(seed: number): Chance {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Bytes that say whose they are, and which: no part of them is a part of another's. */
function bytesOf(client: number, round: number, length: number): Buffer {
  const words = Buffer.alloc(Math.ceil(length / 8) * 8);
  for (let at = 0; at < words.length; at += 8) {
    words.writeUInt32BE(0x80_00_00_00 + client * 64 + round, at);
    words.writeUInt32BE(at, at + 4);
  }
  return words.subarray(0, length);
}

function assertOwn(got: Buffer, wanted: Buffer, what: string): void {
  if (got.equals(wanted)) return;
  let at = 0;
  while (at < wanted.length && got[at] === wanted[at]) at += 1;
  assert.fail(
    `${what}: ${got.length} of ${wanted.length} bytes, other ones from ${at} on: ${got.toString('hex', at, at + 16)}`,
  );
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((done) => setImmediate(done));
};

/** In pieces by chance, and not always to the end of the other side's patience. */
async function sendInPieces(to: Duplex, bytes: Buffer, chance: Chance): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + chance(chance(4) === 0 ? 100 : 50_000);
    const room = to.write(bytes.subarray(at, end));
    at = end;
    if (!room) await once(to, 'drain');
    if (chance(3) === 0) await turns(chance(6));
  }
}

/** With pauses by chance, in which the proxy has to keep what comes. */
async function readWithPauses(from: Duplex | IncomingMessage, chance: Chance): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) {
    chunks.push(chunk as Buffer);
    if (chance(4) === 0) await turns(chance(8));
  }
  return Buffer.concat(chunks);
}

interface Caller {
  /** What comes back for this body. */
  echo(body: Buffer, chunked: boolean): Promise<Buffer>;
}

function http1Caller(port: number, chance: Chance): Caller {
  return {
    async echo(body, chunked) {
      const headers = chunked ? {} : { 'content-length': body.length };
      const sent = request({ port, host: '127.0.0.1', method: 'POST', path: '/charge', headers });
      const answered = once(sent, 'response');
      await sendInPieces(sent as unknown as Duplex, body, chance);
      sent.end();
      const [answer] = (await answered) as [IncomingMessage];
      return readWithPauses(answer, chance);
    },
  };
}

function http2Caller(session: ClientHttp2Session, chance: Chance): Caller {
  return {
    async echo(body, chunked) {
      const length = chunked ? {} : { 'content-length': String(body.length) };
      const stream = session.request({ ':method': 'POST', ':path': '/charge', ...length });
      const [got] = await Promise.all([
        readWithPauses(stream, chance),
        sendInPieces(stream, body, chance).then(() => stream.end()),
      ]);
      return got;
    },
  };
}

const halfOpen = (port: number): Socket => connect({ port, host: '127.0.0.1', allowHalfOpen: true });

/** A tunnel, whose first bytes come along with the request for it. */
function upgradeCaller(open: () => Socket, chance: Chance): Caller {
  return {
    async echo(body) {
      const socket = open();
      const early = chance(3) * 20_000;
      const head = 'GET /charge HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: bytes\r\n\r\n';
      // Who ends its side before there is a tunnel is gone.
      const answered = once(socket, 'readable');
      socket.write(Buffer.concat([Buffer.from(head), body.subarray(0, early)]));
      await answered;
      const [got] = await Promise.all([
        readWithPauses(socket, chance),
        sendInPieces(socket, body.subarray(early), chance).then(() => socket.end()),
      ]);
      const end = got.indexOf('\r\n\r\n') + 4;
      assert.match(got.toString('latin1', 0, end), /^HTTP\/1\.1 101 /);
      return got.subarray(end);
    },
  };
}

/** A client that goes away in the middle of its upload, or of its answer. */
async function breakOff(port: number, chance: Chance): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const body = Buffer.alloc(100_000, 0x21);
  socket.write(`POST /charge HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
  socket.write(body.subarray(0, chance(body.length)));
  await turns(chance(20));
  socket.destroy();
}

async function echoApp(t: TestContext): Promise<number> {
  const { server, port } = await startUpstream(t, (incoming, response) => {
    incoming.on('error', () => {});
    if (incoming.headers['content-length'] !== undefined)
      response.setHeader('content-length', incoming.headers['content-length']);
    incoming.pipe(response);
  });
  server.on('upgrade', (_incoming, socket, early) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: bytes\r\n\r\n');
    socket.write(early);
    socket.pipe(socket);
  });
  return port;
}

async function talk(caller: Caller, client: number, chance: Chance): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const body = bytesOf(client, round, SIZES[chance(SIZES.length)] as number);
    const got = await caller.echo(body, chance(2) === 0);
    assertOwn(got, body, `client ${client}, round ${round}`);
  }
}

test('no byte of one client reaches another, through an edge', async (t) => {
  const app = await echoApp(t);
  const authority = await makeTestAuthority();
  const certificate = await authority.svid('edge-main');
  const plain = (await startProxy(t, { view: edgeView([app]) })).port();
  const secret = (
    await startProxy(t, { view: edgeView([app], { tls: 'internal', hosts: ['a'] }), certificate })
  ).port();
  const sessions = [
    await connectHttp2(t, plain),
    await connectHttp2(t, plain),
    await connectHttp2(t, secret, 'https'),
    await connectHttp2(t, secret, 'https'),
  ];
  const callers: ((chance: Chance) => Caller)[] = [
    (chance) => http1Caller(plain, chance),
    (chance) => upgradeCaller(() => halfOpen(plain), chance),
    (chance) => upgradeCaller(() => connectTls({ socket: halfOpen(secret), rejectUnauthorized: false }), chance),
    ...sessions.map((session) => (chance: Chance) => http2Caller(session, chance)),
  ];
  const clients = Array.from({ length: 56 }, (_, client) => {
    const chance = chanceFrom(client);
    const make = callers[client % callers.length] as (chance: Chance) => Caller;
    return talk(make(chance), client, chance);
  });
  const strays = Array.from({ length: 30 }, (_, stray) => breakOff(plain, chanceFrom(1_000 + stray)));
  await Promise.all([...clients, ...strays]);
});

test('no byte of one client reaches another, through two sidecars', async (t) => {
  const authority = await makeTestAuthority();
  const callee = await startCallee(t, authority, await echoApp(t));
  const caller = await startCaller(t, authority, outboundView([callee.port('inbound')]));
  const port = caller.port('outbound/payments');
  const session = await connectHttp2(t, port);
  const clients = Array.from({ length: 36 }, (_, client) => {
    const chance = chanceFrom(client);
    const kinds = [
      () => http1Caller(port, chance),
      () => http2Caller(session, chance),
      () => upgradeCaller(() => halfOpen(port), chance),
    ];
    return talk((kinds[client % kinds.length] as () => Caller)(), client, chance);
  });
  const strays = Array.from({ length: 20 }, (_, stray) => breakOff(port, chanceFrom(1_000 + stray)));
  await Promise.all([...clients, ...strays]);
});
