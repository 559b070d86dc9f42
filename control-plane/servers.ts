// The two ports of the control plane: discovery with the identity service beside it, and join. Both prove the
// same certificate, which is renewed while they are open.
import { randomBytes } from 'node:crypto';
import type { Authority } from '../certs/authority/authority.ts';
import { controlPlaneIdentity } from '../certs/authority/control-plane-identity.ts';
import type { GrantLedger } from '../certs/authority/ledger.ts';
import type { Log } from '../core/kit/log.ts';
import type { HostPort } from '../core/model/mesh.ts';
import type { Services } from '../proto/codec/services.ts';
import type { Closers } from './lifecycle.ts';
import { DiscoveryServer, type DiscoveryServerOptions } from './server/discovery-server.ts';
import { identityService } from './server/identity-service.ts';
import { JoinServer } from './server/join-server.ts';
import { OwnCertificate } from './server/own-certificate.ts';

export interface ServersOptions
  extends Pick<
    DiscoveryServerOptions,
    'remembers' | 'lost' | 'viewOf' | 'join' | 'settled' | 'locate' | 'onAnswer' | 'after'
  > {
  readonly addresses: { readonly discovery: HostPort; readonly join: HostPort };
  readonly stateDir: string;
  readonly authority: Authority;
  readonly ledger: GrantLedger;
  readonly services: Services;
  /** DNS names of an edge's own listeners. */
  readonly hostsOfEdge: (edge: string) => readonly string[];
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Log;
}

export interface Servers {
  readonly discovery: DiscoveryServer;
  /** Bound ports. */
  readonly discoveryPort: number;
  readonly joinPort: number;
  /** End of the certificate that both show, in ms since 1970. */
  readonly certificateEnd: () => number;
}

/** Throws MeshError `address-in-use` or `authority-expired`. */
export async function openServers(options: ServersOptions, closers: Closers): Promise<Servers> {
  const { authority, clock, log } = options;
  const own = new OwnCertificate({
    source: controlPlaneIdentity(authority, clock),
    onRenewal: (next) => {
      discovery.setIdentity(next);
      joining.setIdentity(next);
    },
    log,
  });
  const identity = await own.start();
  closers.add(() => own.close());
  const discovery = makeDiscovery(options, identity);
  const joining = new JoinServer({ ...options, address: options.addresses.join, identity });
  closers.add(() => discovery.close());
  const discoveryPort = await discovery.start();
  closers.add(() => joining.close());
  const joinPort = await joining.start();
  return { discovery, discoveryPort, joinPort, certificateEnd: () => own.notAfter };
}

function makeDiscovery(options: ServersOptions, identity: DiscoveryServerOptions['identity']): DiscoveryServer {
  const { authority, ledger, services, clock } = options;
  return new DiscoveryServer({
    ...options,
    address: options.addresses.discovery,
    identity,
    definition: services.discovery,
    peers: { trustDomain: authority.trustDomain, grantOf: (serial) => ledger.grantOf(serial) },
    services: [identityService(options)],
    run: randomBytes(4).toString('hex'),
    now: clock,
  });
}
