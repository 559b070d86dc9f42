// Clients and upstreams that break off wherever they can: nothing may leak, hang or be recorded twice.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { seededRandom } from '../../core/kit/random.ts';
import { eventually } from '../support/eventually.ts';
import { startRawUpstream } from '../support/http-peers.ts';
import { edgeView, startProxy } from '../support/proxy-harness.ts';

const CLIENTS = 24;
const REQUESTS = 12;

/** Answers, breaks off in the head, in the body or at once, is slow, or closes afterwards. */
function unreliableUpstream(t: TestContext, random: () => number): Promise<number> {
  return startRawUpstream(t, (socket) => {
    let waiting = '';
    socket.on('data', (data) => {
      waiting += data.toString('latin1');
      for (let end = waiting.indexOf('\r\n\r\n'); end !== -1; end = waiting.indexOf('\r\n\r\n')) {
        const length = Number(/content-length: (\d+)/i.exec(waiting.slice(0, end))?.[1] ?? 0);
        if (waiting.length < end + 4 + length) return;
        waiting = waiting.slice(end + 4 + length);
        setTimeout(() => misbehave(socket, random()), random() * 8);
      }
    });
  });
}

function misbehave(socket: Socket, chance: number): void {
  if (socket.destroyed || socket.writableEnded) return;
  const body = 'x'.repeat(3_000);
  if (chance < 0.1) socket.destroy();
  else if (chance < 0.15) socket.resetAndDestroy();
  else if (chance < 0.2) socket.end('HTTP/1.1 200 O');
  else if (chance < 0.3) socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n${body}`);
  else if (chance < 0.35) socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel');
  else if (chance < 0.4) socket.write('no http at all\r\n\r\n');
  else if (chance < 0.5) socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3000\r\n\r\n${body}`);
  else if (chance < 0.6) socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n');
  else if (chance < 0.62) return;
  else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n${body}`);
}

/** One connection that sends requests, pipelined or cut short, and goes away at some time. */
async function unreliableClient(port: number, random: () => number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  const closed = new Promise<void>((done) => {
    socket.on('close', () => done());
  });
  for (let i = 0; i < REQUESTS && !socket.destroyed; i++) {
    const chance = random();
    if (chance < 0.5) socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    else if (chance < 0.8) socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n${'y'.repeat(500)}`);
    else if (chance < 0.85) socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nonly a part');
    else if (chance < 0.9)
      socket.write('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
    else if (chance < 0.93 && !socket.writableEnded) socket.resetAndDestroy();
    else if (chance < 0.96) socket.end();
    else socket.pause();
    await new Promise((done) => setTimeout(done, random() * 15));
  }
  socket.resume();
  await Promise.race([closed, new Promise((done) => setTimeout(done, 300))]);
  socket.destroy();
  await closed;
}

test('whatever breaks off, every exchange ends once and gives back what it held', async (t) => {
  const random = seededRandom(7);
  const ports = [await unreliableUpstream(t, random), await unreliableUpstream(t, random)];
  const edge = await startProxy(t, { view: edgeView(ports, { timeout: 250 }) });
  await Promise.all(Array.from({ length: CLIENTS }, () => unreliableClient(edge.port(), random)));
  const [acceptor] = edge.proxy.acceptors;
  await eventually(() => acceptor?.counts.open === 0);
  const pools = edge.proxy.clusters.states.get('up')?.pools ?? [];
  await eventually(() => pools.every(({ active }) => active === 0));
  const lines = await edge.exchanges(1);
  const ids = lines.map((line) => line['requestId']).filter((id) => id !== '');
  assert.equal(new Set(ids).size, ids.length, 'an exchange was recorded twice');
  const counted = edge.stats.series.reduce(
    (sum, { byStatusClass }) => sum + byStatusClass.reduce((a, b) => a + b, 0),
    0,
  );
  assert.equal(counted, lines.length);
  // All of these are frequent enough to be met whatever the timing.
  const codes = new Set(lines.map((line) => line['code']));
  for (const code of ['', 'upstream-closed', 'upstream-reset', 'upstream-protocol', 'downstream-closed']) {
    assert.ok(codes.has(code), `${code} never happened: ${[...codes].join(', ')}`);
  }
});
