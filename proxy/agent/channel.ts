// The connection to the discovery port: mutual TLS 1.3, where the server must be the control plane of our own
// trust domain. One connection per session, so that waiting between tries is the agent's alone.
import { Client, logVerbosity, setLogVerbosity, type ClientDuplexStream } from '@grpc/grpc-js';
import { describeError } from '../../core/kit/error.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { formatAddress } from '../../host/setting-kinds.ts';
import type { DiscoveryDefinition } from '../../proto/gen/weft/v1/Discovery.ts';
import type { DiscoveryRequest } from '../../proto/gen/weft/v1/DiscoveryRequest.ts';
import type { DiscoveryResponse__Output } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import { CONTROL_PLANE_CHANNEL, controlPlaneCredentials, trustDomainOf } from './control-plane-channel.ts';

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
  /** Why the other end was not taken for the control plane; '' where it was, or nobody was there. */
  refusal(): string;
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
  // The agent says what there is to say; the library would print on stderr beside it.
  setLogVerbosity(logVerbosity.NONE);
  let refusal = '';
  const credentials = controlPlaneCredentials(
    { bundlePem: identity.bundlePem, trustDomain: trustDomainOf(identity), own: identity },
    (error) => {
      refusal = describeError(error);
    },
  );
  const client = new Client(formatAddress(address), credentials, {
    ...CONTROL_PLANE_CHANNEL,
    'grpc.max_receive_message_length': MAX_RESPONSE_BYTES,
    'grpc.keepalive_time_ms': keepalive.time,
    'grpc.keepalive_timeout_ms': keepalive.timeout,
  });
  const stream = client.makeBidiStreamRequest(method.path, method.requestSerialize, method.responseDeserialize);
  return { stream, refusal: () => refusal, close: () => client.close() };
}
