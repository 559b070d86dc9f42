// Connects to another proxy: TLS 1.3 with our own SVID, and the peer must prove exactly the identity that
// the cluster names. No byte of HTTP goes out before that.
import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { ErrorCode } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Cluster, Endpoint } from '../../core/model/view.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import { meshServerName } from '../kit/mesh-port.ts';
import { BYTES_PROTOCOL, MESH_PROTOCOLS, MESH_VERSIONS } from './material.ts';
import type { MeshTls } from './mesh-tls.ts';

export type MeshDialDone = (error: MeshError | null, socket: Socket | null) => void;

export class MeshDialer {
  readonly #tls: MeshTls;
  readonly #log: Log;
  #wrongIdentities = 0;

  constructor(tls: MeshTls, log: Log) {
    this.#tls = tls;
    this.#log = log;
  }

  /** Peers that did not prove the identity of their cluster. */
  get wrongIdentities(): number {
    return this.#wrongIdentities;
  }

  /** Calls back once, never at once. The returned function gives up. */
  dial(cluster: Cluster, endpoint: Endpoint, done: MeshDialDone, http1Only: boolean): () => void {
    const servername = meshServerName(cluster.service, cluster.port);
    const { sessions, context } = this.#tls;
    const key = JSON.stringify([cluster.identity, endpoint.host, endpoint.port, servername]);
    const kept = sessions.find(key, this.#tls.now());
    const socket = connect({
      host: endpoint.host,
      port: endpoint.port,
      secureContext: context,
      ALPNProtocols: protocolsFor(cluster, http1Only),
      // Empty: none is sent. Without it Node would send the host, where it is a name.
      servername,
      ...(kept === null ? {} : { session: kept.session }),
      rejectUnauthorized: true,
      checkServerIdentity: (_host, certificate) => this.#check(cluster, certificate.raw),
      ...MESH_VERSIONS,
    });
    socket.setNoDelay(true);
    let settled = false;
    const settle = (error: MeshError | null): void => {
      if (settled) return;
      settled = true;
      clearTimeout(late);
      socket.off('secureConnect', ready);
      socket.off('error', failed);
      socket.off('close', gone);
      if (error !== null) {
        socket.on('error', () => {});
        socket.destroy();
      }
      done(error, error === null ? socket : null);
    };
    const ready = (): void => {
      // A resumed one shows no certificate: only who proved this identity then can have its key now.
      const notAfter = kept !== null && socket.isSessionReused() ? kept.notAfter : this.#endOf(socket);
      socket.on('session', (next: Buffer) => {
        // Of material that is still in force: the connection may have outlived it.
        if (this.#tls.context === context) sessions.keep(key, next, notAfter);
      });
      settle(null);
    };
    const failed = (error: Error): void => {
      sessions.drop(key);
      settle(this.#explain(cluster, endpoint, socket, error));
    };
    const gone = (): void => settle(unreachable(endpoint, 'it closed during the handshake'));
    const late = setTimeout(
      () => settle(unreachable(endpoint, `no handshake within ${cluster.connectTimeout} ms`, 'connect-timeout')),
      cluster.connectTimeout,
    );
    socket.on('secureConnect', ready);
    socket.on('error', failed);
    socket.on('close', gone);
    return () => {
      settled = true;
      clearTimeout(late);
      socket.on('error', () => {});
      socket.destroy();
    };
  }

  /** Of the certificate that the peer has just proven, in milliseconds since 1970. */
  #endOf(socket: TLSSocket): number {
    const certificate = socket.getPeerX509Certificate();
    const peer = certificate === undefined ? null : verifyPeer(certificate, { trustDomain: this.#tls.trustDomain });
    return peer?.ok === true ? peer.value.notAfter : 0;
  }

  #check(cluster: Cluster, certificate: Buffer): Error | undefined {
    if (cluster.identity === null) return new Error('the cluster names no identity');
    const expected = { trustDomain: this.#tls.trustDomain, identity: cluster.identity };
    const peer = verifyPeer(certificate, expected);
    return peer.ok ? undefined : new Error(peer.error);
  }

  #explain(cluster: Cluster, endpoint: Endpoint, socket: TLSSocket, error: Error): MeshError {
    // Set by Node for a chain that does not verify and for what `#check` returned.
    if (!socket.authorizationError) return unreachable(endpoint, error.message);
    this.#wrongIdentities += 1;
    const where = addressOf(endpoint);
    const expected = cluster.identity;
    this.#log.error(
      { cluster: cluster.name, endpoint: where, expected, reason: error.message },
      'an endpoint did not prove its identity and is not used',
    );
    return new MeshError('wrong-identity', {
      origin: 'upstream',
      unprocessed: true,
      detail: `${where}: ${error.message}`,
      cause: error,
    });
  }
}

function protocolsFor(cluster: Cluster, http1Only: boolean): string[] {
  if (cluster.protocol === 'tcp') return [BYTES_PROTOCOL];
  return http1Only ? ['http/1.1'] : MESH_PROTOCOLS;
}

function unreachable(endpoint: Endpoint, reason: string, code: ErrorCode = 'connect-failed'): MeshError {
  return new MeshError(code, {
    origin: 'upstream',
    unprocessed: true,
    detail: `${addressOf(endpoint)}: ${reason}`,
  });
}

function addressOf(endpoint: Endpoint): string {
  return endpoint.host.includes(':') ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}
