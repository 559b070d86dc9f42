// weft.v1.Identity, mounted on the mutual-TLS port: renews the SVID that asks, and signs server certificates for
// edges. Who asks is the peer's certificate; what it is (version, instance) stands in the ledger under its serial.
import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import { describeError, MeshError } from '../../core/kit/error.ts';
import { err } from '../../core/kit/result.ts';
import type { Log } from '../../core/kit/log.ts';
import { issueServerCertificate, issueSvid, type IssuingParts } from '../../certs/authority/issue.ts';
import type { Grant } from '../../certs/authority/ledger.ts';
import { edgeOf, identityOf, serverNames, svidNames } from '../../certs/policy/names.ts';
import { admitRequest } from '../../certs/policy/request-policy.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import type { Services } from '../../proto/codec/services.ts';
import type { IdentityDefinition, IdentityHandlers } from '../../proto/gen/weft/v1/Identity.ts';
import type { Issued } from '../../proto/gen/weft/v1/Issued.ts';
import type { SignRequest__Output } from '../../proto/gen/weft/v1/SignRequest.ts';
import { toServiceError } from './grpc-error.ts';

export interface IdentityServiceOptions extends IssuingParts {
  readonly services: Pick<Services, 'identity'>;
  /** DNS names of the listeners of an edge, by its name in config; empty for one that is not there. */
  readonly hostsOfEdge: (edge: string) => readonly string[];
  readonly log: Log;
}

export interface IdentityService {
  readonly definition: IdentityDefinition;
  readonly handlers: IdentityHandlers;
}

/** For `Server.addService(definition, handlers)` on a port that requires client certificates. */
export function identityService(options: IdentityServiceOptions): IdentityService {
  const answer =
    (what: string, sign: Sign): handleUnaryCall<SignRequest__Output, Issued> =>
    (call, reply) => {
      signFor(options, sign, call, call.request.csr).then(
        (issued) => reply(null, issued),
        (error: unknown) => {
          options.log.warn({ error: describeError(error) }, `${what} refused`);
          reply(toServiceError(error));
        },
      );
    };
  return {
    definition: options.services.identity,
    handlers: { Renew: answer('renewal', renew), SignServer: answer('server certificate', signServer) },
  };
}

type Sign = (options: IdentityServiceOptions, grant: Grant, csr: Buffer) => Promise<Issued>;

/** The part of a call that says who is there; grpc-js gives a certificate only if TLS verified its chain. */
type Caller = Pick<ServerUnaryCall<SignRequest__Output, Issued>, 'getAuthContext' | 'getPeer'>;

async function signFor(options: IdentityServiceOptions, sign: Sign, call: Caller, csr: Buffer): Promise<Issued> {
  const { trustDomain } = options.authority;
  const certificate = call.getAuthContext().sslPeerCertificate;
  const peer = certificate === undefined ? err('no client certificate') : verifyPeer(certificate.raw, { trustDomain });
  if (!peer.ok) throw refused(`${call.getPeer()}: ${peer.error}`);
  const { id, serial } = peer.value;
  const grant = options.ledger.grantOf(serial);
  if (grant === null || grant.purpose !== 'svid' || grant.identity !== id) {
    throw refused(`the certificate ${serial} of ${id} was not issued by this control plane`);
  }
  return sign(options, grant, csr);
}

async function renew(options: IdentityServiceOptions, grant: Grant, csr: Buffer): Promise<Issued> {
  const identity = identityOf(options.authority.trustDomain, grant.account);
  const publicKey = admitRequest(csr, svidNames(identity, []));
  if (!publicKey.ok) throw publicKey.error;
  const issued = await issueSvid(options, grant, publicKey.value);
  options.log.info({ identity, instance: grant.instance, serial: issued.serial }, 'SVID renewed');
  return {
    chain: [...issued.chain],
    bundle: [...issued.bundle],
    spiffeId: issued.identity,
    instance: grant.instance,
  };
}

async function signServer(options: IdentityServiceOptions, grant: Grant, csr: Buffer): Promise<Issued> {
  const edge = edgeOf(grant.account);
  if (edge === null) {
    throw new MeshError('csr-refused', { detail: `${grant.identity} is no edge`, hint: 'only edges serve outsiders' });
  }
  const hosts = options.hostsOfEdge(edge);
  const publicKey = admitRequest(csr, serverNames(hosts));
  if (!publicKey.ok) throw publicKey.error;
  const issued = await issueServerCertificate(options, grant, publicKey.value, hosts);
  options.log.info({ edge, hosts, serial: issued.serial }, 'server certificate issued');
  return { chain: [...issued.chain], bundle: [...issued.bundle], spiffeId: '', instance: grant.instance };
}

function refused(detail: string): MeshError {
  return new MeshError('peer-refused', { origin: 'downstream', detail, hint: 'let it join again with a new token' });
}
