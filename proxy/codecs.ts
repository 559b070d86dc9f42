// Which codec speaks on a connection. TLS says it by ALPN. In plaintext a server looks at how the client begins
// (prior knowledge, RFC 9113 §3.3), and a client goes by its cluster. `Upgrade: h2c` is nobody's way in.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { DEFAULT_LIMITS } from '../core/model/listener.ts';
import type { Cluster } from '../core/model/view.ts';
import { startOptimizing } from '../host/node-flags.ts';
import type { Serve, ServedConnection } from './accept/acceptor.ts';
import { type ClientConnection, type ClientConnectionEvents, speaksHttp2 } from './cluster/dial.ts';
import type { ConnectionInfo } from './exchange.ts';
import type { Forwarder } from './forward/forwarder.ts';
import { Http1ClientConnection } from './http1/client-connection.ts';
import { CLIENT_LIMITS, type Http1Limits, SERVER_LIMITS } from './http1/limits.ts';
import { Http1ServerConnection } from './http1/server-connection.ts';
import type { ConnectListener } from './http1/server-options.ts';
import { Http2ClientConnection } from './http2/client-connection.ts';
import type { Http2Faults } from './http2/faults.ts';
import { FRAME_BYTES } from './http2/frames.ts';
import { HTTP2_LIMITS, type Http2Limits, LOCAL_HTTP2_LIMITS, MESH_HTTP2_LIMITS } from './http2/limits.ts';
import { Http2ServerConnection } from './http2/server-connection.ts';
import type { TimerWheel } from './kit/timer-wheel.ts';
import { PlainDownstream, type TcpDownstream } from './tcp/downstream.ts';
import type { TcpForwarder } from './tcp/forwarder.ts';
import { MeshDownstream } from './tcp/mesh-downstream.ts';
import { PassthroughDownstream } from './tcp/passthrough-downstream.ts';
import { BYTES_PROTOCOL } from './tls/material.ts';

/** What all connections of a proxy share. */
export interface CodecParts {
  readonly timers: TimerWheel;
  readonly faults: Http2Faults;
}

/** What runs behind a listening socket: either of the two, by what a connection turns out to be. */
export interface Served {
  readonly http: Forwarder;
  readonly tcp: TcpForwarder;
}

/** How the tunnel of this name is served; undefined: there is none any more. */
export type FindTunnel = (name: string) => Serve | undefined;

/**
 * The server side of a connection that was accepted.
 *
 * @param tunnels where CONNECT leads, in plaintext; null: it is not spoken
 */
export function serveConnection(
  socket: Socket,
  info: ConnectionInfo,
  onClose: () => void,
  served: Served,
  parts: CodecParts,
  tunnels: FindTunnel | null,
): ServedConnection {
  startOptimizing();
  const agreed = agreedProtocol(socket);
  const bytes = bytesFrom(socket, agreed, info, served.tcp, parts.timers);
  if (bytes !== null) return served.tcp.serve(socket, bytes, info, onClose);
  const forwarder = served.http;
  if (agreed === 'h2') {
    return http2Server(socket, info, onClose, forwarder, parts, limitsFor(info));
  }
  if (agreed === null) return new PlainConnection(socket, info, onClose, forwarder, parts, tunnels);
  const { onRequest, onRefused } = forwarder;
  const options = {
    onRequest,
    onRefused,
    onClose,
    limits: http1Limits(forwarder),
    timers: parts.timers,
    onPreface: null,
  };
  return new Http1ServerConnection(socket, info, options);
}

/** null: it is HTTP. On a mesh leg the handshake says so, elsewhere the listener is for one of the two. */
function bytesFrom(
  socket: Socket,
  agreed: string | null,
  { peer }: ConnectionInfo,
  { kind }: TcpForwarder,
  timers: TimerWheel,
): TcpDownstream | null {
  if (peer !== null) return agreed === BYTES_PROTOCOL ? new MeshDownstream(socket, timers) : null;
  if (kind === 'none') return null;
  return kind === 'passthrough' ? new PassthroughDownstream(socket, timers) : new PlainDownstream(socket);
}

/** The client side of a connection that was dialled for `cluster`. */
export function clientConnection(
  cluster: Cluster,
  socket: Socket,
  events: ClientConnectionEvents,
  parts: CodecParts,
): ClientConnection {
  const { onIdle, onClose } = events;
  const agreed = agreedProtocol(socket);
  if (agreed === 'h2' || (agreed === null && speaksHttp2(cluster))) {
    const onFault = (code: number): void => parts.faults.count('upstream', code);
    const { timers } = parts;
    return new Http2ClientConnection(socket, { limits: MESH_HTTP2_LIMITS, timers, now, onIdle, onClose, onFault });
  }
  return new Http1ClientConnection(socket, { limits: CLIENT_LIMITS, timers: parts.timers, onIdle, onClose });
}

