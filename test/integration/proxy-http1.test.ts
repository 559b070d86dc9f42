// HTTP/1.1 and HTTP/1.0 end to end, byte by byte on both sides of an edge: what a client of any age and temper gets.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { connectRaw, type RawClient, startRawUpstream } from '../support/http-peers.ts';
import { edgeView, type EdgeViewOptions, startProxy } from '../support/proxy-harness.ts';

interface Ends {
  readonly client: RawClient;
  /** Who the first line of the access log says that it was. */
  logged(): Promise<unknown>;
  /** Everything that the app got so far, over all of its connections. */
  seen(): string;
  /** To the newest connection of the app. */
  say(bytes: string): void;
  /** Connections of the app that are open. */
  open(): number;
}

/** `answer`: what the app says to whatever comes; '' is nothing. */
async function start(t: TestContext, answer: string, options: EdgeViewOptions = {}): Promise<Ends> {
  let seen = '';
  let open = 0;
  let say = (_bytes: string): void => {};
  const port = await startRawUpstream(t, (socket) => {
    open += 1;
    say = (bytes) => void socket.write(bytes, 'latin1');
    socket.on('data', (data) => {
      seen += data.toString('latin1');
      if (answer !== '') say(answer);
    });
    socket.on('close', () => void (open -= 1));
  });
  const edge = await startProxy(t, { view: edgeView([port], options) });
  const client = await connectRaw(t, edge.port());
  const logged = async (): Promise<unknown> => (await edge.exchanges(1))[0]?.['client'];
  return { client, logged, seen: () => seen, say: (bytes) => say(bytes), open: () => open };
}

const EMPTY = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const CHUNKED =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n';

/** Everything until the connection ended. */
async function whole(client: RawClient): Promise<string> {
  await client.closed;
  return client.text();
}

test('absolute-form becomes origin-form, and its authority the Host that the app sees', async (t) => {
  const { client, seen } = await start(t, EMPTY);
  client.socket.write('GET http://shop.test:81/a/%7eb?c=d HTTP/1.1\r\nHost: other\r\n\r\n');
  await eventually(() => client.text().includes(' 200 '));
  assert.match(seen(), /^GET \/a\/~b\?c=d HTTP\/1\.1\r\nHost: shop\.test:81\r\n/);
  assert.doesNotMatch(seen(), /other/);
});

