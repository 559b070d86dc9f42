// What callers see when an upstream fails, and what is tried again.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ask, closedPort, connectRaw, startRawUpstream, startUpstream } from '../support/http-peers.ts';
import { edgeView, route, startProxy } from '../support/proxy-harness.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('an endpoint that cannot be reached is left for the second one, also with a body', async (t) => {
  const dead = await closedPort();
  const bodies: string[] = [];
  const upstream = await startUpstream(t, (incoming, response) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    incoming.on('end', () => {
      bodies.push(body);
      response.end('ok');
    });
  });
  const edge = await startProxy(t, { view: edgeView([dead, upstream.port]) });
  // Round robin: within two requests both endpoints come first once.
  for (let i = 0; i < 4; i++) {
    const answer = await ask(edge.port(), '/', { method: 'POST', body: `body ${i}` });
    assert.equal(answer.status, 200);
  }
  assert.deepEqual(bodies, ['body 0', 'body 1', 'body 2', 'body 3']);
  const lines = await edge.exchanges(4);
  assert.deepEqual(lines.map((line) => line['attempts']).sort(), [1, 1, 2, 2]);
  assert.ok(lines.every((line) => line['endpoint'] === `127.0.0.1:${upstream.port}` && line['flag'] === '-'));
  assert.equal(edge.stats.series[0]?.retries, 2);
});

test('an upload of any size is given to the second endpoint where the first cannot be reached', async (t) => {
  const dead = await closedPort();
  const lengths: number[] = [];
  const upstream = await startUpstream(t, (incoming, response) => {
    let length = 0;
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    incoming.on('end', () => {
      lengths.push(length);
      response.end('ok');
    });
  });
  const edge = await startProxy(t, { view: edgeView([dead, upstream.port]) });
  for (let i = 0; i < 6; i++) {
    const answer = await ask(edge.port(), '/', { method: 'POST', body: Buffer.alloc(1_000_000, 'x') });
    assert.equal(answer.status, 200);
  }
  assert.deepEqual(new Set(lengths), new Set([1_000_000]));
  assert.equal(edge.stats.series[0]?.retries, 3);
});

test('where no endpoint can be reached the caller gets 503 with the code and nothing more', async (t) => {
  const edge = await startProxy(t, { view: edgeView([await closedPort(), await closedPort()]) });
  const answer = await ask(edge.port(), '/');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['x-weft-error'], 'connect-failed');
  assert.equal(answer.headers['content-type'], 'application/json');
  const body = JSON.parse(answer.body) as { error: { code: string; message: string }; requestId: string };
  assert.equal(body.error.code, 'connect-failed');
  assert.doesNotMatch(answer.body, /127\.0\.0\.1|ECONNREFUSED/);
  const [line] = await edge.exchanges(1);
  assert.equal(line?.['requestId'], body.requestId);
  assert.equal(line?.['flag'], 'UF');
  assert.equal(line?.['attempts'], 2);
  assert.match(String(line?.['detail']), /ECONNREFUSED/);
});

test('a cluster without endpoints is 503 no-endpoint', async (t) => {
  const edge = await startProxy(t, { view: edgeView([]) });
  const answer = await ask(edge.port(), '/');
  assert.equal(answer.status, 503);
  assert.equal(answer.headers['x-weft-error'], 'no-endpoint');
});

test('a lost connection is tried again for GET and PUT, never for POST', async (t) => {
  const seen: string[] = [];
  const losing = await startRawUpstream(t, (socket) => {
    socket.on('data', (data) => {
      seen.push(data.toString().split(' ')[0] ?? '');
      socket.destroy();
    });
  });
  const upstream = await startUpstream(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('ok'));
  });
  const edge = await startProxy(t, { view: edgeView([losing, upstream.port]) });
  const statuses = async (method: string): Promise<number[]> => {
    const body = method === 'GET' ? {} : { body: 'x' };
    const both = [await ask(edge.port(), '/', { method, ...body }), await ask(edge.port(), '/', { method, ...body })];
    return both.map(({ status }) => status).sort();
  };
  assert.deepEqual(await statuses('GET'), [200, 200]);
  assert.deepEqual(await statuses('PUT'), [200, 200]);
  assert.deepEqual(await statuses('POST'), [200, 503]);
  assert.equal(seen.filter((method) => method === 'POST').length, 1);
  const lines = await edge.exchanges(6);
  const lost = lines.filter((line) => line['status'] === 503);
  assert.equal(lost.length, 1);
  assert.equal(lost[0]?.['code'], 'upstream-closed');
  assert.equal(lost[0]?.['flag'], 'UC');
});

