// TLS of the discovery port: 1.3 only, a client certificate of the mesh's own authority or no connection.
// The library's own createSsl cannot say 1.3 and cannot change its certificate while it serves.
import { ServerCredentials } from '@grpc/grpc-js';
import { HandshakeTurns } from './handshake-turns.ts';

/** What the server proves itself with; all PEM. */
export interface ServerIdentity {
  readonly keyPem: string;
  /** Leaf, then intermediates. */
  readonly chainPem: string;
  /** Roots against which clients are verified. */
  readonly bundlePem: string;
}

/** The join port alone asks for none: who calls it has no certificate yet. */
export type ClientCertificate = 'required' | 'none';

/** Who connects and says nothing is dropped after this, in ms. */
const HANDSHAKE_TIMEOUT = 10_000;

export class MutualTls extends ServerCredentials {
  constructor(identity: ServerIdentity, client: ClientCertificate = 'required') {
    const required = client === 'required';
    const turns = new HandshakeTurns({ now: () => performance.now(), later: setImmediate });
    super(
      {
        requestCert: required,
        rejectUnauthorized: required,
        handshakeTimeout: HANDSHAKE_TIMEOUT,
        // Called before the handshake costs anything; without a context of its own the server's is used.
        SNICallback: (_name, done) => turns.wait(done),
      },
      contextOf(identity),
    );
  }

  /** New connections use the new certificate; open ones live on. */
  setIdentity(identity: ServerIdentity): void {
    this.updateSecureContextOptions(contextOf(identity));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf({ keyPem, chainPem, bundlePem }: ServerIdentity) {
  return { key: keyPem, cert: chainPem, ca: bundlePem, minVersion: 'TLSv1.3' as const };
}
