// Two small HTTP servers with the same kind of handlers: operators' pages on a Unix socket that only the owner
// may open, and health, readiness and metrics on a TCP port.
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { MeshError } from '../core/kit/error.ts';
import type { HostPort } from '../core/model/mesh.ts';
import { ensureDir, isErrno } from './files.ts';
import { sha256Hex } from './hash.ts';
import { bindAlone } from './shared-port.ts';

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Answers GET and HEAD of one path. A thrown error becomes a 500 without its text. */
export type Handler = (query: URLSearchParams) => Reply | Promise<Reply>;

/** Answers POST of one path, whatever its body is. */
export type Action = () => Reply | Promise<Reply>;

/** Path → handler; paths are exact. */
export type Handlers = Readonly<Record<string, Handler>>;
export type Actions = Readonly<Record<string, Action>>;

export interface RunningServer {
  /** The Unix socket's path or the bound host. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Takes no more connections, and frees the place; those that are open go on. */
  free(): void;
  close(): Promise<void>;
}

export function json(value: unknown, status = 200): Reply {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

export function text(body: string, status = 200): Reply {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}

/** With other processes of ours: none has the place yet (`first`), or one has it and is to share it (`beside`). */
export type Sharing = 'alone' | 'first' | 'beside';

/** Serves on TCP; port 0 is chosen by the system. Throws MeshError `address-in-use`. */
export async function startStatusServer(
  address: HostPort,
  handlers: Handlers,
  sharing: Sharing = 'alone',
): Promise<RunningServer> {
  const server = pages(handlers, {});
  const { host, port } = address;
  if (sharing === 'first' && port !== 0) {
    await bindAlone(address).catch((cause: unknown) => {
      throw bindError(cause, `${host}:${port}`);
    });
  }
  await listening(server, { host, port, reusePort: sharing !== 'alone' });
  const bound = server.address() as AddressInfo;
  return running(server, bound.address, bound.port);
}

/**
 * Serves on a Unix socket with mode 0600. A file that a dead process left is replaced; a live one is
 * `address-in-use`. Too long a path moves to the temporary folder: read the real one from `address`. `actions` are
 * asked for by POST.
 */
export function startAdminServer(path: string, handlers: Handlers, actions: Actions = {}): Promise<RunningServer> {
  return bindSocket(pages(handlers, actions), path);
}

/** Listens with this server on a Unix socket, as `startAdminServer` does. */
export async function bindSocket(server: Server, path: string): Promise<RunningServer> {
  const real = adminSocketPath(path);
  await ensureDir(dirname(real));
  await removeStale(real);
  // The umask counts at bind, which happens inside listen(): the socket is never open to others.
  const before = process.umask(0o177);
  const bound = listening(server, { path: real });
  process.umask(before);
  await bound;
  chmodSync(real, 0o600);
  return running(server, real, 0);
}

// sockaddr_un holds 108 bytes on Linux and 104 on macOS, the closing NUL included.
const LONGEST_PATH = 103;

/** Where the admin socket of this path really is: the same answer for the server and for who connects. `user`: the server's. */
export function adminSocketPath(path: string, user?: number): string {
  const wanted = resolve(path);
  if (Buffer.byteLength(wanted) <= LONGEST_PATH) return wanted;
  // A user in a container may have no name, which userInfo() takes for an error.
  return join(
    tmpdir(),
    `weft-${user ?? process.getuid?.() ?? userInfo().uid}`,
    `${sha256Hex(wanted).slice(0, 16)}.sock`,
  );
}

async function removeStale(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket()) {
      throw new MeshError('address-in-use', { detail: `${path} is there and is no socket`, hint: 'remove it' });
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  if (await answers(path)) {
    throw new MeshError('address-in-use', {
      detail: `another process serves ${path}`,
      hint: 'stop it, or give this one another state folder; a proxy replaces it without a gap with --takeover',
    });
  }
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

function pages(handlers: Handlers, actions: Actions): Server {
  // Not by import: a module namespace of node:http reads its every getter, and one of them loads undici, 13 MiB.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer({ keepAliveTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
    void answer(handlers, actions, request, response);
  });
  server.maxConnections = 64;
  return server;
}

async function answer(
  handlers: Handlers,
  actions: Actions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = await replyTo(handlers, actions, request);
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}

async function replyTo(handlers: Handlers, actions: Actions, request: IncomingMessage): Promise<Reply> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const acts = request.method === 'POST' && Object.hasOwn(actions, path);
  request.resume();
  if (!reads && !acts) return text('only GET and HEAD', 405);
  const found = reads ? handlers : actions;
  const handler = Object.hasOwn(found, path) ? found[path] : undefined;
  if (handler === undefined) return text(Object.keys(handlers).join('\n'), 404);
  try {
    return await handler(new URLSearchParams(query));
  } catch {
    return text('this page failed', 500);
  }
}

function listening(
  server: Server,
  where: { host: string; port: number; reusePort: boolean } | { path: string },
): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (cause) =>
      fail(bindError(cause, 'path' in where ? where.path : `${where.host}:${where.port}`)),
    );
    server.listen(where, done);
  });
}

/** A failed bind in words. */
export function bindError(cause: unknown, address: string): MeshError {
  if (isErrno(cause, 'EADDRINUSE')) {
    return new MeshError('address-in-use', {
      detail: address,
      hint: 'stop what listens there or choose another port',
      cause,
    });
  }
  if (isErrno(cause, 'EACCES')) {
    return new MeshError('address-in-use', {
      detail: `${address} may not be bound by this user`,
      hint: 'choose a port above 1023',
      cause,
    });
  }
  return new MeshError('address-in-use', {
    detail: `${address}: ${cause instanceof Error ? cause.message : String(cause)}`,
    cause,
  });
}

function running(server: Server, address: string, port: number): RunningServer {
  return {
    address,
    port,
    free: () => void server.close(),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
