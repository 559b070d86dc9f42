// The connection to the discovery port: mutual TLS 1.3, where the server must be the control plane of our own
// trust domain. One connection per session, so that waiting between tries is the agent's alone.
import { createSecureContext } from 'node:tls';
import { Client, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { controlPlaneId } from '../../certs/policy/names.ts';
import { verifyPeer } from '../../certs/spiffe/peer.ts';
import { parseSpiffeId } from '../../certs/spiffe/spiffe-id.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { DiscoveryDefinition } from '../../proto/gen/weft/v1/Discovery.ts';
import type { DiscoveryRequest } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse__Output } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';

/** What the agent needs of an identity; certs' Identity is one. All PEM. */
export interface AgentIdentity {
  readonly spiffeId: SpiffeId;
  /** Private key of the SVID. */
  readonly keyPem: string;
  /** Leaf, then intermediates. */
  readonly chainPem: string;
  /** Roots of the trust domain. */
  readonly bundlePem: string;
}

export type DiscoveryStream = ClientDuplexStream<DiscoveryRequest, DiscoveryResponse__Output>;

export interface Connection {
  readonly stream: DiscoveryStream;
  close(): void;
}

export interface Keepalive {
  /** Silence after which the control plane is pinged, in ms. */
  readonly time: number;
  /** How long it has to answer, in ms. */
  readonly timeout: number;
}

/** A view of a very large mesh; what is larger is refused by the library with a status. */
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** Opens a stream; whether it connects is told by the stream's events. Throws where the identity is no PEM. */
export function connectDiscovery(
  address: HostPort,
  identity: AgentIdentity,
  method: DiscoveryDefinition['Stream'],
  keepalive: Keepalive,
): Connection {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const client = new Client(`${host}:${address.port}`, channelCredentials(identity), {
    'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
    'grpc.keepalive_time_ms': keepalive.time,
    'grpc.keepalive_timeout_ms': keepalive.timeout,
    // A shared connection would outlive a renewed certificate.
    'grpc.use_local_subchannel_pool': 1,
    // The environment's proxy is for the app; nobody may stand between a proxy and its control plane.
    'grpc.enable_http_proxy': 0,
    // SNI must be a name, also where the address is an IP (RFC 6066 §3).
    'grpc.ssl_target_name_override': 'weft-control-plane',
  });
  const stream = client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
  return { stream, close: () => client.close() };
}

function channelCredentials(identity: AgentIdentity) {
  const context = createSecureContext({
    ca: identity.bundlePem,
    key: identity.keyPem,
    cert: identity.chainPem,
    minVersion: 'TLSv1.3',
  });
  const id = parseSpiffeId(identity.spiffeId);
  const trustDomain = id.ok ? id.value.trustDomain : '';
  return credentials.createFromSecureContext(context, {
    checkServerIdentity: (_host, certificate) => {
      const peer = verifyPeer(certificate.raw, { trustDomain, identity: controlPlaneId(trustDomain) });
      return peer.ok ? undefined : new Error(`the peer is not the control plane: ${peer.error}`);
    },
  });
}
