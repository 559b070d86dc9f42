// Servers and clients of plain TCP for tests.
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface TcpApp {
  readonly port: number;
  readonly server: Server;
  /** Those that it has now. */
  readonly sockets: ReadonlySet<Socket>;
}

/** Half-open, as an app may want it. */
export async function tcpApp(t: TestContext, serve: (socket: Socket) => void): Promise<TcpApp> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, server, sockets };
}

/** What it is sent it sends back, and it ends when the client does. */
export const echo = (socket: Socket): void => void socket.pipe(socket);

export interface TcpClient {
  readonly socket: Socket;
  /** All that came so far. */
  readonly received: () => Buffer;
  /** Resolves at the end of what comes, or with what broke it: `ECONNRESET`. */
  readonly ended: Promise<string>;
  readonly closed: Promise<void>;
}

export function tcpClient(t: TestContext, port: number, socket: Socket = connectTo(port)): TcpClient {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<string>((done) => {
    socket.on('end', () => done('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    socket.on('close', () => done('close'));
  });
  const closed = new Promise<void>((done) => {
    socket.on('close', () => done());
  });
  t.after(() => socket.destroy());
  return { socket, received: () => Buffer.concat(chunks), ended, closed };
}

function connectTo(port: number): Socket {
  return connect({ host: '127.0.0.1', port, allowHalfOpen: true });
}
