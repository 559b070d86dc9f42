import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test, type TestContext } from 'node:test';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { loadServices } from '../../proto/codec/services.ts';
import type { DiscoveryRequest } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import { eventually } from '../support/eventually.ts';
import { HELLO, openRecordingClient } from '../support/recording-peers.ts';
import type { TestIdentity } from '../support/test-authority.ts';

const MIB = 1024 * 1024;
const SCRIPT = fileURLToPath(new URL('../support/discovery-in-process.ts', import.meta.url));

interface Lonely {
  readonly port: number;
  readonly identity: TestIdentity;
  readonly other: TestIdentity;
  /** The most that the process ever had, in bytes, and its open streams. */
  look(): Promise<{ memory: number; streams: number }>;
}

async function message(child: ChildProcess): Promise<never> {
  const [said] = await once(child, 'message');
  return said as never;
}

let child: ChildProcess;
let lonely: Lonely;

/** A server in a process of its own that has served a well-behaved proxy already. */
before(async () => {
  child = fork(SCRIPT, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const started: Pick<Lonely, 'port' | 'identity' | 'other'> = await message(child);
  const look = () => {
    const answer = message(child);
    child.send('memory');
    return answer;
  };
  lonely = { ...started, look };
  const good = openRecordingClient(lonely.port, lonely.identity);
  good.send(HELLO);
  good.send({ responseNonce: (await good.response(0)).nonce });
  good.close();
});
after(() => child.kill('SIGKILL'));

function wrongClient(t: TestContext, serialize?: (request: DiscoveryRequest) => Buffer) {
  const client = openRecordingClient(lonely.port, lonely.identity, serialize);
  t.after(() => client.close());
  return client;
}

/** The server still serves, and its memory has not grown by more than so many MiB at any time. */
async function unharmed(t: TestContext, from: { memory: number }, most: number): Promise<void> {
  const good = openRecordingClient(lonely.port, lonely.other);
  t.after(() => good.close());
  good.send(HELLO);
  await good.response(0);
  const grown = ((await lonely.look()).memory - from.memory) / MIB;
  assert.ok(grown < most, `${grown.toFixed(0)} MiB`);
}

const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]);
const { requestSerialize } = loadServices().discovery.Stream;
const repeated = (bytes: readonly number[], times: number) => Buffer.alloc(bytes.length * times, Buffer.from(bytes));
const field = (tag: number, content: Buffer) => Buffer.concat([Buffer.from([tag, ...varint(content.length)]), content]);

test('few bytes that mean millions of entries are refused before they become objects', async (t) => {
  const from = await lonely.look();
  const hostile: Record<string, Buffer> = {
    'empty subscriptions': repeated([0x12, 0], 2_000_000),
    'a million names': field(0x12, Buffer.concat([Buffer.from([8, 1]), repeated([0x12, 1, 0x61], 1_300_000)])),
    'empty entries of a map': field(0x12, Buffer.concat([Buffer.from([8, 1]), repeated([0x22, 0], 2_000_000)])),
    'empty instances': field(0x2a, repeated([0x6a, 0], 2_000_000)),
    'empty decisions': field(0x32, repeated([0x12, 0], 2_000_000)),
    'empty answers': repeated([0x32, 0], 2_000_000),
  };
  for (const [what, bytes] of Object.entries(hostile)) {
    const client = wrongClient(t, (request) => (request.node ? requestSerialize(request) : bytes));
    client.send(HELLO);
    client.send({});
    const end = await client.ended;
    assert.equal(end.code, status.INVALID_ARGUMENT, what);
    assert.match(end.details, /the message has more than \d+ (fields|entries)/, what);
  }
  await unharmed(t, from, 60);
});

