// Both ends of a proxy under test: upstreams (node:http or raw sockets) and clients, closed after the test.
import { Agent, createServer, request, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface Upstream {
  readonly port: number;
  readonly server: Server;
  /** Connections that were ever opened. */
  connections(): number;
}

export async function startUpstream(test: TestContext, listener: RequestListener): Promise<Upstream> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server, connections: () => connections };
}

/** An upstream that speaks bytes. */
export async function startRawUpstream(test: TestContext, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface AskOptions {
  /** Address to connect to; default 127.0.0.1. */
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

/** Rejects where the answer is cut. */
export function ask(port: number, path: string, options: AskOptions = {}): Promise<Answer> {
  const { host = '127.0.0.1', method = 'GET', headers = {}, body, agent } = options;
  return new Promise((done, fail) => {
    const sent = request(
      { host, port, path, method, headers, agent: agent ?? new Agent({ keepAlive: false }) },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', fail);
        answer.on('end', () =>
          done({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: Buffer.concat(chunks).toString('latin1'),
          }),
        );
      },
    );
    sent.on('error', fail);
    sent.end(body);
  });
}

export interface RawClient {
  readonly socket: Socket;
  /** Everything that came so far. */
  text(): string;
  /** Resolves when the other side ended or cut the connection. */
  readonly closed: Promise<void>;
}

/** A client that speaks bytes. */
export async function connectRaw(test: TestContext, port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  const closed = new Promise<void>((done) => {
    socket.on('close', () => done());
  });
  test.after(() => socket.destroy());
  await new Promise<void>((done) => socket.on('connect', () => done()));
  return { socket, text: () => Buffer.concat(chunks).toString('latin1'), closed };
}
