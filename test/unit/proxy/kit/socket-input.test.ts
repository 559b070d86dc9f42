import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { kept, SocketInput } from '../../../../proxy/kit/socket-input.ts';
import { eventually } from '../../../support/eventually.ts';

/** Both ends of one connection. */
async function pair(t: TestContext): Promise<{ readonly ours: Socket; readonly theirs: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const theirs = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [ours] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    theirs.destroy();
    ours.destroy();
    server.close();
  });
  return { ours, theirs };
}

for (const side of ['an accepted', 'a dialled'] as const) {
  test(`reads of ${side} socket come without 'data' events, in one buffer that all sockets share`, async (t) => {
    const { ours, theirs } = await pair(t);
    const [reader, writer] = side === 'an accepted' ? [ours, theirs] : [theirs, ours];
    const chunks: Buffer[] = [];
    let events = 0;
    const input = new SocketInput(reader, (chunk) => chunks.push(chunk));
    input.start();
    writer.write('one');
    await eventually(() => chunks.length === 1);
    const copy = kept(chunks[0] as Buffer);
    // After this Node has other names for what `onread` sets, and PROFILE.md says what that costs.
    reader.on('data', () => {
      events += 1;
    });
    writer.write('two');
    await eventually(() => chunks.length === 2);
    assert.equal(events, 0);
    assert.equal(chunks[0]?.buffer, chunks[1]?.buffer);
    assert.equal(String(chunks[0]), 'two');
    assert.equal(String(copy), 'one');
    assert.notEqual(copy.buffer, chunks[0]?.buffer);
  });
}

test('bulk is read into buffers that may be kept, and nothing of it is lost or mixed up', async (t) => {
  const { ours, theirs } = await pair(t);
  const sent = Buffer.alloc(4 * 1_048_576);
  for (let i = 0; i < sent.length; i += 4) sent.writeUInt32BE(i, i);
  const chunks: Buffer[] = [];
  let length = 0;
  let copied = 0;
  new SocketInput(ours, (chunk) => {
    const own = kept(chunk);
    if (own !== chunk) copied += 1;
    chunks.push(own);
    length += own.length;
    // Lets the system's buffer fill up, so that reads are whole ones.
    if (chunks.length % 8 === 1) {
      ours.pause();
      setImmediate(() => ours.resume());
    }
  }).start();
  theirs.end(sent);
  await eventually(() => length === sent.length);
  assert.ok(Buffer.concat(chunks).equals(sent));
  assert.ok(copied < chunks.length, 'every chunk was copied');
});

test('a paused socket is not read, and its end comes after what was sent before', async (t) => {
  const { ours, theirs } = await pair(t);
  let seen = '';
  new SocketInput(ours, (chunk) => {
    seen += String(chunk);
  }).start();
  ours.on('end', () => {
    seen += ' end';
  });
  ours.pause();
  theirs.end('late');
  await eventually(() => theirs.writableFinished);
  assert.equal(seen, '');
  ours.resume();
  await eventually(() => seen.endsWith('end'));
  assert.equal(seen, 'late end');
});

test("a socket that was given up is paused; its next reader takes 'data' events", async (t) => {
  const { ours, theirs } = await pair(t);
  const first: string[] = [];
  const input = new SocketInput(ours, (chunk) => {
    first.push(String(chunk));
    input.stop();
  });
  input.start();
  theirs.write('mine');
  await eventually(() => first.length === 1);
  theirs.write('yours');
  const next: Buffer[] = [];
  ours.on('data', (chunk: Buffer) => next.push(chunk));
  ours.resume();
  await eventually(() => next.length === 1);
  theirs.write('again');
  await eventually(() => next.length === 2);
  assert.deepEqual([...first, ...next.map(String)], ['mine', 'yours', 'again']);
});

test('a socket that was given up can be taken over by another codec', async (t) => {
  const { ours, theirs } = await pair(t);
  const seen: string[] = [];
  const first = new SocketInput(ours, (chunk) => {
    seen.push(`first ${String(chunk)}`);
    first.stop();
    new SocketInput(ours, (next) => seen.push(`second ${String(next)}`)).start();
  });
  first.start();
  theirs.write('a');
  await eventually(() => seen.length === 1);
  theirs.write('b');
  await eventually(() => seen.length === 2);
  assert.deepEqual(seen, ['first a', 'second b']);
});

test('what is no socket of Node is read by its events', async () => {
  const stream = new PassThrough();
  const seen: string[] = [];
  // Only what the codecs ask of a socket.
  new SocketInput(stream as unknown as Socket, (chunk) => seen.push(String(chunk))).start();
  stream.write('x');
  await eventually(() => seen.length === 1);
  assert.deepEqual(seen, ['x']);
});
