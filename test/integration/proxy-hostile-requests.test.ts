// Every trick of the codec's own table, over real sockets through an edge: a status, the end of the connection, and nothing
// at the app that it could take for a request.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ERRORS } from '../../core/kit/error-table.ts';
import { eventually } from '../support/eventually.ts';
import { connectRaw, startRawUpstream, startUpstream } from '../support/http-peers.ts';
import { edgeView, type ProxyHarness, startProxy } from '../support/proxy-harness.ts';
import { HOSTILE_BODIES, HOSTILE_HEADS, type HostileRequest } from '../unit/proxy/http1/hostile-requests.ts';

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

interface Watched {
  readonly edge: ProxyHarness;
  /** Everything that came to the app. */
  seen(): string;
}

async function watch(t: TestContext): Promise<Watched> {
  let seen = '';
  const port = await startRawUpstream(t, (socket) => {
    socket.on('data', (data) => void (seen += data.toString('latin1')));
  });
  return { edge: await startProxy(t, { view: edgeView([port]) }), seen: () => seen };
}

/** What the client gets, to the end of the connection. */
async function send(t: TestContext, edge: ProxyHarness, bytes: string): Promise<string> {
  const client = await connectRaw(t, edge.port());
  client.socket.write(bytes, 'latin1');
  await client.closed;
  return client.text();
}

function assertRefused(answer: string, [what, , code]: HostileRequest): void {
  const { http } = ERRORS[code];
  assert.ok(answer.startsWith(`HTTP/1.1 ${http} `), `${what}: ${answer.slice(0, 60)}`);
  assert.ok(answer.includes(`\r\nx-weft-error: ${code}\r\n`), what);
  assert.match(answer, /\r\nConnection: close\r\n/, what);
  assert.match(answer, /"requestId":"[0-9a-f]{32}"\}\n$/, what);
  assert.equal(answer.match(/^HTTP\/1\.1 \d/gm)?.length, 1, `${what}: one answer and no more`);
}

test('a head that can be read in two ways gets its status, the connection closes, and the app sees nothing', async (t) => {
  const { edge, seen } = await watch(t);
  // The preface of HTTP/2 is no trick on a listener that speaks it.
  const rows = HOSTILE_HEADS.filter(([, bytes]) => !bytes.startsWith('PRI * HTTP/2.0'));
  for (const row of rows) assertRefused(await send(t, edge, row[1] + SMUGGLED), row);
  assert.equal(seen(), '');
  assert.equal((await edge.exchanges(rows.length)).length, rows.length);
});

test('a body that can be read in two ways is cut off at the app, which never sees it end', async (t) => {
  const { edge, seen } = await watch(t);
  for (const row of HOSTILE_BODIES) assertRefused(await send(t, edge, row[1] + SMUGGLED), row);
  assert.doesNotMatch(seen(), /smuggled/);
  assert.doesNotMatch(seen(), /\r\n0\r\n/);
});

test('what comes behind a refused head in the same read is not read, even where it alone would be valid', async (t) => {
  const seen: string[] = [];
  const upstream = await startUpstream(t, (incoming, response) => {
    seen.push(incoming.url ?? '');
    response.end('first\n');
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const valid = 'GET /first HTTP/1.1\r\nHost: a\r\n\r\n';
  const answer = await send(t, edge, `${valid}GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${SMUGGLED}`);
  assert.deepEqual(answer.match(/^HTTP\/1\.1 \d+/gm), ['HTTP/1.1 200', 'HTTP/1.1 400']);
  assert.deepEqual(seen, ['/first']);
});

test('bodies of many clients that come in pieces at the same time never mix', async (t) => {
  const port = await startRawUpstream(t, (socket) => {
    let got = '';
    socket.on('data', (data) => {
      got += data.toString('latin1');
      const end = got.indexOf('\r\n0\r\n\r\n');
      if (end < 0) return;
      const letters = got.slice(got.indexOf('\r\n\r\n') + 4, end).replaceAll(/[0-9a-f]+\r\n|\r\n/g, '');
      got = got.slice(end + 7);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${letters.length}\r\n\r\n${letters}`);
    });
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectRaw(t, edge.port())));
  // Letters that are no hexadecimal digits, a different one for each client.
  const letter = (index: number): string => String.fromCharCode(71 + index);
  for (const client of clients) client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  for (let round = 0; round < 20; round++) {
    for (const [index, client] of clients.entries()) {
      const size = 1 + ((index * 7 + round * 13) % 40);
      client.socket.write(`${size.toString(16)}\r\n${letter(index).repeat(size)}\r\n`.slice(0, 3));
      client.socket.write(`${size.toString(16)}\r\n${letter(index).repeat(size)}\r\n`.slice(3));
    }
    await new Promise((done) => setImmediate(done));
  }
  for (const client of clients) client.socket.write('0\r\n\r\n');
  for (const [index, client] of clients.entries()) {
    await eventually(() => /\r\n\r\n./.test(client.text()));
    const body = client.text().split('\r\n\r\n')[1] ?? '';
    assert.equal(body, letter(index).repeat(body.length));
  }
});