test('a request on pooled connections that all went stale is answered over a fresh one', async (t) => {
  let requests = 0;
  const port = await startRawUpstream(t, (socket) => {
    let mine = 0;
    socket.on('data', () => {
      mine += 1;
      requests += 1;
      // Every connection answers once and is lost on its second request, as after a restart.
      if (mine === 1) socket.write(OK);
      else socket.destroy();
    });
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const both = await Promise.all([ask(edge.port(), '/1'), ask(edge.port(), '/2')]);
  assert.deepEqual(
    both.map(({ status }) => status),
    [200, 200],
  );
  assert.equal((await ask(edge.port(), '/3')).status, 200);
  assert.equal(requests, 4);
});

test('an upload that is too long to keep is not sent twice', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('ok'));
  });
  let got = 0;
  const losing = await startRawUpstream(t, (socket) => {
    socket.on('data', (data) => {
      got += data.length;
      if (got > 200_000) socket.destroy();
    });
  });
  const edge = await startProxy(t, { view: edgeView([losing, upstream.port]) });
  const body = Buffer.alloc(400_000, 'x');
  const answers = await Promise.allSettled([
    ask(edge.port(), '/', { method: 'PUT', body }),
    ask(edge.port(), '/', { method: 'PUT', body }),
  ]);
  const lines = await edge.exchanges(2);
  assert.equal(answers.length, 2);
  const failed = lines.filter((line) => line['code'] === 'upstream-closed');
  assert.equal(failed.length, 1);
  assert.equal(failed[0]?.['attempts'], 1);
});

test('an answer that is cut reaches the client as cut: with a length, and chunked', async (t) => {
  const port = await startRawUpstream(t, (socket) => {
    socket.on('data', (data) => {
      const chunked = data.toString().startsWith('GET /chunked');
      const head = chunked ? 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n' : 'Content-Length: 100\r\n\r\nhello';
      socket.write(`HTTP/1.1 200 OK\r\n${head}`, () => setImmediate(() => socket.destroy()));
    });
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  await assert.rejects(ask(edge.port(), '/length'));
  await assert.rejects(ask(edge.port(), '/chunked'));
  const lines = await edge.exchanges(2);
  assert.deepEqual(
    lines.map((line) => [line['status'], line['flag'], line['code']]),
    [
      [200, 'UR', 'upstream-reset'],
      [200, 'UR', 'upstream-reset'],
    ],
  );
});

test('an upstream that does not answer in time is 504 and its connection is closed', async (t) => {
  let closed = false;
  const port = await startRawUpstream(t, (socket) => {
    socket.on('data', () => {});
    socket.on('close', () => {
      closed = true;
    });
  });
  const edge = await startProxy(t, { view: edgeView([port], { timeout: 150 }) });
  const answer = await ask(edge.port(), '/');
  assert.equal(answer.status, 504);
  assert.equal(answer.headers['x-weft-error'], 'upstream-timeout');
  await eventually(() => closed);
  assert.equal((await edge.exchanges(1))[0]?.['flag'], 'UT');
});

test('the timeout runs from the end of a slow upload', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('ok'));
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port], { timeout: 200 }) });
  const client = await connectRaw(t, edge.port());
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n');
  const began = performance.now();
  // Each byte comes within the timeout, all of them do not.
  const timer = setInterval(() => client.socket.write('x'), 60);
  t.after(() => clearInterval(timer));
  await eventually(() => client.text().includes('ok'));
  clearInterval(timer);
  assert.ok(performance.now() - began > 400);
  assert.match(client.text(), /^HTTP\/1\.1 200 /);
});

