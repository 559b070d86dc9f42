// Bodies, framing and connections through one edge on real sockets.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Agent, type IncomingMessage, request } from 'node:http';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ask, connectRaw, startRawUpstream, startUpstream } from '../support/http-peers.ts';
import { edgeView, route, startProxy } from '../support/proxy-harness.ts';

const echo = (request_: IncomingMessage, response: { end(text: string): void }): void => {
  const chunks: Buffer[] = [];
  request_.on('data', (chunk: Buffer) => chunks.push(chunk));
  request_.on('end', () => response.end(`${request_.method} ${request_.url} ${Buffer.concat(chunks).toString()}`));
};

test('one connection of a client and one to the upstream carry many requests', async (t) => {
  const upstream = await startUpstream(t, echo);
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  for (let i = 0; i < 5; i++) {
    const answer = await ask(edge.port(), `/n/${i}?q=1`, { agent });
    assert.equal(answer.body, `GET /n/${i}?q=1 `);
  }
  assert.equal(upstream.connections(), 1);
  assert.equal(edge.proxy.acceptors[0]?.counts.accepted, 1);
});

test('a chunked request and a chunked answer pass as they are', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => {
    assert.equal(incoming.headers['transfer-encoding'], 'chunked');
    assert.equal(incoming.headers['content-length'], undefined);
    incoming.pipe(response);
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const answer = await ask(edge.port(), '/', {
    method: 'POST',
    headers: { 'transfer-encoding': 'chunked' },
    body: 'seven bytes and more',
  });
  assert.equal(answer.headers['transfer-encoding'], 'chunked');
  assert.equal(answer.body, 'seven bytes and more');
});

test('ten MiB pass both ways unchanged', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => incoming.pipe(response));
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const body = randomBytes(10 * 1024 * 1024);
  const answer = await ask(edge.port(), '/', {
    method: 'PUT',
    headers: { 'content-length': String(body.length) },
    body,
  });
  const hash = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
  assert.equal(hash(Buffer.from(answer.body, 'latin1')), hash(body));
  const [line] = await edge.exchanges(1);
  assert.equal(line?.['requestBytes'], body.length);
  assert.equal(line?.['responseBytes'], body.length);
});

test('an upstream waits for a client that does not read, and the proxy holds little of the answer', async (t) => {
  let written = 0;
  const port = await startRawUpstream(t, (socket) => {
    const chunk = Buffer.alloc(65_536, 'x');
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${65_536 * 1_024}\r\n\r\n`);
      const more = (): void => {
        while (written < 1_024) {
          written += 1;
          if (!socket.write(chunk)) return;
        }
      };
      socket.on('drain', more);
      more();
    });
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const client = await connectRaw(t, edge.port());
  client.socket.pause();
  client.socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  let before = -1;
  await eventually(() => {
    const still = written === before && written > 0;
    before = written;
    return still;
  });
  assert.ok(written < 512, `${written} chunks of 64 KiB left the upstream although nobody read them`);
  client.socket.resume();
  await eventually(() => written === 1_024);
});

test('a client waits for an upstream that does not read', async (t) => {
  let upstreamSocket: { resume(): void } | null = null;
  const port = await startRawUpstream(t, (socket) => {
    socket.pause();
    upstreamSocket = socket;
    let left = 65_536 * 1_024;
    socket.on('data', (chunk) => {
      left -= chunk.length;
      if (left <= 0) socket.end('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  const edge = await startProxy(t, { view: edgeView([port]) });
  const client = await connectRaw(t, edge.port());
  client.socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${65_536 * 1_024}\r\n\r\n`);
  let sent = 0;
  const chunk = Buffer.alloc(65_536, 'y');
  const more = (): void => {
    while (sent < 1_024) {
      sent += 1;
      if (!client.socket.write(chunk)) return;
    }
  };
  client.socket.on('drain', more);
  more();
  let before = -1;
  await eventually(() => {
    const still = sent === before && upstreamSocket !== null;
    before = sent;
    return still;
  });
  assert.ok(sent < 512, `${sent} chunks of 64 KiB were taken although the upstream read none`);
  (upstreamSocket as unknown as { resume(): void }).resume();
  await eventually(() => client.text().startsWith('HTTP/1.1 204'));
});

test('pipelined requests are answered in their order', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => {
    // The first takes longest.
    const delay = incoming.url === '/1' ? 60 : 0;
    setTimeout(() => response.end(`answer ${incoming.url}`), delay);
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const client = await connectRaw(t, edge.port());
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  client.socket.write(get('/1') + get('/2') + get('/3'));
  await eventually(() => client.text().includes('answer /3'));
  const text = client.text();
  assert.ok(text.indexOf('answer /1') < text.indexOf('answer /2'));
  assert.ok(text.indexOf('answer /2') < text.indexOf('answer /3'));
});

test('a request of HTTP/1.0 without Host reaches the upstream under the service name', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => response.end(`host ${incoming.headers.host}`));
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const client = await connectRaw(t, edge.port());
  client.socket.write('GET / HTTP/1.0\r\n\r\n');
  await client.closed;
  assert.match(client.text(), /^HTTP\/1\.1 200 OK\r\n[^]*host up$/);
});

