import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { WriteBatch } from '../../../../proxy/kit/buffers.ts';
import { hold, LEAST_PART, merged, release, Slab, SLAB_BYTES } from '../../../../proxy/kit/slab.ts';
import { kept, SocketInput } from '../../../../proxy/kit/socket-input.ts';
import { eventually } from '../../../support/eventually.ts';

test('a slab is used again when the last holder let go, not before', () => {
  const slab = Slab.take();
  const part = slab.memory.subarray(0, LEAST_PART);
  assert.equal(hold(part), true);
  slab.release();
  const other = Slab.take();
  assert.notEqual(other, slab);
  release(part);
  assert.equal(Slab.take(), slab);
});

test('what is no part of a slab can be held and released too', () => {
  const chunk = Buffer.alloc(LEAST_PART);
  assert.equal(hold(chunk), false);
  release(chunk);
  assert.equal(kept(chunk), chunk);
});

test('a slab that was forgotten is never used again, and parts of it are copied', () => {
  const slab = Slab.take();
  slab.forget();
  const part = slab.memory.subarray(0, LEAST_PART);
  assert.notEqual(kept(part), part);
  slab.release();
  assert.notEqual(Slab.take(), slab);
});

test('small parts are copied: they keep no slab', () => {
  const slab = Slab.take();
  const part = slab.memory.subarray(0, LEAST_PART - 1).fill('x');
  const copy = kept(part);
  assert.notEqual(copy.buffer, part.buffer);
  assert.ok(copy.equals(part));
  assert.equal(slab.unshared, true);
});

test('neighbours of one slab become one chunk with one holder; others do not', () => {
  const slab = Slab.take();
  const first = kept(slab.memory.subarray(0, LEAST_PART));
  const second = kept(slab.memory.subarray(LEAST_PART, 2 * LEAST_PART));
  assert.equal(merged(second, first), null);
  assert.equal(merged(first, Buffer.alloc(8)), null);
  const both = merged(first, second) as Buffer;
  assert.equal(both.length, 2 * LEAST_PART);
  release(both);
  assert.equal(slab.unshared, true);
});

test('only so many sockets read into slabs of their own', () => {
  const taken: Slab[] = [];
  for (let slab = Slab.takeToRead(); slab !== null; slab = Slab.takeToRead()) taken.push(slab);
  assert.ok(taken.length * SLAB_BYTES <= 8 * 1_048_576);
  for (const slab of taken) Slab.doneReading(slab);
  const again = Slab.takeToRead();
  assert.notEqual(again, null);
  Slab.doneReading(again as Slab);
});

test('a slab is used again when a write of it is done, however long that takes', async (t) => {
  const [to, reader] = await pair(t);
  const batch = new WriteBatch(to);
  while (to.writableLength === 0) to.write(Buffer.alloc(1_048_576));
  const slab = Slab.take();
  batch.add(slab.memory.fill('x'));
  batch.flush();
  const others = Array.from({ length: 40 }, () => Slab.take());
  assert.ok(!others.includes(slab));
  let last: Buffer = Buffer.alloc(0);
  reader.on('data', (chunk: Buffer) => (last = chunk));
  await eventually(() => to.writableLength === 0);
  await eventually(() => last.at(-1) === 'x'.charCodeAt(0));
  assert.equal(Slab.take(), slab);
});

test('bytes that wait for slow readers stay what they were while other connections move theirs', async (t) => {
  const relays = await Promise.all(Array.from({ length: 6 }, (_, i) => relay(t, i)));
  await eventually(() => relays.every(({ received, sent }) => length(received) === sent.length));
  for (const { received, sent } of relays) assert.ok(Buffer.concat(received).equals(sent));
});

interface Relay {
  readonly sent: Buffer;
  readonly received: Buffer[];
}

/** Passes bytes on as a codec does, to a reader that does not read until its system takes no more. */
async function relay(t: TestContext, kind: number): Promise<Relay> {
  const [from, client] = await pair(t);
  const [to, reader] = await pair(t);
  const sent = Buffer.alloc(12 * 1_048_576);
  for (let i = 0; i < sent.length; i += 4) sent.writeUInt32BE(i + kind, i);
  const received: Buffer[] = [];
  const batch = new WriteBatch(to);
  new SocketInput(from, (chunk) => {
    batch.add(kept(chunk));
    batch.flush();
    if (!to.writableNeedDrain) return;
    from.pause();
    if (reader.listenerCount('data') === 0) reader.on('data', (piece: Buffer) => received.push(piece));
  }).start();
  to.on('drain', () => from.resume());
  client.end(sent);
  return { sent, received };
}

function length(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

async function pair(t: TestContext): Promise<[Socket, Socket]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const theirs = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [ours] = (await once(server, 'connection')) as [Socket];
  server.close();
  t.after(() => {
    ours.destroy();
    theirs.destroy();
  });
  return [ours, theirs];
}
