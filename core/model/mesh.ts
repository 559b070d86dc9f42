// The configuration as meant: parsed, defaults filled in, names resolved. `core/config` makes it from
// YAML, `core/compile` turns it into a snapshot. Deeply readonly; plain data; no line numbers (those
// stand in the SourceMap beside it, so that a comment changes nothing).
import type { Milliseconds, RuleId } from './brand.ts';
import type { HealthCheck } from './health.ts';
import type { ForwardedFields, ListenerLimits } from './listener.ts';

export interface Mesh {
  readonly trustDomain: string;
  /** Namespace of every service of this file: `default` for now. */
  readonly namespace: string;
  readonly mtls: 'strict';
  readonly egress: 'deny';
  /** `calls`: a `calls` entry admits where the callee has no `allow`. `explicit`: `allow` is mandatory. */
  readonly authorization: 'calls' | 'explicit';
  readonly services: ReadonlyMap<string, Service>;
  readonly edges: ReadonlyMap<string, Edge>;
}

export type Service = WorkloadService | StaticService;

/**
 * What the app speaks. `http`: HTTP/1.1. `http2`: HTTP/2, without TLS by prior knowledge (RFC 9113 §3.3). `grpc`: HTTP/2
 * that carries gRPC. `tcp`: bytes.
 */
export type Protocol = 'http' | 'http2' | 'grpc' | 'tcp';

/** A service whose instances have sidecars. Without `port` it is a job: it only calls. */
export interface WorkloadService {
  readonly kind: 'workload';
  readonly name: string;
  /** The main port: the only one, the one named `http`, or the first of `ports`. */
  readonly port: number | null;
  /** What the app speaks on it. */
  readonly protocol: Protocol;
  /** Its name in `ports`; '' where the file says `port`. */
  readonly portName: string;
  /** Further ports, sorted by name. */
  readonly ports: readonly ServicePort[];
  /** Command line for `weft up`; null: somebody else starts it. */
  readonly run: string | null;
  readonly calls: readonly Call[];
  /** null: no `allow` key, so `calls` alone decides. An empty list admits nobody. */
  readonly allow: readonly AllowRule[] | null;
  /** At least one; a service without `versions` has one whose name is null. */
  readonly versions: readonly ServiceVersion[];
  /** Threads of each of its proxies, for `weft up`. */
  readonly workers: number;
  readonly balance: BalancePolicy;
  /** Whole request, retries included, as Envoy's route timeout. 0: none; null: what is usual for the port's protocol. */
  readonly timeout: Milliseconds | null;
  /** One try, until its answer begins. null, 0: none. */
  readonly perTryTimeout: Milliseconds | null;
  /** Without a byte in either direction. 0: none; null: the default. */
  readonly idleTimeout: Milliseconds | null;
  /** How its sidecar asks the app; null: it does not, and nobody asks a job. */
  readonly health: HealthCheck | null;
  /** TCP: begin connections to the app with a PROXY header that names the client; null: none. */
  readonly proxyProtocol: ProxyProtocol | null;
  readonly ruleId: RuleId;
}

/** A port beside the main one. */
export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** Source: haproxy.org/download/3.0/doc/proxy-protocol.txt. */
export type ProxyProtocol = 'v1' | 'v2';

/** Plain endpoints outside the mesh: no sidecar, no mutual TLS. */
export interface StaticService {
  readonly kind: 'static';
  readonly name: string;
  readonly endpoints: readonly HostPort[];
  readonly protocol: Protocol;
  readonly balance: BalancePolicy;
  readonly timeout: Milliseconds | null;
  readonly perTryTimeout: Milliseconds | null;
  readonly idleTimeout: Milliseconds | null;
  readonly proxyProtocol: ProxyProtocol | null;
  readonly ruleId: RuleId;
}

export interface ServiceVersion {
  readonly name: string | null;
  /** How many `weft up` starts. */
  readonly instances: number;
}

export interface Call {
  readonly service: string;
  readonly ruleId: RuleId;
}

export interface AllowRule {
  /** Service names, or `edge-<name>` for an edge. */
  readonly from: readonly string[];
  /** Upper-case tokens; empty: every method. */
  readonly methods: readonly string[];
  /** Path patterns; empty: every path. */
  readonly paths: readonly PathPattern[];
  readonly ruleId: RuleId;
}