for (const target of ['*', 'http://a.test']) {
  test(`OPTIONS ${target} reaches the app as OPTIONS *`, async (t) => {
    const { client, seen } = await start(t, EMPTY);
    client.socket.write(`OPTIONS ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    await eventually(() => client.text().includes(' 200 '));
    assert.match(seen(), /^OPTIONS \* HTTP\/1\.1\r\nHost: a\.test\r\n/);
  });
}

test('names keep their case and order both ways, values every byte', async (t) => {
  const { client, seen } = await start(
    t,
    'HTTP/1.1 200 Fine\r\nX-lOUD: \xe4\tb\r\nset-COOKIE: a=b\r\nContent-Length: 0\r\n\r\n',
  );
  client.socket.write(
    'GET / HTTP/1.1\r\nHost: a\r\nAcCePt: x\r\nX-Odd: \xe4 "\t\r\nX_Y: 1\r\naccept: y\r\n\r\n',
    'latin1',
  );
  await eventually(() => client.text().includes('\r\n\r\n'));
  assert.match(seen(), /\r\nAcCePt: x\r\nX-Odd: \xe4 "\r\nX_Y: 1\r\naccept: y\r\n/);
  assert.match(client.text(), /^HTTP\/1\.1 200 Fine\r\nX-lOUD: \xe4\tb\r\nset-COOKIE: a=b\r\n/);
});

test('fields of one hop end here, and those that Connection names, both ways', async (t) => {
  const hop =
    'Connection: keep-alive, X-Mine\r\nKeep-Alive: timeout=9\r\nX-Mine: 1\r\nProxy-Connection: a\r\nX-Kept: 1\r\n';
  const { client, seen } = await start(t, `HTTP/1.1 200 OK\r\n${hop}Content-Length: 0\r\n\r\n`);
  client.socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${hop}TE: gzip\r\n\r\n`);
  await eventually(() => client.text().includes('\r\n\r\n'));
  for (const text of [seen(), client.text()]) {
    assert.match(text, /X-Kept: 1/);
    assert.doesNotMatch(text, /x-mine|keep-alive|proxy-connection|\bte:/i);
  }
});

test('a client of HTTP/1.0 gets no chunks, no trailers and no informational answers, and the end is the end', async (t) => {
  const { client, seen } = await start(t, `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${CHUNKED}`);
  client.socket.write('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
  const text = await whole(client);
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(text, /\r\nConnection: close\r\n\r\nhello world$/);
  assert.doesNotMatch(text, /chunked|X-Sum|Content-Length|103/i);
  assert.match(seen(), /^GET \/ HTTP\/1\.1\r\n[^]*via: 1\.0 /i);
});

test('an app of HTTP/1.0 ends its answers with the connection, and its client gets chunks and keeps its own', async (t) => {
  let answered = 0;
  const port = await startRawUpstream(t, (socket) => {
    socket.once('data', () => socket.end(`HTTP/1.0 200 OK\r\nX-Number: ${++answered}\r\n\r\nto the end`));
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const client = await connectRaw(t, edge.port());
  for (const number of [1, 2]) {
    client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await eventually(() => client.text().split('0\r\n\r\n').length === number + 1);
  }
  assert.match(
    client.text(),
    /X-Number: 1[^]*chunked\r\n[^]*\r\na\r\nto the end\r\n0\r\n\r\nHTTP\/1\.1 200[^]*X-Number: 2/,
  );
});

test('chunks and trailers pass both ways', async (t) => {
  const { client, seen, say } = await start(t, '');
  client.socket.write(
    'PUT / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n',
  );
  client.socket.write('3;odd=yes\r\nabc\r\n0\r\nX-T: 1\r\nHost: evil\r\n\r\n');
  await eventually(() => seen().includes('0\r\nX-T: 1\r\n\r\n'));
  assert.doesNotMatch(seen(), /evil|odd/);
  say(CHUNKED);
  await eventually(() => client.text().endsWith('0\r\nX-Sum: 1\r\n\r\n'));
});

test('an app that wants no body is heard at once: the body is not waited for, and the connection ends', async (t) => {
  const { client, seen } = await start(t, 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno');
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  const text = await whole(client);
  assert.match(text, /^HTTP\/1\.1 417 [^]*Connection: close\r\n\r\nno$/);
  assert.match(seen(), /Expect: 100-continue\r\n/);
  assert.doesNotMatch(seen(), /hello/);
});

test('100 and 103 come when the app says them, and the body then goes to it', async (t) => {
  const { client, seen, say } = await start(t, '');
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  await eventually(() => seen().includes('Expect: 100-continue'));
  assert.equal(client.text(), '');
  say('HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n');
  await eventually(() => client.text().endsWith('HTTP/1.1 100 Continue\r\n\r\n'));
  assert.match(client.text(), /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/style\.css>\r\n\r\n/);
  client.socket.write('hello');
  await eventually(() => seen().endsWith('hello'));
  say(EMPTY);
  await eventually(() => client.text().includes('HTTP/1.1 200 OK'));
});

for (const [method, answer, expected] of [
  ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n', /Content-Length: 500\r\n\r\n$/],
  ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', /^HTTP\/1\.1 200 OK\r\n(?:date: .+\r\n)?\r\n$/],
  ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', /^HTTP\/1\.1 204 No Content\r\ndate: .+\r\n\r\n$/],
  ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n', /Content-Length: 7\r\n\r\n$/],
] as const) {
  test(`an answer without a body leaves both connections usable: ${method} ${answer.split('\r\n').slice(0, 2).join(' ')}`, async (t) => {
    const { client, open } = await start(t, answer);
    client.socket.write(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    await eventually(() => client.text().endsWith('\r\n\r\n'));
    assert.match(client.text(), expected);
    client.socket.write(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    await eventually(() => client.text().match(/HTTP\/1\.1 /g)?.length === 2);
    assert.equal(open(), 1);
  });
}

test('a hundred requests in one read are answered in their order, and the app gets them one by one', async (t) => {
  const { client, seen } = await start(t, EMPTY);
  const request = (number: number): string => `GET /${number} HTTP/1.1\r\nHost: a\r\n\r\n`;
  client.socket.write(Array.from({ length: 100 }, (_, index) => request(index)).join(''));
  await eventually(() => client.text().match(/HTTP\/1\.1 200/g)?.length === 100);
  const order = [...seen().matchAll(/^GET \/(\d+) /gm)].map(([, number]) => Number(number));
  assert.deepEqual(
    order,
    Array.from({ length: 100 }, (_, index) => index),
  );
});

test('an answer that comes before its request is whole ends the exchange, and the rest of the body reaches nobody', async (t) => {
  const { client, seen } = await start(t, 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  client.socket.write('POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n');
  await eventually(() => client.text().endsWith('no'));
  client.socket.write(
    `${'GET /inside HTTP/1.1\r\nHost: a\r\n\r\n'.padEnd(40, 'x')}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`,
  );
  await eventually(() => client.text().match(/403 Forbidden/g)?.length === 2);
  assert.doesNotMatch(seen(), /inside/);
  assert.match(seen(), /GET \/next /);
});

test('Upgrade to h2c is not passed on, and the request is an ordinary one', async (t) => {
  const { client, seen } = await start(t, EMPTY);
  const fields = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
  client.socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`);
  await eventually(() => client.text().includes(' 200 OK'));
  assert.doesNotMatch(seen(), /upgrade|h2c|http2-settings/i);
});

test('what a client says of where it comes from is believed of trusted proxies only', async (t) => {
  const said = 'X-Forwarded-For: 6.6.6.6, 198.51.100.4\r\nX-Forwarded-Proto: https\r\n';
  const outside = await start(t, EMPTY);
  outside.client.socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${said}\r\n`);
  await eventually(() => outside.client.text() !== '');
  assert.match(outside.seen(), /x-forwarded-for: 127\.0\.0\.1\r\nx-forwarded-proto: http\r\n/);
  assert.doesNotMatch(outside.seen(), /6\.6\.6\.6|198\.51/);
  assert.equal(await outside.logged(), '127.0.0.1');
  const inside = await start(t, EMPTY, { trustedProxies: ['127.0.0.0/8'], forwarded: 'both' });
  inside.client.socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${said}\r\n`);
  await eventually(() => inside.client.text() !== '');
  assert.match(inside.seen(), /x-forwarded-for: 198\.51\.100\.4, 127\.0\.0\.1\r\nx-forwarded-proto: https\r\n/);
  assert.equal(await inside.logged(), '198.51.100.4');
  assert.match(inside.seen(), /forwarded: for=127\.0\.0\.1;host=a;proto=http\r\n/);
});
