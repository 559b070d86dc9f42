// Shared connections to an app that speaks HTTP/2 by prior knowledge and has ideas of its own about them.
import assert from 'node:assert/strict';
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { View } from '../../core/model/view.ts';
import { ask } from '../support/http-peers.ts';
import { edgeView, startProxy } from '../support/proxy-harness.ts';

async function startApp(
  t: TestContext,
  settings: { maxConcurrentStreams?: number },
  onStream: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void,
): Promise<{ port: number; server: Http2Server }> {
  const server = createServer({ settings });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      stream.resume();
      onStream(stream, session);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

function http2View(port: number): View {
  const view = edgeView([port]);
  const clusters = [...view.clusters].map(([name, cluster]) => [name, { ...cluster, protocol: 'http2' }] as const);
  return { ...view, clusters: new Map(clusters) };
}

const posts = (port: number, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, async () => (await ask(port, '/', { method: 'POST', body: 'x' })).status));

test('an app that takes two streams at a time gets two at a time, and every request gets its answer', async (t) => {
  const most = new Map<ServerHttp2Session, number>();
  const now = new Map<ServerHttp2Session, number>();
  const { port } = await startApp(t, { maxConcurrentStreams: 2 }, (stream, session) => {
    now.set(session, (now.get(session) ?? 0) + 1);
    most.set(session, Math.max(most.get(session) ?? 0, now.get(session) ?? 0));
    setImmediate(() => {
      now.set(session, (now.get(session) ?? 0) - 1);
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
  });
  const edge = await startProxy(t, { view: http2View(port) });
  const statuses = await posts(edge.port(), 200);
  assert.deepEqual([...new Set(statuses)], [200]);
  assert.ok(most.size <= 4, `${most.size} connections`);
  for (const streams of most.values()) assert.ok(streams <= 2, `${streams} streams at a time`);
});

test('an app that goes away after every few requests loses none', async (t) => {
  const seen = new Map<ServerHttp2Session, number>();
  const { port } = await startApp(t, {}, (stream, session) => {
    const count = (seen.get(session) ?? 0) + 1;
    seen.set(session, count);
    stream.respond({ ':status': 200 });
    stream.end('ok');
    // GOAWAY with the last stream that it takes; what was opened after that was not processed.
    if (count === 7) session.close();
  });
  const edge = await startProxy(t, { view: http2View(port) });
  for (let round = 0; round < 10; round++) {
    assert.deepEqual([...new Set(await posts(edge.port(), 20))], [200]);
  }
  assert.ok(seen.size > 10, `${seen.size} connections`);
});