test('a million subscriptions, a few thousand at a time, end the stream at the bound', async (t) => {
  const from = await lonely.look();
  const client = wrongClient(t);
  client.send(HELLO);
  for (let batch = 0; batch < 200; batch++) {
    const subscribe = Array.from({ length: 5_000 }, (_, index) => `${batch}-${index}-${'n'.repeat(50)}`);
    client.send({ subscriptions: [{ type: 'RESOURCE_TYPE_CLUSTER', subscribe }] });
  }
  const end = await client.ended;
  assert.equal(end.code, status.INVALID_ARGUMENT);
  assert.equal(end.details, 'more than 10000 names: ask for *');
  await unharmed(t, from, 120);
});

test('names that are asked for, given up and asked for again pile up nowhere', async (t) => {
  const from = await lonely.look();
  const client = wrongClient(t);
  client.send(HELLO);
  for (let batch = 0; batch < 100; batch++) {
    const names = Array.from({ length: 5_000 }, (_, index) => `${batch}-${index}-${'n'.repeat(50)}`);
    client.send({ subscriptions: [{ type: 'RESOURCE_TYPE_CLUSTER', subscribe: names, unsubscribe: names }] });
  }
  await unharmed(t, from, 120);
  assert.equal(client.received.length, 1, 'one response is in flight, and nothing more is said');
});

test('a nonce that was never given is ignored however often it comes', async (t) => {
  const from = await lonely.look();
  const client = wrongClient(t);
  client.send(HELLO);
  await client.response(0);
  for (let n = 0; n < 20_000; n++) client.send({ responseNonce: `run-1-${n}00` });
  await unharmed(t, from, 120);
  assert.equal(client.received.length, 1);
});

test('a compressed message that unfolds into more than a message may be is refused', async (t) => {
  const from = await lonely.look();
  const { identity, port } = lonely;
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    ca: identity.bundlePem,
    key: identity.keyPem,
    cert: identity.chainPem,
    checkServerIdentity: () => undefined,
  });
  session.on('error', () => {});
  t.after(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/weft.v1.Discovery/Stream',
    'content-type': 'application/grpc',
    'grpc-encoding': 'gzip',
    te: 'trailers',
  });
  stream.on('error', () => {});
  const bomb = gzipSync(Buffer.alloc(128 * MIB));
  const head = Buffer.alloc(5);
  head.writeUInt8(1, 0);
  head.writeUInt32BE(bomb.length, 1);
  stream.write(Buffer.concat([head, bomb]));
  const code = await new Promise((done) => {
    const take = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) done(headers['grpc-status']);
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.resume();
  });
  assert.equal(Number(code), status.RESOURCE_EXHAUSTED);
  await unharmed(t, from, 120);
});

test('frames that are none, after a good handshake, end their connection and no other', async (t) => {
  const from = await lonely.look();
  const { identity, port } = lonely;
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const garbage = [
    Buffer.alloc(64 * 1024, 0x41),
    Buffer.concat([preface, Buffer.alloc(64 * 1024, 0xff)]),
    // Frames of 16 MiB, of which nothing follows; HEADERS that never end.
    Buffer.concat([
      preface,
      Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
      Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]),
    ]),
    Buffer.concat([
      preface,
      Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
      Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 1]),
      repeated([0, 0, 0, 9, 0, 0, 0, 0, 1], 20_000),
    ]),
  ];
  for (const bytes of garbage) {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      ca: identity.bundlePem,
      key: identity.keyPem,
      cert: identity.chainPem,
      ALPNProtocols: ['h2'],
      checkServerIdentity: () => undefined,
    });
    socket.on('error', () => {});
    socket.resume();
    socket.write(bytes);
    await once(socket, 'close');
  }
  await unharmed(t, from, 60);
});

test('an instance has one stream, however often it opens another', async (t) => {
  const from = await lonely.look();
  const clients = Array.from({ length: 20 }, () => wrongClient(t));
  for (const client of clients) client.send(HELLO);
  await Promise.all(clients.slice(0, -1).map(({ response }) => response(0).catch(() => null)));
  await eventually(async () => (await lonely.look()).streams === 1);
  await unharmed(t, from, 120);
});