export type BalancePolicy = 'round-robin' | 'least-request';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface Edge {
  readonly name: string;
  /** Threads of its proxy, for `weft up` and a standalone edge. */
  readonly workers: number;
  readonly listeners: readonly EdgeListener[];
  readonly routes: readonly RouteRule[];
  /** Of listeners with `tls: passthrough`: which TLS connections go where, unopened. */
  readonly passthrough: readonly PassthroughRule[];
}

export interface EdgeListener {
  readonly address: string;
  /** 0 lets the system choose: for tests and `weft up`. */
  readonly port: number;
  /** Empty: every host. Exact names or `*.suffix`. */
  readonly hosts: readonly string[];
  /**
   * `internal`: a certificate of the mesh authority for `hosts`. `passthrough`: TLS is not ended here, the name that the
   * client asks for (SNI) chooses. null: plaintext.
   */
  readonly tls: 'internal' | 'passthrough' | null;
  readonly limits: ListenerLimits;
  /** CIDR blocks of the proxies in front that say the truth about their clients; empty: none. */
  readonly trustedProxies: readonly string[];
  readonly forwarded: ForwardedFields;
  /** `tcp`: every connection goes to `to`. */
  readonly protocol: 'http' | 'tcp';
  /** Empty where protocol is http. */
  readonly to: readonly WeightedTarget[];
  /** Networks whose connections begin with a PROXY header, as CIDR; those of others have none. null: nobody's have. */
  readonly proxyProtocol: readonly string[] | null;
  readonly ruleId: RuleId;
}

export interface PassthroughRule {
  /** Exact names or `*.suffix`, lower case; at least one. */
  readonly sni: readonly string[];
  readonly to: readonly WeightedTarget[];
  readonly ruleId: RuleId;
}

export interface RouteRule {
  readonly match: RouteMatch;
  readonly to: readonly WeightedTarget[];
  readonly rewrite: PrefixRewrite | null;
  /** null: that of the services it leads to; the longest where they differ. */
  readonly timeout: Milliseconds | null;
  /** null: as with `timeout`. */
  readonly perTryTimeout: Milliseconds | null;
  /** null: as with `timeout`. */
  readonly idleTimeout: Milliseconds | null;
  readonly ruleId: RuleId;
}

/** Everything given must hold. */
export interface RouteMatch {
  /** Empty: every host of the listener. Exact names or `*.suffix`, lower case, no port. */
  readonly hosts: readonly string[];
  readonly path: PathPattern;
  /** Empty: every method. */
  readonly methods: readonly string[];
  /** Lower-case name → exact value; every one must be there. */
  readonly headers: readonly NameValue[];
  readonly query: readonly NameValue[];
}

/**
 * How a path is written in config, and how specific it is, most specific first:
 * - `exact`: `/healthz`
 * - `template`: `/users/{id}`: each `{name}` is one non-empty segment
 * - `prefix`: key `prefix: /static`: `/static` and everything under `/static/`, by whole segments
 *   (source: Gateway API PathPrefix)
 * - `glob`: `/api/orders/**`: `*` is one non-empty segment; a last `**` is everything under it, and its
 *   bare prefix `/api/orders` too
 */
export type PathPattern =
  | { readonly kind: 'exact'; readonly path: string }
  | { readonly kind: 'template'; readonly path: string }
  | { readonly kind: 'prefix'; readonly path: string }
  | { readonly kind: 'glob'; readonly path: string };

export interface NameValue {
  readonly name: string;
  readonly value: string;
}

export interface WeightedTarget {
  readonly service: string;
  /** null: every version. */
  readonly version: string | null;
  /** Name of a further port; '': the main one. */
  readonly port: string;
  /** ≥ 0; a share of the sum. */
  readonly weight: number;
}

/** The matched prefix is replaced; what follows and the query stay. Source: Gateway API ReplacePrefixMatch. */
export interface PrefixRewrite {
  readonly prefix: string;
  readonly to: string;
}

/** Where in the files a rule stands; kept beside the snapshot and outside its hash. */
export type SourceMap = ReadonlyMap<RuleId, SourcePosition>;

export interface SourcePosition {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}
