// The peer httpxy: a proxy library for node:http, with what a user would add: a keep-alive agent, 100 prefix routes, a
// request id and a traceparent. Installed once into bench/.peers. Usage: node bench/proxies/httpxy.ts PORT UPSTREAM_PORT
import { randomBytes, randomUUID } from 'node:crypto';
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

interface HttpxyServer {
  web(request: IncomingMessage, response: ServerResponse): Promise<void>;
  on(event: 'error', listener: (error: Error, request: IncomingMessage, response: ServerResponse) => void): void;
}

interface Httpxy {
  createProxyServer(options: { target: string; agent: Agent; xfwd: boolean }): HttpxyServer;
}

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const installed = createRequire(join(import.meta.dirname, '..', '.peers', 'httpxy', 'package.json'));
const { createProxyServer } = (await import(installed.resolve('httpxy'))) as Httpxy;
const agent = new Agent({ keepAlive: true });
const proxy = createProxyServer({ target: `http://127.0.0.1:${upstreamPort}`, agent, xfwd: true });
proxy.on('error', (_error, _request, response) => response.writeHead(502).end());
const routes = Array.from({ length: 100 }, (_, i) => `/service-${i}/`);

const server: Server = createServer((incoming, outgoing) => {
  const path = incoming.url ?? '/';
  if (!routes.some((prefix) => path.startsWith(prefix))) {
    outgoing.writeHead(404).end();
    return;
  }
  incoming.headers['x-request-id'] = randomUUID();
  incoming.headers['traceparent'] = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-00`;
  void proxy.web(incoming, outgoing);
});
server.keepAliveTimeout = 300_000;
server.listen(port, '127.0.0.1');
