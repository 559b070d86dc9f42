// The words of the model beside those of the wire, each pair once; both directions are made from here.
import type { ForwardedFields } from '../../core/model/listener.ts';
import type { BalancePolicy, EdgeListener, PathPattern, Protocol, ProxyProtocol } from '../../core/model/mesh.ts';
import type { Cluster, ResourceType } from '../../core/model/view.ts';
import type { Balance__Output } from '../gen/weft/v1/Balance.ts';
import type { ClusterKind__Output } from '../gen/weft/v1/ClusterKind.ts';
import type { EdgeTls__Output } from '../gen/weft/v1/EdgeTls.ts';
import type { ForwardedFields__Output } from '../gen/weft/v1/ForwardedFields.ts';
import type { PathKind__Output } from '../gen/weft/v1/PathKind.ts';
import type { Protocol__Output } from '../gen/weft/v1/Protocol.ts';
import type { ProxyProtocol__Output } from '../gen/weft/v1/ProxyProtocol.ts';
import type { ResourceType__Output } from '../gen/weft/v1/ResourceType.ts';
import type { FieldReader } from './fields.ts';

export const WIRE_TYPE = {
  cluster: 'RESOURCE_TYPE_CLUSTER',
  endpoints: 'RESOURCE_TYPE_ENDPOINTS',
  listener: 'RESOURCE_TYPE_LISTENER',
  routes: 'RESOURCE_TYPE_ROUTES',
} as const satisfies Record<ResourceType, ResourceType__Output>;

export const WIRE_CLUSTER_KIND = {
  mesh: 'CLUSTER_KIND_MESH',
  static: 'CLUSTER_KIND_STATIC',
} as const satisfies Record<Cluster['kind'], ClusterKind__Output>;

export const WIRE_BALANCE = {
  'round-robin': 'BALANCE_ROUND_ROBIN',
  'least-request': 'BALANCE_LEAST_REQUEST',
} as const satisfies Record<BalancePolicy, Balance__Output>;

export const WIRE_PROTOCOL = {
  http: 'PROTOCOL_HTTP',
  http2: 'PROTOCOL_HTTP2',
  grpc: 'PROTOCOL_GRPC',
  tcp: 'PROTOCOL_TCP',
} as const satisfies Record<Protocol, Protocol__Output>;

export const WIRE_FORWARDED = {
  'x-forwarded': 'FORWARDED_FIELDS_X_FORWARDED',
  forwarded: 'FORWARDED_FIELDS_FORWARDED',
  both: 'FORWARDED_FIELDS_BOTH',
} as const satisfies Record<ForwardedFields, ForwardedFields__Output>;

export const WIRE_PROXY_PROTOCOL = {
  none: 'PROXY_PROTOCOL_NONE',
  v1: 'PROXY_PROTOCOL_V1',
  v2: 'PROXY_PROTOCOL_V2',
} as const satisfies Record<ProxyProtocol | 'none', ProxyProtocol__Output>;

export const WIRE_EDGE_TLS = {
  none: 'EDGE_TLS_NONE',
  internal: 'EDGE_TLS_INTERNAL',
  passthrough: 'EDGE_TLS_PASSTHROUGH',
} as const satisfies Record<NonNullable<EdgeListener['tls']> | 'none', EdgeTls__Output>;

export const WIRE_PATH_KIND = {
  exact: 'PATH_KIND_EXACT',
  template: 'PATH_KIND_TEMPLATE',
  prefix: 'PATH_KIND_PREFIX',
  glob: 'PATH_KIND_GLOB',
} as const satisfies Record<PathPattern['kind'], PathKind__Output>;

/**
 * The model's word for a value of the wire; undefined for one that is not known here. The decoder hands
 * a number through where a newer peer uses a value that this build lacks, so the type is wider than the
 * generated one.
 */
export function modelWord<Word extends string>(
  table: Readonly<Record<Word, string>>,
  value: string | number,
): Word | undefined {
  for (const word in table) if (table[word] === value) return word;
  return undefined;
}

/** Unspecified is `http`: a control plane from before this field sends nothing else. */
export function decodeProtocol(reader: FieldReader, path: string, value: string | number): Protocol {
  const protocol = value === 'PROTOCOL_UNSPECIFIED' ? 'http' : modelWord(WIRE_PROTOCOL, value);
  if (protocol === undefined) reader.fail(path, `has the unknown value ${value}`);
  return protocol ?? 'http';
}

export function decodeProxyProtocol(reader: FieldReader, path: string, value: string | number): ProxyProtocol | null {
  const version = modelWord(WIRE_PROXY_PROTOCOL, value);
  if (version === undefined) reader.fail(path, `has the unknown value ${value}`);
  return version === undefined || version === 'none' ? null : version;
}