/** HTTP/1.1 until the client turns out to have begun with the preface of HTTP/2, or asks for a tunnel. */
class PlainConnection implements ServedConnection {
  #codec: ServedConnection;
  #draining = false;

  constructor(
    socket: Socket,
    info: ConnectionInfo,
    onClose: () => void,
    forwarder: Forwarder,
    parts: CodecParts,
    tunnels: FindTunnel | null,
  ) {
    const { onRequest, onRefused } = forwarder;
    const onPreface = (bytes: Buffer): void => {
      const codec = http2Server(socket, info, onClose, forwarder, parts, limitsFor(info));
      this.#codec = codec;
      codec.start(bytes);
      if (this.#draining) codec.drain();
    };
    const onConnect: ConnectListener = (downstream, head) => {
      const name = forwarder.onConnect(downstream, head);
      if (name === null) return null;
      return (early) => {
        const serve = tunnels?.(name);
        if (serve === undefined) return void socket.destroy();
        this.#codec = enter(socket, early, serve(socket, { ...info, listener: name }, onClose));
        if (this.#draining) this.#codec.drain();
      };
    };
    const options = { onRequest, onRefused, onClose, limits: http1Limits(forwarder), timers: parts.timers, onPreface };
    this.#codec = new Http1ServerConnection(socket, info, tunnels === null ? options : { ...options, onConnect });
  }

  start(): void {
    this.#codec.start();
  }

  drain(): void {
    this.#draining = true;
    this.#codec.drain();
  }

  destroy(): void {
    this.#codec.destroy();
  }
}

/** What comes through the tunnel is served as if it had been accepted there. */
function enter(socket: Socket, early: Buffer | null, codec: ServedConnection): ServedConnection {
  // First: a codec reads elsewhere than in the socket's own buffer where that holds nothing.
  if (early !== null && !socket.readableEnded) socket.unshift(early);
  codec.start();
  return codec;
}

function http2Server(
  socket: Socket,
  info: ConnectionInfo,
  onClose: () => void,
  forwarder: Forwarder,
  parts: CodecParts,
  limits: Http2Limits,
): Http2ServerConnection {
  const { onRequest, onRefused } = forwarder;
  const asked = http2Limits(limits, forwarder);
  return new Http2ServerConnection(socket, info, {
    onRequest,
    onRefused,
    onClose,
    limits: asked,
    timers: parts.timers,
    now,
    onFault: (code) => parts.faults.count('downstream', code),
    webSocketKey,
  });
}

function limitsFor({ peer, listener }: ConnectionInfo): Http2Limits {
  if (peer !== null) return MESH_HTTP2_LIMITS;
  // By the names that the compiler gives: everything else listens on loopback.
  return listener.startsWith('edge/') ? HTTP2_LIMITS : LOCAL_HTTP2_LIMITS;
}

/** The codec's own, but for what the listener asks for. */
function http1Limits({ limits }: Forwarder): Http1Limits {
  if (limits === DEFAULT_LIMITS) return SERVER_LIMITS;
  return {
    ...SERVER_LIMITS,
    lineBytes: limits.requestLine,
    headerBytes: limits.headerSize,
    headerFields: limits.headerCount,
    headTimeoutMs: limits.headerTimeout,
  };
}

function http2Limits(own: Http2Limits, { limits }: Forwarder): Http2Limits {
  if (limits === DEFAULT_LIMITS) return own;
  const { requestLine: pathBytes, headerSize: headerBytes, headerCount: headerFields } = limits;
  // A list that is somewhat too large is read to its end, and answered; in as many frames as that takes.
  const blockBytes = Math.max(own.blockBytes, headerBytes * 2);
  const continuations = Math.max(own.continuations, Math.ceil(blockBytes / FRAME_BYTES));
  return { ...own, pathBytes, headerBytes, headerFields, blockBytes, continuations };
}

/** '' where the handshake agreed on nothing; null on plaintext, which is never asked. */
function agreedProtocol(socket: Socket): string | null {
  if (!('alpnProtocol' in socket)) return null;
  return typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : '';
}

function webSocketKey(): string {
  return randomBytes(16).toString('base64');
}

/** Looked up once: the global is a getter. */
const clock = performance;

function now(): number {
  return clock.now();
}
