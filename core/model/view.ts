// What one proxy runs: the part of a snapshot that it needs, as named resources. `core/compile` makes
// it, the discovery stream carries it, the proxy decodes, warms and swaps it. Names refer only to
// resources of the same view: a dangling one is a compile error there and a NACK here.
import type { ClusterName, Milliseconds, RuleId, SnapshotHash, SpiffeId } from './brand.ts';
import type { HealthCheck } from './health.ts';
import type { ForwardedFields, ListenerLimits } from './listener.ts';
import type {
  BalancePolicy,
  HostPort,
  PathPattern,
  PrefixRewrite,
  Protocol,
  ProxyProtocol,
  RouteMatch,
  ServicePort,
} from './mesh.ts';

export interface View {
  /** Hash of the snapshot that this view was cut from; logged with every decision. */
  readonly snapshot: SnapshotHash;
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly endpoints: ReadonlyMap<string, ClusterEndpoints>;
  readonly listeners: ReadonlyMap<string, Listener>;
  readonly routes: ReadonlyMap<string, RouteTable>;
}

/** The resource types of the stream, in the order in which they are added (Envoy: CDS, EDS, LDS, RDS). */
export const RESOURCE_TYPES = ['cluster', 'endpoints', 'listener', 'routes'] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];

/** A callable port of a service, or of one version of it. */
export interface Cluster {
  readonly name: ClusterName;
  readonly service: string;
  readonly version: string | null;
  /** Name of a further port; '': the main one. */
  readonly port: string;
  /** mesh: mutual TLS to sidecars that prove `identity`. static: plaintext. */
  readonly kind: 'mesh' | 'static';
  /** The one identity whose certificate is accepted; null where kind is static. */
  readonly identity: SpiffeId | null;
  /** What the app at its far end speaks; a mesh leg agrees on its own by ALPN. */
  readonly protocol: Protocol;
  /** Connections begin with such a PROXY header; static TCP clusters only. */
  readonly proxyProtocol: ProxyProtocol | null;
  readonly balance: BalancePolicy;
  readonly connectTimeout: Milliseconds;
  readonly ruleId: RuleId;
}

export interface ClusterEndpoints {
  readonly cluster: ClusterName;
  readonly endpoints: readonly Endpoint[];
}

/** One instance, as its callers reach it: the inbound port of its sidecar, or a static address. */
export interface Endpoint extends HostPort {
  /** Stable while the instance lives: `orders-7f3a`, or `host:port` where static. */
  readonly id: string;
  /** Relative share, ≥ 1. */
  readonly weight: number;
}

export type Listener = InboundListener | OutboundListener | EdgeListenerResource;

/** Accepts from the mesh for one service; ends mutual TLS; authorizes; hands to the app. */
export interface InboundListener {
  readonly kind: 'inbound';
  readonly name: string;
  readonly service: string;
  /** The app's port as configured; a sidecar's own setting may override it. */
  readonly appPort: number;
  /** What the app speaks. */
  readonly protocol: Protocol;
  /** Beside the main one; callers choose by SNI. */
  readonly ports: readonly ServicePort[];
  readonly policy: AuthorizationPolicy;
  readonly timeout: Milliseconds;
  /** As in a Route. */
  readonly idleTimeout: Milliseconds | null;
  /** null: the app is not asked, and counts as up. */
  readonly health: HealthCheck | null;
  /** TCP connections to the app begin with such a PROXY header. */
  readonly proxyProtocol: ProxyProtocol | null;
  readonly ruleId: RuleId;
}

/** One port of a service that this proxy's app calls; the proxy's settings say on which loopback port. */
export interface OutboundListener {
  readonly kind: 'outbound';
  readonly name: string;
  readonly service: string;
  /** Name of a further port; '': the main one. */
  readonly portName: string;
  /** The service's own port, for `Host: payments:8082` and plain names; 0 where it has none. */
  readonly port: number;
  /** The address behind the service's plain name, in 127.15.0.0/16; a sidecar with `names` serves `port` there. */
  readonly loopback: string;
  /** Name of the RouteTable; '' where there is a `tcp` route. */
  readonly routes: string;
  /** Where connections go that are not HTTP; null: they are. */
  readonly tcp: TcpRoute | null;
  readonly ruleId: RuleId;
}

/** Where a connection goes, byte by byte. */
export interface TcpRoute {
  readonly ruleId: RuleId;
  /** Of TLS that is passed through: exact names or `*.suffix`. Empty: every connection. */
  readonly sni: readonly string[];
  /** At least one with a weight above 0. */
  readonly split: readonly WeightedCluster[];
  /** 0: none. */
  readonly idleTimeout: Milliseconds;
}

export interface EdgeListenerResource {
  readonly kind: 'edge';
  readonly name: string;
  readonly edge: string;
  readonly address: string;
  readonly port: number;
  /** Empty: every host. Loopback names are always served beside the listed ones. */
  readonly hosts: readonly string[];
  readonly tls: 'internal' | 'passthrough' | null;
  readonly limits: ListenerLimits;
  /** CIDR blocks; empty: nobody. */
  readonly trustedProxies: readonly string[];
  readonly forwarded: ForwardedFields;
  readonly routes: string;
  /** Empty: it speaks HTTP. Else every connection takes the first of these that fits, or is closed. */
  readonly tcp: readonly TcpRoute[];
  /** Networks whose connections begin with a PROXY header; null: nobody's do. */
  readonly proxyProtocol: readonly string[] | null;
  readonly ruleId: RuleId;
}

export interface RouteTable {
  readonly name: string;
  /** In config order; `decide/match` orders by specificity. */
  readonly routes: readonly Route[];
}

export interface Route {
  readonly ruleId: RuleId;
  readonly match: RouteMatch;
  /** At least one with a weight above 0. */
  readonly split: readonly WeightedCluster[];
  readonly rewrite: PrefixRewrite | null;
  /** 0: none. */
  readonly timeout: Milliseconds;
  /** One try, until its answer begins; 0: none. */
  readonly perTryTimeout: Milliseconds;
  /** Without a byte in either direction; 0: none; null: the default, which is longer for upgraded connections. */
  readonly idleTimeout: Milliseconds | null;
}

export interface WeightedCluster {
  readonly cluster: ClusterName;
  readonly weight: number;
}

/** Who may call a service. Source: DESIGN "`calls` asks, the callee decides". */
export interface AuthorizationPolicy {
  /** Who says in config that it calls this service; the rule id is that line. */
  readonly callers: readonly Caller[];
  /** null: callers alone decide. */
  readonly allow: readonly CompiledAllow[] | null;
  /** The rule that denies when nothing else does: `services.<name>.allow`, or the service itself. */
  readonly denyRuleId: RuleId;
}

export interface Caller {
  readonly identity: SpiffeId;
  readonly ruleId: RuleId;
}

export interface CompiledAllow {
  readonly from: readonly SpiffeId[];
  readonly methods: readonly string[];
  readonly paths: readonly PathPattern[];
  readonly ruleId: RuleId;
}
