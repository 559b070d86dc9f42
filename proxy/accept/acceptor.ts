// One listening socket: accepts connections, bounds their number, hands each to a codec, and ends them in
// order. It knows no TLS: a stage that does gives it its own kind of server.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { MeshError } from '../../core/kit/error.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { ConnectionInfo } from '../exchange.ts';
import type { ProxiedPair } from '../kit/proxy-protocol.ts';
import type { PortSharing } from './port-sharing.ts';

/** A codec's side of a connection. */
export interface ServedConnection {
  start(): void;
  /** Finishes the exchange in hand, then closes. */
  drain(): void;
  destroy(): void;
}

/** Makes the codec for a new connection; `onClose` when it is gone or handed over. */
export type Serve = (socket: Socket, info: ConnectionInfo, onClose: () => void) => ServedConnection;

/** What TLS learned; both empty on plaintext. */
export interface SecureFacts {
  readonly peer: SpiffeId | null;
  readonly serverName: string;
  /** Whose connection it is by the word of a trusted load balancer; default: the peer's own. */
  readonly proxied?: ProxiedPair | null;
}

export type OnSocket = (socket: Socket, facts: SecureFacts) => void;
export type ServerFactory = (onSocket: OnSocket) => Server;

export interface AcceptorOptions {
  /** Name of the Listener resource. */
  readonly name: string;
  readonly address: HostPort;
  readonly scheme: 'http' | 'https';
  readonly createServer: ServerFactory;
  readonly serve: Serve;
  /** Null: the place is this socket's alone. */
  readonly sharing?: PortSharing | null;
  /** Default 10,000; above it a connection is closed at once. */
  readonly maxConnections?: number;
}

const MAX_CONNECTIONS = 10_000;
/** Turns of the event loop that are waited for one without a new connection; the first half of them for a short one. */
const QUIET_TURNS = 2_000;
/** Milliseconds that a turn takes in which next to nothing happened. */
const QUIET_MS = 0.05;
const PLAINTEXT: SecureFacts = { peer: null, serverName: '' };

export const createPlainServer: ServerFactory = (onSocket) =>
  // Half-open: what a client's end means is the codec's to say, not the socket's.
  createServer({ noDelay: true, allowHalfOpen: true }, (socket) => onSocket(socket, PLAINTEXT));

export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #server: Server;
  #name: string;
  readonly #connections = new Set<ServedConnection>();
  /** Raw sockets, also those whose handshake is not done and those that became tunnels. */
  readonly #sockets = new Set<Socket>();
  #draining = false;
  #claimed = false;
  #accepted = 0;
  #refused = 0;
  #onEmpty: (() => void) | null = null;

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#name = options.name;
    this.#server = options.createServer((socket, facts) => this.#open(socket, facts));
    this.#server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    const refuse = (): void => {
      this.#refused += 1;
    };
    this.#server.on('drop', refuse);
    // While it listens: accepting failed, for want of file descriptors. The next one may be taken again.
    this.#server.on('error', refuse);
    // Before the server's own listener, which hands plaintext sockets on.
    this.#server.prependListener('connection', (socket: Socket) => this.#track(socket));
  }

  get name(): string {
    return this.#name;
  }

  /** What connections from now on are told they came in by. */
  rename(name: string): void {
    this.#name = name;
  }

  /** Binds, again after `suspend`; throws MeshError `address-in-use`. */
  async start(): Promise<void> {
    const { address, sharing = null } = this.#options;
    if (!this.#claimed) {
      await sharing?.claim(address).catch((cause: unknown) => {
        throw listenError(cause instanceof Error ? cause : new Error(String(cause)), address);
      });
    }
    this.#claimed = true;
    await this.#listen(address, sharing !== null);
  }

  #listen({ host, port }: HostPort, reusePort: boolean): Promise<void> {
    const address = { host, port };
    return new Promise((done, fail) => {
      const failed = (cause: Error): void => fail(listenError(cause, address));
      this.#server.once('error', failed);
      this.#server.listen({ host, port, backlog: 1_024, reusePort }, () => {
        this.#server.off('error', failed);
        done();
      });
    });
  }

  /** Gives the port away; connections stay. */
  async suspend(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    // The port is free when the handle is closed, which is at the end of this turn of the event loop.
    await new Promise((done) => setImmediate(done));
  }

  /** The real address; the asked-for one before `start`. */
  get bound(): HostPort {
    const bound = this.#server.address() as AddressInfo | null;
    return bound === null ? this.#options.address : { host: bound.address, port: bound.port };
  }

  get counts(): { readonly open: number; readonly accepted: number; readonly refused: number } {
    return { open: this.#sockets.size, accepted: this.#accepted, refused: this.#refused };
  }

  /** Takes no new connections, lets exchanges finish, and cuts what is left after `cap` ms. */
  async drain(cap: number): Promise<void> {
    this.#draining = true;
    if (this.#options.sharing) await this.#quietTurn();
    if (this.#server.listening) this.#server.close();
    for (const connection of [...this.#connections]) connection.drain();
    if (this.#sockets.size === 0) return;
    const empty = new Promise<void>((done) => {
      this.#onEmpty = done;
    });
    const cut = setTimeout(() => void this.close(), cap);
    await empty;
    clearTimeout(cut);
  }

  /** Cuts everything at once; the port is free when the promise resolves. */
  async close(): Promise<void> {
    this.#draining = true;
    for (const connection of [...this.#connections]) connection.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await this.suspend();
  }

  /**
   * Where another process shares the place, connections that wait to be accepted would be lost with the socket: it
   * closes right after a turn of the event loop in which none came, and which was too short for one to come since.
   */
  async #quietTurn(): Promise<void> {
    let since = performance.now();
    for (let turn = 0; turn < QUIET_TURNS; turn++) {
      const before = this.#accepted;
      await new Promise((done) => setImmediate(done));
      const at = performance.now();
      const limit = turn < QUIET_TURNS / 2 ? QUIET_MS : Number.POSITIVE_INFINITY;
      if (this.#accepted === before && at - since < limit && turn > 0) return;
      since = at;
    }
  }

  #track(socket: Socket): void {
    this.#accepted += 1;
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onEmpty?.();
    });
  }

  #open(socket: Socket, facts: SecureFacts): void {
    if (socket.destroyed) return;
    const { scheme, serve } = this.#options;
    const info: ConnectionInfo = {
      listener: this.#name,
      peer: facts.peer,
      remoteAddress: facts.proxied?.source.address ?? plainAddress(socket.remoteAddress ?? ''),
      remotePort: facts.proxied?.source.port ?? socket.remotePort ?? 0,
      scheme,
      serverName: facts.serverName,
    };
    const connection = serve(socket, info, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    connection.start();
    // A handshake that was under way when the drain began.
    if (this.#draining) connection.drain();
  }
}

/** Without the IPv4-mapped form that a dual-stack socket shows. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function listenError(cause: Error, address: HostPort): MeshError {
  const where = address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
  const code = 'code' in cause ? cause.code : '';
  if (code === 'EACCES') {
    const hint = 'choose a port above 1023';
    return new MeshError('address-in-use', { detail: `${where} may not be bound by this user`, hint, cause });
  }
  if (code === 'EADDRINUSE') {
    const hint = 'stop what listens there or choose another port';
    return new MeshError('address-in-use', { detail: where, hint, cause });
  }
  return new MeshError('address-in-use', { detail: `${where}: ${cause.message}`, cause });
}