test('HEAD keeps its length and has no body, 204 and 304 have none', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => {
    if (incoming.url === '/204') response.writeHead(204).end();
    else if (incoming.url === '/304') response.writeHead(304, { etag: '"a"' }).end();
    else
      response.writeHead(200, { 'content-length': '11' }).end(incoming.method === 'HEAD' ? undefined : 'hello world');
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const head = await ask(edge.port(), '/', { method: 'HEAD', agent });
  assert.equal(head.headers['content-length'], '11');
  assert.equal(head.body, '');
  assert.equal((await ask(edge.port(), '/204', { agent })).status, 204);
  const unchanged = await ask(edge.port(), '/304', { agent });
  assert.equal(unchanged.status, 304);
  assert.equal(unchanged.headers['etag'], '"a"');
  assert.equal((await ask(edge.port(), '/', { agent })).body, 'hello world');
});

test('Expect: 100-continue is answered by the upstream, not by the proxy', async (t) => {
  const upstream = await startUpstream(t, echo);
  upstream.server.on('checkContinue', (incoming: IncomingMessage, response) => {
    if (incoming.url === '/no') response.writeHead(417).end();
    else {
      response.writeContinue();
      echo(incoming, response);
    }
  });
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const post = (path: string): Promise<{ status: number; continued: boolean; body: string }> =>
    new Promise((done, fail) => {
      let continued = false;
      const sent = request({
        port: edge.port(),
        host: '127.0.0.1',
        path,
        method: 'POST',
        headers: { expect: '100-continue', 'content-length': '4' },
        agent: new Agent({ keepAlive: false }),
      });
      sent.on('continue', () => {
        continued = true;
        sent.end('body');
      });
      sent.on('response', (answer) => {
        let body = '';
        answer.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        answer.on('end', () => {
          done({ status: answer.statusCode ?? 0, continued, body });
          sent.destroy();
        });
      });
      sent.on('error', fail);
      sent.flushHeaders();
    });
  assert.deepEqual(await post('/yes'), { status: 200, continued: true, body: 'POST /yes body' });
  assert.deepEqual(await post('/no'), { status: 417, continued: false, body: '' });
});

test('a rewritten prefix and a normal path are what the upstream gets', async (t) => {
  const upstream = await startUpstream(t, echo);
  const routes = [route('/old', { rewriteTo: '/new' }), route('/', { index: 1 })];
  const edge = await startProxy(t, { view: edgeView([upstream.port], { routes }) });
  assert.equal((await ask(edge.port(), '/old/a?b=c')).body, 'GET /new/a?b=c ');
  assert.equal((await ask(edge.port(), '/x/%2e%2e/old/a')).body, 'GET /new/a ');
  assert.equal((await ask(edge.port(), '/a%2Fb')).status, 400);
});

test('an unknown host and an unknown path are 404, loopback names are always served', async (t) => {
  const upstream = await startUpstream(t, echo);
  const view = edgeView([upstream.port], { hosts: ['api.shop.test'], routes: [route('/api')] });
  const edge = await startProxy(t, { view });
  const status = async (host: string, path: string): Promise<number> =>
    (await ask(edge.port(), path, { headers: { host } })).status;
  assert.equal(await status('API.shop.test:8443', '/api/1'), 200);
  assert.equal(await status('localhost', '/api/1'), 200);
  assert.equal(await status('[::1]:80', '/api/1'), 200);
  assert.equal(await status('other.test', '/api/1'), 404);
  assert.equal(await status('api.shop.test', '/apiary'), 404);
});

test('the first hop makes ids, and an outside client cannot speak for Weft', async (t) => {
  const upstream = await startUpstream(t, (incoming, response) => response.end(JSON.stringify(incoming.headers)));
  const edge = await startProxy(t, { view: edgeView([upstream.port]) });
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
  const { body } = await ask(edge.port(), '/', {
    headers: {
      host: 'api.shop.test',
      traceparent: trace,
      'x-request-id': 'mine',
      'x-weft-unprocessed': '1',
      'x-envoy-internal': 'true',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-client-cert': 'By=x',
      via: '1.1 cdn',
    },
  });
  const seen = JSON.parse(body) as Record<string, string>;
  assert.match(seen['traceparent'] ?? '', /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/);
  assert.notEqual(seen['traceparent'], trace);
  assert.equal(seen['x-trace-id'], '0af7651916cd43dd8448eb211c80319c');
  assert.equal(seen['x-request-id'], 'mine');
  assert.equal(seen['x-forwarded-for'], '127.0.0.1');
  assert.equal(seen['x-forwarded-proto'], 'http');
  assert.equal(seen['x-forwarded-host'], 'api.shop.test');
  assert.equal(seen['via'], '1.1 cdn, 1.1 edge-main');
  for (const name of ['x-weft-unprocessed', 'x-envoy-internal', 'x-forwarded-client-cert']) {
    assert.equal(seen[name], undefined, name);
  }
});
