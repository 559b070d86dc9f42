import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type SpliceEnd, splice } from '../../../../proxy/forward/splice.ts';
import { SocketTunnel } from '../../../../proxy/kit/socket-tunnel.ts';
import { eventually } from '../../../support/eventually.ts';

/** Two connected sockets: the far end and the near one. */
async function pair(t: TestContext): Promise<{ far: Socket; near: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const near = new Promise<Socket>((done) => server.once('connection', done));
  const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  far.on('error', () => {});
  const both = { far, near: await near };
  t.after(() => {
    both.far.destroy();
    both.near.destroy();
    server.close();
  });
  return both;
}

interface Spliced {
  readonly client: Socket;
  readonly server: Socket;
  ended(): SpliceEnd | null;
}

async function spliced(t: TestContext, early: Buffer | null = null): Promise<Spliced> {
  const down = await pair(t);
  const up = await pair(t);
  let end: SpliceEnd | null = null;
  down.near.pause();
  up.near.pause();
  splice(new SocketTunnel(down.near, early), new SocketTunnel(up.near, null), (value) => {
    assert.equal(end, null, 'ended twice');
    end = value;
  });
  return { client: down.far, server: up.far, ended: () => end };
}

function collect(socket: Socket): () => string {
  let text = '';
  socket.on('data', (data) => {
    text += data.toString();
  });
  return () => text;
}

test('bytes pass both ways, early ones first, and are counted', async (t) => {
  const { client, server, ended } = await spliced(t, Buffer.from('early '));
  const atServer = collect(server);
  const atClient = collect(client);
  client.write('question');
  await eventually(() => atServer() === 'early question');
  server.end('answer');
  await eventually(() => atClient() === 'answer');
  client.end();
  await eventually(() => ended() !== null);
  assert.deepEqual(ended(), { fromDownstream: 14, fromUpstream: 6, broken: false });
});

test('one side may end while the other still speaks', async (t) => {
  const { client, server, ended } = await spliced(t);
  const atClient = collect(client);
  server.on('end', () => {
    server.write('still ');
    server.end('speaking');
  });
  server.resume();
  client.end();
  await eventually(() => atClient() === 'still speaking');
  await eventually(() => ended() !== null);
});

test('a side that breaks takes the other with it', async (t) => {
  const { client, server, ended } = await spliced(t);
  server.resume();
  const broken = new Promise<Error>((done) => server.on('error', done));
  client.resetAndDestroy();
  assert.match((await broken).message, /ECONNRESET/);
  await eventually(() => ended() !== null);
  assert.equal(ended()?.broken, true);
});

test('a side that does not read holds the other back', async (t) => {
  const { client, server } = await spliced(t);
  server.pause();
  const chunk = Buffer.alloc(65_536);
  let sent = 0;
  const more = (): void => {
    while (sent < 2_000) {
      sent += 1;
      if (!client.write(chunk)) return;
    }
  };
  client.on('drain', more);
  more();
  let before = -1;
  await eventually(() => {
    const still = sent === before;
    before = sent;
    return still;
  });
  assert.ok(sent < 1_000, `${sent} chunks of 64 KiB were taken`);
  server.resume();
  await eventually(() => sent === 2_000);
});
