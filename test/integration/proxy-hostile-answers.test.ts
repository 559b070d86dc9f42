// Services that answer with anything: their caller gets a 502 or an answer that is visibly cut, and nobody else gets a byte of it.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ask, connectRaw, startRawUpstream } from '../support/http-peers.ts';
import { outboundView, startCallee, startCaller } from '../support/mesh-pair.ts';
import { edgeView, type ProxyHarness, startProxy } from '../support/proxy-harness.ts';
import { makeTestAuthority } from '../support/test-authority.ts';

type Row = readonly [what: string, bytes: string, fields?: string];

const ok = (fields: string, body = ''): string => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const POISON = ok('Content-Length: 6\r\n', 'poison');

/** Nothing of these is an answer. */
const REFUSED: readonly Row[] = [
  ['both Content-Length and Transfer-Encoding', ok(`Content-Length: 2\r\n${CHUNKED}`, '0\r\n\r\n')],
  ['two Content-Lengths that differ', ok('Content-Length: 2\r\nContent-Length: 40\r\n', 'ok')],
  ['two Content-Lengths that agree', ok('Content-Length: 2\r\nContent-Length: 2\r\n', 'ok')],
  ['a list of Content-Lengths', ok('Content-Length: 2, 2\r\n', 'ok')],
  ['a Content-Length that is no number', ok('Content-Length: 0x2\r\n', 'ok')],
  ['a coding besides chunked', ok('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
  ['chunked twice', ok(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n')],
  ['chunked with a vertical tab', ok('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')],
  ['a folded field', ok('X-A: 1\r\n 2\r\nContent-Length: 2\r\n', 'ok')],
  ['a space before the colon', ok('Content-Length : 2\r\n', 'ok')],
  ['bare LF after a field', 'HTTP/1.1 200 OK\r\nX-A: 1\nContent-Length: 2\r\n\r\nok'],
  ['bare LF everywhere', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
  ['bare CR in a value', ok('X-A: 1\rSet-Cookie: a=b\r\nContent-Length: 2\r\n', 'ok')],
  ['NUL in a value', ok('X-A: a\0b\r\nContent-Length: 2\r\n', 'ok')],
  ['a field name that is no token', ok('X\xe4: b\r\nContent-Length: 2\r\n', 'ok')],
  ['an empty field name', ok(': b\r\nContent-Length: 2\r\n', 'ok')],
  ['a line without a colon', ok('Content-Length\r\n')],
  ['an empty line before the status line', `\r\n${ok('Content-Length: 2\r\n', 'ok')}`],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['HTTP/0.9', 'ok'.repeat(100)],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['a status above 599', 'HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nok'],
  ['a control character in the reason', 'HTTP/1.1 200 O\x1bK\r\nContent-Length: 2\r\n\r\nok'],
  [
    'a 101 that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  ],
  [
    'a 101 to another protocol than was asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n',
    'Connection: upgrade\r\nUpgrade: websocket\r\n',
  ],
  [
    'a 101 to h2c',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
    'Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
  ],
  ['header fields beyond 60 KiB', ok(`X-A: ${'a'.repeat(62_000)}\r\nContent-Length: 2\r\n`, 'ok')],
  ['more than a hundred fields', ok(`${'X-A: b\r\n'.repeat(101)}Content-Length: 2\r\n`, 'ok')],
  ['informational answers without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50)],
  ['an end in the middle of the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
];

/** The head is good, the body is not, or ends too early. */
const CUT: readonly Row[] = [
  ['a chunk size that is no number', ok(CHUNKED, '2\r\nok\r\nzz\r\n')],
  ['a chunk size that overflows', ok(CHUNKED, '2\r\nok\r\n10000000000000002\r\nok\r\n0\r\n\r\n')],
  ['a chunk that is longer than it says', ok(CHUNKED, '2\r\nok\r\n2\r\nokay\r\n0\r\n\r\n')],
  ['bare LF after a chunk', ok(CHUNKED, '2\r\nok\r\n2\r\nok\n0\r\n\r\n')],
  ['bare LF after a chunk size', ok(CHUNKED, '2\r\nok\r\n2\nok\r\n0\r\n\r\n')],
  ['an answer where trailers should be', ok(CHUNKED, `2\r\nok\r\n0\r\n${POISON}`)],
  ['framing among the trailers', ok(CHUNKED, '2\r\nok\r\n0\r\nContent-Length: 2\r\n\r\n')],
  ['an end before the length is reached', ok('Content-Length: 20\r\n', 'ok')],
  ['an end before the last chunk', ok(CHUNKED, '2\r\nok\r\n')],
  ['an end inside a chunk', ok(CHUNKED, '2\r\nok\r\n20\r\no')],
  ['an end before the last empty line', ok(CHUNKED, '2\r\nok\r\n0\r\n')],
];

/** Whole answers with something behind them that belongs to nobody. */
const FOLLOWED: readonly Row[] = [
  ['a second answer', ok('Content-Length: 2\r\n', 'ok') + POISON],
  ['a body longer than its length', ok('Content-Length: 2\r\n', 'ok, and more')],
  ['a body in spite of 204', `HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\n${POISON}`],
  ['a body in spite of 304', `HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\n${POISON}`],
  ['bytes behind the last chunk', ok(CHUNKED, `2\r\nok\r\n0\r\n\r\n${POISON}`)],
];

interface Service {
  readonly edge: ProxyHarness;
  connections(): number;
}

/** Says its bytes to the first request and ends; answers every other one with `fine`. */
async function startService(t: TestContext, bytes: string, end: boolean): Promise<Service> {
  let connections = 0;
  let first = true;
  const port = await startRawUpstream(t, (socket) => {
    connections += 1;
    socket.on('data', () => {
      if (first) socket.write(bytes, 'latin1', () => void (end && socket.end()));
      else socket.write(ok('Content-Length: 4\r\n', 'fine'));
      first = false;
    });
  });
  return { edge: await startProxy(t, { view: edgeView([port]) }), connections: () => connections };
}

const request = (fields = ''): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n${fields}\r\n`;

async function exchange(t: TestContext, edge: ProxyHarness, fields: string | undefined): Promise<string> {
  const client = await connectRaw(t, edge.port());
  // The second is what must not be answered with what is left of the first answer.
  client.socket.write(request(fields) + request());
  await eventually(() => client.socket.closed || client.text().endsWith('fine'));
  return client.text();
}

for (const [what, bytes, fields] of REFUSED) {
  test(`an answer that is none is 502, and the next caller gets its own: ${what}`, async (t) => {
    const { edge, connections } = await startService(t, bytes, true);
    const text = await exchange(t, edge, fields);
    const answers = text.split(/^(?=HTTP\/1\.1 [2-5])/m).filter((answer) => !answer.startsWith('HTTP/1.1 103'));
    assert.match(answers[0] ?? '', /^HTTP\/1\.1 502 [^]*x-weft-error: upstream-(?:protocol|reset)\r\n/);
    assert.match(answers[1] ?? '', /^HTTP\/1\.1 200 [^]*\r\n\r\nfine$/);
    assert.equal(answers.length, 2);
    assert.equal(connections(), 2);
    assert.equal((await ask(edge.port(), '/')).body, 'fine');
  });
}

for (const [what, bytes] of CUT) {
  test(`an answer that breaks off is visibly cut, and the next caller gets its own: ${what}`, async (t) => {
    const { edge, connections } = await startService(t, bytes, true);
    await assert.rejects(ask(edge.port(), '/', { method: 'POST' }), /aborted|hang up|ECONNRESET/);
    assert.equal((await ask(edge.port(), '/')).body, 'fine');
    assert.equal(connections(), 2);
    const [line] = await edge.exchanges(1);
    assert.match(String(line?.['code']), /^upstream-(?:protocol|reset)$/);
  });
}

for (const [what, bytes] of FOLLOWED) {
  test(`what follows an answer is nobody's, and its connection is not used again: ${what}`, async (t) => {
    const { edge, connections } = await startService(t, bytes, false);
    const text = await exchange(t, edge, undefined);
    assert.doesNotMatch(text, /poison|more/);
    assert.match(text, /^HTTP\/1\.1 (?:200|204|304) [^]*HTTP\/1\.1 200 [^]*\r\n\r\nfine$/);
    assert.equal(connections(), 2);
  });
}

test('bytes that come on an idle connection are not the answer to the next request', async (t) => {
  const port = await startRawUpstream(t, (socket) => {
    socket.once('data', () => {
      socket.write(ok('Content-Length: 2\r\n', 'ok'));
      setImmediate(() => socket.write(POISON));
    });
    socket.on('close', () => void (closed += 1));
  });
  let closed = 0;
  const edge = await startProxy(t, { view: edgeView([port]) });
  assert.equal((await ask(edge.port(), '/')).body, 'ok');
  await eventually(() => closed === 1);
  assert.equal((await ask(edge.port(), '/')).body, 'ok');
});

test('a body that only the end of its connection ends is cut visibly where the service was reset', async (t) => {
  let reset = (): void => {};
  const port = await startRawUpstream(t, (socket) => {
    reset = () => void socket.resetAndDestroy();
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nsome'));
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const client = await connectRaw(t, edge.port());
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => client.text().endsWith('some\r\n'));
  reset();
  await client.closed;
  assert.doesNotMatch(client.text(), /\r\n0\r\n/);
  const old = await connectRaw(t, edge.port());
  let cut = false;
  old.socket.on('error', () => void (cut = true));
  old.socket.write('GET / HTTP/1.0\r\n\r\n');
  await eventually(() => old.text().endsWith('some'));
  reset();
  await old.closed;
  assert.ok(cut, 'an end would have looked like the end of the body');
});

test('behind two sidecars it is the same: 502 where there is no answer, a cut where one breaks off', async (t) => {
  const rows = [...REFUSED.filter(([, , fields]) => fields === undefined), ...CUT];
  let bytes = '';
  const app = await startRawUpstream(t, (socket) => {
    socket.on('data', () => {
      if (bytes === '') socket.write(ok('Content-Length: 4\r\n', 'fine'));
      else socket.write(bytes, 'latin1', () => void socket.end());
    });
  });
  const authority = await makeTestAuthority();
  const payments = await startCallee(t, authority, app);
  const orders = await startCaller(t, authority, outboundView([payments.port('inbound')]));
  const port = orders.port('outbound/payments');
  for (const [what, answer] of rows) {
    bytes = answer;
    const asked = ask(port, '/charge', { method: 'POST' });
    if (CUT.some(([cut]) => cut === what)) await assert.rejects(asked, /aborted|hang up|ECONNRESET/, what);
    else assert.equal((await asked).status, 502, what);
    bytes = '';
    assert.equal((await ask(port, '/charge', { method: 'POST' })).body, 'fine', what);
  }
});
