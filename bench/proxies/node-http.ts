// The baseline: what most people would write first, node:http in front of http.request with a keep-alive agent,
// 100 prefix routes, a request id and a traceparent. Usage: node bench/proxies/node-http.ts PORT UPSTREAM_PORT
import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, createServer, request } from 'node:http';

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });
const routes = Array.from({ length: 100 }, (_, i) => `/service-${i}/`);
let requests = 0;
let errors = 0;

const server = createServer((incoming, outgoing) => {
  const path = incoming.url ?? '/';
  if (!routes.some((prefix) => path.startsWith(prefix))) {
    outgoing.writeHead(404).end();
    return;
  }
  requests += 1;
  const headers = {
    ...incoming.headers,
    'x-request-id': randomUUID(),
    traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`,
  };
  const upstream = request({ port: upstreamPort, host: '127.0.0.1', method: incoming.method, path, headers, agent });
  upstream.on('response', (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(outgoing);
  });
  upstream.on('error', () => {
    errors += 1;
    outgoing.writeHead(502).end();
  });
  incoming.pipe(upstream);
});
server.keepAliveTimeout = 300_000;
server.listen(port, '127.0.0.1');

process.on('SIGUSR2', () => process.stderr.write(`${requests} requests, ${errors} errors\n`));
