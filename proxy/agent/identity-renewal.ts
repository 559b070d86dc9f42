// What a proxy asks of the control plane once it is somebody: a fresh SVID before the old one ends, and for edges
// a server certificate. Both over its own mutual TLS, so that no token is needed.
import { MeshError } from '../../core/kit/error.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { readCertificate } from '../../certs/x509/certificate.ts';
import { makeCsr } from '../../certs/x509/csr.ts';
import { generateKeyPair, privateKeyPem } from '../../certs/x509/key.ts';
import { certificatesOf } from '../../certs/x509/pem.ts';
import type { Services } from '../../proto/codec/services.ts';
import { trustDomainOf, type ControlPlaneTrust } from './control-plane-channel.ts';
import { callForIdentity } from './identity-call.ts';
import { pendingKey, storeIdentity, type Identity } from './identity-folder.ts';

export interface AskOptions {
  /** The discovery port. */
  readonly address: HostPort;
  readonly identity: Identity;
  readonly services: Pick<Services, 'identity'>;
  readonly signal?: AbortSignal;
}

/** When a certificate is good; milliseconds since 1970. */
export interface Lifetime {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** For an edge's own listeners; all PEM. */
export interface ServerCertificate extends Lifetime {
  readonly keyPem: string;
  /** Leaf, then intermediates. */
  readonly chainPem: string;
}

/**
 * How long to wait before the first try to renew, in ms: a third of the life is over by then, give or take a tenth
 * of that third, so that what joined together does not renew together. 0 where it is late already.
 *
 * @param now milliseconds since 1970
 * @param random in [0, 1)
 */
export function renewalDelay(life: Lifetime, now: number, random: number): number {
  const third = (life.notAfter - life.notBefore) / 3;
  return Math.max(0, Math.round(life.notBefore + third * (0.9 + random * 0.2) - now));
}

/** A new SVID for a new key, stored in the state folder. Throws MeshError as `callForIdentity` does. */
export async function renewIdentity(options: AskOptions & { readonly stateDir: string }): Promise<Identity> {
  const keys = await pendingKey(options.stateDir);
  const issued = await callForIdentity({
    address: options.address,
    trust: trustOf(options.identity),
    method: options.services.identity.Renew,
    request: { csr: makeCsr(keys) },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return storeIdentity(options.stateDir, keys, { ...issued, tokenId: options.identity.tokenId });
}

/** Signed for the hosts that the configuration gives this edge. Throws `csr-refused` for a sidecar. */
export async function requestServerCertificate(options: AskOptions): Promise<ServerCertificate> {
  const keys = generateKeyPair();
  const issued = await callForIdentity({
    address: options.address,
    trust: trustOf(options.identity),
    method: options.services.identity.SignServer,
    request: { csr: makeCsr(keys) },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { keyPem: privateKeyPem(keys.privateKey), chainPem: issued.chainPem, ...lifetimeOf(issued.chainPem) };
}

/** Of the leaf, which comes first. Throws MeshError `peer-refused` for what is no certificate. */
function lifetimeOf(chainPem: string): Lifetime {
  const chain = certificatesOf(chainPem);
  const leaf = chain.ok ? readCertificate(chain.value[0] ?? Buffer.alloc(0)) : chain;
  if (!leaf.ok) throw new MeshError('peer-refused', { detail: `the control plane sent no certificate: ${leaf.error}` });
  return { notBefore: leaf.value.notBefore, notAfter: leaf.value.notAfter };
}

function trustOf(identity: Identity): ControlPlaneTrust {
  return { bundlePem: identity.bundlePem, trustDomain: trustDomainOf(identity), own: identity };
}
