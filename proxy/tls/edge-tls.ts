// TLS of the front door: a certificate per set of names, chosen by SNI. Clients show none.
import type { Socket } from 'node:net';
import { createServer, type SecureContext, type Server } from 'node:tls';
import { hostMatches } from '../../core/decide/match.ts';
import type { Log } from '../../core/kit/log.ts';
import { EDGE_VERSIONS, type KeyMaterial, serverContext } from './material.ts';
import { type ProvenPeer, serverNameOf } from './mesh-tls.ts';

/** One certificate and the names that it is shown for. */
export interface ServerCertificate extends KeyMaterial {
  /** Exact or `*.suffix`; empty: every name. */
  readonly hosts: readonly string[];
}

interface Entry {
  readonly certificate: ServerCertificate;
  readonly context: SecureContext;
}

const HANDSHAKE_TIMEOUT = 10_000;

/** The certificates of one listener. Changed ones are used from the next handshake on. */
export class EdgeCertificates {
  readonly #servers = new Set<Server>();
  #entries: readonly Entry[];

  /** The first is shown where no name fits, and to clients without SNI. Throws where one cannot be used. */
  constructor(certificates: readonly ServerCertificate[]) {
    this.#entries = certificates.map(toEntry);
  }

  /** Of the first certificate. */
  get hosts(): readonly string[] {
    return this.#entries[0]?.certificate.hosts ?? [];
  }

  /** Throws, and changes nothing, where one cannot be used. */
  update(certificates: readonly ServerCertificate[]): void {
    this.#entries = certificates.map(toEntry);
    for (const server of this.#servers) this.#setDefault(server);
  }

  find(serverName: string): SecureContext | undefined {
    const name = serverName.toLowerCase();
    const named = this.#entries.find(
      ({ certificate }) => certificate.hosts.length > 0 && hostMatches(certificate.hosts, name),
    );
    return (named ?? this.#entries[0])?.context;
  }

  /** `protocols`: by ALPN; empty: whatever is inside, it is bytes. */
  createServer(
    name: string,
    log: Log,
    protocols: string[],
    onSocket: (socket: Socket, proven: ProvenPeer) => void,
  ): Server {
    const server = createServer(
      {
        SNICallback: (serverName, done) => done(null, this.find(serverName)),
        handshakeTimeout: HANDSHAKE_TIMEOUT,
        ...(protocols.length === 0 ? {} : { ALPNProtocols: protocols }),
        allowHalfOpen: true,
        noDelay: true,
        ...EDGE_VERSIONS,
      },
      (socket) => onSocket(socket, { peer: null, serverName: serverNameOf(socket) }),
    );
    server.on('tlsClientError', (error, socket) => {
      const who = { listener: name, remote: socket.remoteAddress ?? '' };
      if (isPlaintext(error))
        log.info({ ...who, hint: 'call it by https://' }, 'a client without TLS, where there is TLS');
      else log.debug({ ...who, reason: error.message }, 'a handshake failed');
      socket.destroy();
    });
    server.on('close', () => this.#servers.delete(server));
    server.on('listening', () => this.#servers.add(server));
    this.#servers.add(server);
    this.#setDefault(server);
    return server;
  }

  /** Node asks for a context by SNI only where the client sent one. */
  #setDefault(server: Server): void {
    const first = this.#entries[0]?.certificate;
    if (first !== undefined) server.setSecureContext({ key: first.keyPem, cert: first.chainPem, ...EDGE_VERSIONS });
  }
}

/** What OpenSSL says where the first bytes are a request, or nothing of TLS. */
function isPlaintext(error: Error): boolean {
  const code = 'code' in error ? error.code : '';
  return code === 'ERR_SSL_HTTP_REQUEST' || code === 'ERR_SSL_WRONG_VERSION_NUMBER';
}

function toEntry(certificate: ServerCertificate): Entry {
  return { certificate, context: serverContext(certificate) };
}
