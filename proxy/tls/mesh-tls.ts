// Mutual TLS between proxies: this proxy's SVID towards both sides. A renewed SVID is taken over by every
// server and dial from then on; connections that stand keep what they were made with.
import { randomBytes } from 'node:crypto';
import type { SecureContext, Server, TLSSocket } from 'node:tls';
import { createServer } from 'node:tls';
import type { Socket } from 'node:net';
import type { Log } from '../../core/kit/log.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import { BYTES_PROTOCOL, MESH_PROTOCOLS, MESH_VERSIONS, type MeshMaterial, meshContext } from './material.ts';
import { SessionCache } from './session-cache.ts';

export interface MeshTlsOptions {
  readonly trustDomain: string;
  readonly material: MeshMaterial;
  readonly log: Log;
  /** Milliseconds since 1970; default the system's clock. */
  readonly now?: () => number;
}

/** What a finished handshake proved. */
export interface ProvenPeer {
  readonly peer: SpiffeId | null;
  readonly serverName: string;
}

export type OnPeer = (socket: Socket, proven: ProvenPeer) => void;

const HANDSHAKE_TIMEOUT = 10_000;
/** Longest that a session may be resumed, in seconds. */
const SESSION_LIFE = 3_600;
const TICKET_KEY_BYTES = 48;

export class MeshTls {
  readonly #options: MeshTlsOptions;
  readonly #servers = new Set<Server>();
  #material: MeshMaterial;
  #context: SecureContext;
  /** Of its own dials; forgotten with the material that they were made with. */
  readonly sessions = new SessionCache();
  /** Seal the sessions that its servers hand out: new ones make those of before worthless. */
  #ticketKeys = randomBytes(TICKET_KEY_BYTES);
  #refusedPeers = 0;

  /** Throws where the material cannot be used. */
  constructor(options: MeshTlsOptions) {
    this.#options = options;
    this.#material = options.material;
    this.#context = meshContext(options.material);
  }

  get trustDomain(): string {
    return this.#options.trustDomain;
  }

  /** For the next dial. */
  get context(): SecureContext {
    return this.#context;
  }

  /** Peers that came without an identity of this mesh. */
  get refusedPeers(): number {
    return this.#refusedPeers;
  }

  /** Throws, and changes nothing, where the material cannot be used. */
  update(material: MeshMaterial): void {
    this.#context = meshContext(material);
    this.#material = material;
    this.#ticketKeys = randomBytes(TICKET_KEY_BYTES);
    this.sessions.clear();
    for (const server of this.#servers) server.setSecureContext(this.#serverOptions());
  }

  /** Milliseconds since 1970. */
  now(): number {
    return (this.#options.now ?? Date.now)();
  }

  /** A server that lets in only who proves an identity of this trust domain. */
  createServer(name: string, onPeer: OnPeer): Server {
    const server = createServer(
      {
        ...this.#serverOptions(),
        requestCert: true,
        rejectUnauthorized: true,
        handshakeTimeout: HANDSHAKE_TIMEOUT,
        ALPNProtocols: [...MESH_PROTOCOLS, BYTES_PROTOCOL],
        allowHalfOpen: true,
        noDelay: true,
      },
      (socket) => this.#admit(name, socket, onPeer),
    );
    server.on('tlsClientError', (error, socket) => this.#refuse(name, socket, reasonOf(error, socket)));
    server.on('close', () => this.#servers.delete(server));
    server.on('listening', () => this.#servers.add(server));
    this.#servers.add(server);
    return server;
  }

  #serverOptions(): object {
    const { keyPem, chainPem, bundlePem } = this.#material;
    return {
      key: keyPem,
      cert: chainPem,
      ca: bundlePem,
      ticketKeys: this.#ticketKeys,
      sessionTimeout: SESSION_LIFE,
      ...MESH_VERSIONS,
    };
  }

  #admit(name: string, socket: TLSSocket, onPeer: OnPeer): void {
    const certificate = socket.getPeerX509Certificate();
    const peer = certificate === undefined ? null : verifyPeer(certificate, { trustDomain: this.#options.trustDomain });
    if (peer?.ok !== true || !socket.authorized) {
      this.#refuse(name, socket, peer === null || peer.ok ? 'it showed no certificate' : peer.error);
      return;
    }
    // A resumed session shows the certificate that it was made with, and nobody has looked at its dates again.
    if (peer.value.notAfter <= this.now()) {
      this.#refuse(name, socket, 'its certificate has expired');
      return;
    }
    onPeer(socket, { peer: peer.value.id, serverName: serverNameOf(socket) });
  }

  #refuse(listener: string, socket: TLSSocket, reason: string): void {
    this.#refusedPeers += 1;
    this.#options.log.warn({ listener, remote: socket.remoteAddress ?? '', reason }, 'a peer was refused');
    socket.destroy();
  }
}

/** '' where the client named none. */
export function serverNameOf(socket: TLSSocket): string {
  // Node: false without SNI, although the types know only the name.
  const name = (socket as { servername?: unknown }).servername;
  return typeof name === 'string' ? name : '';
}

function reasonOf(error: Error, socket: TLSSocket): string {
  // Node keeps what was wrong with the chain here and gives the event a bare connection reset.
  const { authorizationError } = socket;
  return authorizationError ? `its chain was refused: ${String(authorizationError)}` : error.message;
}