test('a silent endpoint is given up after the connect timeout', async (t) => {
  // TEST-NET-1 (RFC 5737) answers nowhere; where the network refuses at once the code is the same.
  const view = edgeView([], { connectTimeout: 200 });
  const endpoints = [{ id: 'silent', host: '192.0.2.1', port: 9, weight: 1 }];
  const cluster = view.clusters.get('up');
  assert.ok(cluster);
  const edge = await startProxy(t, {
    view: { ...view, endpoints: new Map([['up', { cluster: cluster.name, endpoints }]]) },
  });
  const answer = await ask(edge.port(), '/');
  assert.equal(answer.headers['x-weft-error'], 'connect-failed');
});

test('a client that goes away cancels the upstream', async (t) => {
  let aborted = false;
  const upstream = await startUpstream(t, (incoming) => {
    incoming.socket.on('close', () => {
      aborted = true;
    });
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const client = await connectRaw(t, edge.port());
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await eventually(() => upstream.connections() === 1);
  client.socket.resetAndDestroy();
  await eventually(() => aborted);
  const [line] = await edge.exchanges(1);
  assert.equal(line?.['status'], 499);
  assert.equal(line?.['flag'], 'DC');
  assert.equal(edge.proxy.clusters.states.get('up')?.pools[0]?.active, 0);
});

test('an upstream that does not speak HTTP is 502', async (t) => {
  const port = await startRawUpstream(t, (socket) => {
    socket.on('data', () => socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n'));
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const answer = await ask(edge.port(), '/');
  assert.equal(answer.status, 502);
  assert.equal(answer.headers['x-weft-error'], 'upstream-protocol');
});

test('a head that is no HTTP is answered, counted and logged like the rest', async (t) => {
  const edge = await startProxy(t, { view: edgeView([]) });
  const client = await connectRaw(t, edge.port());
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
  await client.closed;
  assert.match(client.text(), /^HTTP\/1\.1 400 /);
  const [line] = await edge.exchanges(1);
  assert.equal(line?.['code'], 'bad-request');
  assert.equal(line?.['flag'], 'DPE');
  const said = /"requestId":"([0-9a-f]{32})"/.exec(client.text());
  assert.equal(line?.['requestId'], said?.[1]);
});

test('a body that breaks after its head was handed on is answered with the code and a request id', async (t) => {
  const port = await startRawUpstream(t, () => {});
  const edge = await startProxy(t, { view: edgeView([port]) });
  const client = await connectRaw(t, edge.port());
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n');
  await client.closed;
  assert.match(client.text(), /^HTTP\/1\.1 400 [^]*x-weft-error: bad-request\r\n[^]*\{"error":\{"code":"bad-request"/);
  const requestId = /"requestId":"([0-9a-f]{32})"/.exec(client.text())?.[1];
  const [line] = await edge.exchanges(1);
  assert.equal(line?.['requestId'], requestId);
  assert.equal(line?.['status'], 400);
});

test('an answer says when it was made: the proxy adds Date where the upstream says none, and leaves its own', async (t) => {
  const port = await startRawUpstream(t, (socket) => {
    socket.on('data', (data) => {
      const date = data.toString().includes('/dated') ? 'DATE: Tue, 15 Nov 1994 08:12:31 GMT\r\n' : '';
      socket.write(`HTTP/1.1 200 OK\r\n${date}Content-Length: 0\r\n\r\n`);
    });
  });
  const edge = await startProxy(t, { view: edgeView([port], { routes: [route('/dated'), route('/bare')] }) });
  const dated = await ask(edge.port(), '/dated');
  assert.equal(dated.headers.date, 'Tue, 15 Nov 1994 08:12:31 GMT');
  for (const path of ['/bare', '/nowhere']) {
    const { date } = (await ask(edge.port(), path)).headers;
    assert.ok(Math.abs(Date.parse(date ?? '') - Date.now()) < 5_000, path);
  }
});

test('an early answer to an upload is passed on, and the client connection lives or ends by its framing', async (t) => {
  const port = await startRawUpstream(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n'));
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const agent = new Agent({ keepAlive: false });
  const client = await connectRaw(t, edge.port());
  client.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nbegin');
  await eventually(() => client.text().startsWith('HTTP/1.1 413'));
  agent.destroy();
  assert.equal(edge.proxy.clusters.states.get('up')?.pools[0]?.active, 0);
});
