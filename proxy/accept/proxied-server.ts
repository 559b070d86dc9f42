// A listening socket behind load balancers that speak the PROXY protocol: from their networks every connection begins with
// a header, which says whose it is; from elsewhere none does, and it is the client's own. Nothing is guessed (§2 of the
// specification). What follows the header goes to another kind of server, plain or TLS, as if it had been accepted there.
import { createServer, type Server, type Socket } from 'node:net';
import { compileCidrs, parseCidr } from '../../core/kit/cidr.ts';
import type { Log } from '../../core/kit/log.ts';
import { abort } from '../kit/abort.ts';
import { type ProxiedPair, readProxyHeader } from '../kit/proxy-protocol.ts';
import type { OnSocket, ServerFactory } from './acceptor.ts';

export interface ProxiedOptions {
  /** CIDR blocks. */
  readonly from: readonly string[];
  /** Of the listener, for the log. */
  readonly name: string;
  readonly log: Log;
  /** What comes behind the header. */
  readonly inner: ServerFactory;
}

/** Longest that a load balancer may take for its header, in ms. Source: the specification asks for at least 3 s. */
const HEADER_TIMEOUT = 5_000;

export function createProxiedServer({ from, name, log, inner }: ProxiedOptions): ServerFactory {
  const trusted = compileCidrs(from.flatMap((block) => parseCidr(block) ?? []));
  return (onSocket) => {
    /** By what both the socket and a TLS socket on it say of themselves. */
    const pairs = new Map<string, ProxiedPair>();
    const named: OnSocket = (socket, facts) =>
      onSocket(socket, { ...facts, proxied: pairs.get(endsOf(socket)) ?? null });
    const server = inner(named);
    const outer = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const hand = (pair: ProxiedPair | null): void => {
        const key = endsOf(socket);
        if (pair !== null) {
          pairs.set(key, pair);
          socket.once('close', () => pairs.delete(key));
        }
        server.emit('connection', socket);
      };
      // Reset before it was accepted, as health checks of load balancers do it: whose it was cannot be known any more.
      if (socket.remoteAddress === undefined) return void socket.destroy();
      if (!trusted(socket.remoteAddress)) return hand(null);
      readHeader(socket, hand, (reason) => {
        log.warn({ listener: name, remote: socket.remoteAddress ?? '', reason }, 'a connection without a PROXY header');
        abort(socket);
      });
    });
    return tieTogether(outer, server);
  };
}

/** The inner server never listens; who keeps a list of servers in use goes by these events. */
function tieTogether(outer: Server, inner: Server): Server {
  outer.on('listening', () => inner.emit('listening'));
  outer.on('close', () => inner.emit('close'));
  return outer;
}

function readHeader(socket: Socket, done: (pair: ProxiedPair | null) => void, refuse: (reason: string) => void): void {
  let read: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    read = read.length === 0 ? chunk : Buffer.concat([read, chunk]);
    const header = readProxyHeader(read);
    if (header.kind === 'more') return;
    stop();
    if (header.kind === 'invalid') return refuse(header.reason);
    socket.pause();
    if (read.length > header.length) socket.unshift(read.subarray(header.length));
    done(header.pair);
    // Who wants to be told reads on; TLS reads the socket's handle, and bytes wait for their upstream.
    if (socket.listenerCount('data') > 0) socket.resume();
  };
  const onEnd = (): void => {
    stop();
    // A health check that only connects.
    if (read.length === 0) socket.destroy();
    else refuse('it ended within its header');
  };
  const late = setTimeout(() => {
    stop();
    refuse(`no header within ${HEADER_TIMEOUT} ms`);
  }, HEADER_TIMEOUT);
  const stop = (): void => {
    clearTimeout(late);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('close', stop);
  };
  socket.on('error', () => {});
  socket.on('close', stop);
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.resume();
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
