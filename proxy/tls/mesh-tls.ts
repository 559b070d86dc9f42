// Mutual TLS between proxies: this proxy's SVID towards both sides. A renewed SVID is taken over by every
// server and dial from then on; connections that stand keep what they were made with.
import { constants } from 'node:crypto';
import type { SecureContext, Server, TLSSocket } from 'node:tls';
import { createServer } from 'node:tls';
import type { Socket } from 'node:net';
import type { Log } from '../../core/kit/log.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import { BYTES_PROTOCOL, MESH_PROTOCOLS, MESH_VERSIONS, type MeshMaterial, meshContext } from './material.ts';

export interface MeshTlsOptions {
  readonly trustDomain: string;
  readonly material: MeshMaterial;
  readonly log: Log;
}

/** What a finished handshake proved. */
export interface ProvenPeer {
  readonly peer: SpiffeId | null;
  readonly serverName: string;
}

export type OnPeer = (socket: Socket, proven: ProvenPeer) => void;

const HANDSHAKE_TIMEOUT = 10_000;

export class MeshTls {
  readonly #options: MeshTlsOptions;
  readonly #servers = new Set<Server>();
  #material: MeshMaterial;
  #context: SecureContext;
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
    for (const server of this.#servers) server.setSecureContext(serverOptions(material));
  }

  /** A server that lets in only who proves an identity of this trust domain. */
  createServer(name: string, onPeer: OnPeer): Server {
    const server = createServer(
      {
        ...serverOptions(this.#material),
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

  #admit(name: string, socket: TLSSocket, onPeer: OnPeer): void {
    const certificate = socket.getPeerX509Certificate();
    const peer = certificate === undefined ? null : verifyPeer(certificate, { trustDomain: this.#options.trustDomain });
    if (peer?.ok !== true || !socket.authorized) {
      this.#refuse(name, socket, peer === null || peer.ok ? 'it showed no certificate' : peer.error);
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

function serverOptions(material: MeshMaterial): object {
  return {
    key: material.keyPem,
    cert: material.chainPem,
    ca: material.bundlePem,
    // No resumption: a session made before a bundle changed must not skip the check against the new one.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...MESH_VERSIONS,
  };
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
