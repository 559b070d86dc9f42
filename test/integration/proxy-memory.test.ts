// What peers that do not read can make a proxy hold: a process of its own, and its memory as the system sees it.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { connectRaw, type RawClient, startRawUpstream } from '../support/http-peers.ts';
import { startProxyProcess } from '../support/proxy-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PEERS = 32;
const BODY = 100 * 1_048_576;
const CHUNK = Buffer.alloc(65_536, 'x');
/** Bytes: a first 50 MiB of garbage in a process without Weft's own flags, and half a MiB for each exchange at most. */
const ALLOWED = 96 * 1_048_576;

interface Proxy {
  readonly port: number;
  /** Anonymous memory in bytes: heap and buffers, no program text. */
  memory(): Promise<number>;
}

async function startEdge(t: TestContext, upstream: number): Promise<Proxy> {
  const folder = await temporaryFolder(t);
  await writeFile(
    join(folder, 'weft.yaml'),
    `version: 1
services:
  app: { endpoints: [127.0.0.1:${upstream}], timeout: 0 }
edges:
  main:
    listeners: [{ port: 0, address: 127.0.0.1 }]
    routes:
      - { match: /**, to: app }
`,
  );
  const proxy = startProxyProcess(t, folder, ['edge', '--standalone', 'weft.yaml', '--status', '127.0.0.1:0']);
  await proxy.ready;
  const memory = async (): Promise<number> => {
    const status = await readFile(`/proc/${proxy.child.pid}/status`, 'utf8');
    return Number(/RssAnon:\s+(\d+) kB/.exec(status)?.[1]) * 1_024;
  };
  return { port: await proxy.port('edge/main/0'), memory };
}

/** Writes as much as is taken, up to the body's length; how much that was so far. */
function pour(socket: Socket): () => number {
  let left = BODY;
  const more = (): void => {
    while (left > 0) {
      left -= CHUNK.length;
      if (!socket.write(CHUNK)) return;
    }
  };
  socket.on('drain', more);
  more();
  return () => BODY - left - socket.writableLength;
}

/** Once nothing was taken for a while. */
async function settled(taken: () => number): Promise<void> {
  let before = -1;
  let still = 0;
  await eventually(() => {
    const now = taken();
    still = now === before && now > 0 ? still + 1 : 0;
    before = now;
    return still > 20;
  });
}

const total = (counts: readonly (() => number)[]): number => counts.reduce((sum, count) => sum + count(), 0);

test('clients that do not read answers of 100 MiB cost the proxy little', async (t) => {
  const poured: (() => number)[] = [];
  const app = await startRawUpstream(t, (socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY}\r\n\r\n`);
      poured.push(pour(socket));
    });
  });
  const { port, memory } = await startEdge(t, app);
  const before = await memory();
  const clients: RawClient[] = [];
  for (let i = 0; i < PEERS; i++) {
    const client = await connectRaw(t, port);
    client.socket.pause();
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    clients.push(client);
  }
  await eventually(() => poured.length === PEERS);
  await settled(() => total(poured));
  const grown = (await memory()) - before;
  assert.ok(grown < ALLOWED, `${Math.round(grown / 1_048_576)} MiB more for ${PEERS} clients`);
  assert.ok(total(poured) < (PEERS * BODY) / 2);
});

test('apps that do not read requests of 100 MiB cost the proxy little', async (t) => {
  let taken = 0;
  const app = await startRawUpstream(t, (socket) => {
    taken += 1;
    socket.pause();
  });
  const { port, memory } = await startEdge(t, app);
  const before = await memory();
  const poured: (() => number)[] = [];
  for (let i = 0; i < PEERS; i++) {
    const client = await connectRaw(t, port);
    client.socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY}\r\n\r\n`);
    poured.push(pour(client.socket));
  }
  await eventually(() => taken === PEERS);
  await settled(() => total(poured));
  const grown = (await memory()) - before;
  assert.ok(grown < ALLOWED, `${Math.round(grown / 1_048_576)} MiB more for ${PEERS} apps`);
  assert.ok(total(poured) < (PEERS * BODY) / 2);
});

test('clients that send bodies in chunks of one byte to an app that does not read cost the proxy little', async (t) => {
  let taken = 0;
  const app = await startRawUpstream(t, (socket) => {
    taken += 1;
    socket.pause();
  });
  const { port, memory } = await startEdge(t, app);
  const before = await memory();
  const chunks = Buffer.from('1\r\nx\r\n'.repeat(200_000));
  const clients = await Promise.all(Array.from({ length: PEERS }, () => connectRaw(t, port)));
  for (const client of clients) {
    client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 0; i < 5; i++) client.socket.write(chunks);
  }
  await eventually(() => taken === PEERS);
  await settled(() => clients.reduce((sum, { socket }) => sum + socket.bytesWritten - socket.writableLength, 0));
  const grown = (await memory()) - before;
  assert.ok(grown < ALLOWED, `${Math.round(grown / 1_048_576)} MiB more for ${PEERS} clients`);
});
