// How a proxy speaks to the control plane: TLS 1.3 with the mesh's roots as the only ones, and the one identity
// `sa/weft-control-plane` expected at the other end, wherever it lives.
import { createSecureContext } from 'node:tls';
import { credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { MeshError } from '../../core/kit/error.ts';
import { CONTROL_PLANE_ACCOUNT, controlPlaneId } from '../../certs/policy/names.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import { parseSpiffeId } from '../../certs/spiffe/spiffe-id.ts';
import type { Identity } from './identity-folder.ts';

export interface ControlPlaneTrust {
  readonly bundlePem: string;
  readonly trustDomain: string;
  /** Left out while there is no certificate yet. */
  readonly own?: Pick<Identity, 'keyPem' | 'chainPem'>;
}

export const CONTROL_PLANE_CHANNEL: ChannelOptions = {
  // SNI must be a name, also where the address is an IP (RFC 6066 §3).
  'grpc.ssl_target_name_override': CONTROL_PLANE_ACCOUNT,
  // A shared connection would outlive a renewed certificate.
  'grpc.use_local_subchannel_pool': 1,
  // The environment's proxy is for the app; nobody may stand between a proxy and its control plane.
  'grpc.enable_http_proxy': 0,
  // Books of every connection and call, which nobody here asks for.
  'grpc.enable_channelz': 0,
};

/**
 * Credentials for a channel with CONTROL_PLANE_CHANNEL. A peer of the mesh that is not the control plane fails the
 * handshake; `onRefusal` hears why, as gRPC only says UNAVAILABLE.
 */
export function controlPlaneCredentials(
  trust: ControlPlaneTrust,
  onRefusal: (error: MeshError) => void = () => {},
): ChannelCredentials {
  const { bundlePem, trustDomain, own } = trust;
  const context = createSecureContext({
    ca: bundlePem,
    minVersion: 'TLSv1.3',
    ...(own === undefined ? {} : { key: own.keyPem, cert: own.chainPem }),
  });
  return credentials.createFromSecureContext(context, {
    checkServerIdentity: (_name, certificate) => {
      const peer = verifyPeer(certificate.raw, { trustDomain, identity: controlPlaneId(trustDomain) });
      if (peer.ok) return undefined;
      const refusal = new MeshError('peer-refused', { origin: 'upstream', detail: `control plane: ${peer.error}` });
      onRefusal(refusal);
      return refusal;
    },
  });
}

export function trustDomainOf(identity: Pick<Identity, 'spiffeId'>): string {
  const parts = parseSpiffeId(identity.spiffeId);
  if (!parts.ok) throw new MeshError('state-corrupt', { detail: `${identity.spiffeId}: ${parts.error}` });
  return parts.value.trustDomain;
}
