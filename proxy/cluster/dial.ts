// What the pools need from other stages, given to them by assemble: a way to connect, and the codec's
// client connection.
import type { Socket } from 'node:net';
import type { MeshError } from '../../core/kit/error.ts';
import type { Cluster, Endpoint } from '../../core/model/view.ts';
import type { RequestHead, Upstream, UpstreamHandler } from '../exchange.ts';

/** A codec's connection to one endpoint that carries one request at a time. */
export interface ClientConnection {
  /** Idle, open and not about to be closed. */
  readonly usable: boolean;
  /** For how long the peer says that it keeps an idle connection, in milliseconds; -1: it says nothing. Absent: as -1. */
  readonly announcedIdle?: number;
  /** The peer ended it while it was idle, or with a request on it and not a byte of an answer. */
  readonly endedByPeer?: boolean;
  start(): void;
  request(head: RequestHead, handler: UpstreamHandler): Upstream;
  close(): void;
}

/** One that carries many requests at a time. */
export interface SharedConnection extends ClientConnection {
  readonly multiplexed: true;
  /** Requests that it has. */
  readonly active: number;
  /** Requests that it takes beside those. */
  readonly capacity: number;
  /** Takes no more, and closes after the last. */
  drain(): void;
}

export function isShared(connection: ClientConnection): connection is SharedConnection {
  return 'multiplexed' in connection;
}

/** In plaintext, where no handshake could tell: by the word of the config. */
export function speaksHttp2(cluster: Cluster): boolean {
  return cluster.protocol === 'http2' || cluster.protocol === 'grpc';
}

export interface ClientConnectionEvents {
  /** May carry the next request. */
  onIdle(): void;
  /** Once: gone, or takes no more requests. */
  onClose(): void;
}

/** The codec is what the handshake agreed on; without one it is what the cluster says. */
export type ConnectionFactory = (cluster: Cluster, socket: Socket, events: ClientConnectionEvents) => ClientConnection;

/**
 * Connects, does the handshake and checks the identity that the cluster expects. Calls back once, never
 * at once: with a socket that is ready for HTTP, or with an unprocessed error. The returned function gives up.
 `http1Only`: for what cannot share a connection.
 */
export type Dial = (cluster: Cluster, endpoint: Endpoint, done: DialDone, http1Only: boolean) => () => void;
export type DialDone = (error: MeshError | null, socket: Socket | null) => void;
