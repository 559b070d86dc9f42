// Names that must not be mixed up: a branded string or number is made in one place and read everywhere.

declare const brand: unique symbol;
type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };

/** `spiffe://<trust-domain>/ns/<namespace>/sa/<service>`; made by `spiffeId` only. */
export type SpiffeId = Brand<string, 'SpiffeId'>;
/** `orders`, or `orders@v2` for one version of it; `orders:grpc`, `orders@v2:grpc` for a further port. */
export type ClusterName = Brand<string, 'ClusterName'>;
/** A config path such as `services.orders.calls[0]`; never a line. */
export type RuleId = Brand<string, 'RuleId'>;
/** Lower-case hex of the canonical SHA-256 of a compiled config, cut to 16 digits. */
export type SnapshotHash = Brand<string, 'SnapshotHash'>;
export type Nonce = Brand<string, 'Nonce'>;
export type Milliseconds = Brand<number, 'Milliseconds'>;

export function milliseconds(value: number): Milliseconds {
  return value as Milliseconds;
}

/** Names one response of one discovery stream. */
export function nonce(text: string): Nonce {
  return text as Nonce;
}

export function ruleId(path: string): RuleId {
  return path as RuleId;
}

/** The cluster of a service, or of one version of it. `port`: name of a further port; '' or none: the main one. */
export function clusterName(service: string, version?: string, port = ''): ClusterName {
  const whole = version === undefined ? service : `${service}@${version}`;
  return (port === '' ? whole : `${whole}:${port}`) as ClusterName;
}

/** The service account of an edge; that of a service is its name. */
export function edgeAccount(edge: string): string {
  return `edge-${edge}`;
}

/** The identity of a service account. Source: SPIFFE-ID §2; the path form is Istio's. */
export function spiffeId(trustDomain: string, namespace: string, account: string): SpiffeId {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${account}` as SpiffeId;
}
