// Model → wire, for the control plane: one resource at a time, each with the content hash that is its
// version. Keys are written in a fixed order, so that equal content has equal bytes and equal versions.
import type { HealthCheck } from '../../core/model/health.ts';
import type { PathPattern, ServicePort } from '../../core/model/mesh.ts';
import type {
  AuthorizationPolicy,
  Cluster,
  ClusterEndpoints,
  Listener,
  ResourceType,
  Route,
  RouteTable,
  TcpRoute,
  View,
  WeightedCluster,
} from '../../core/model/view.ts';
import { sha256Hex } from '../../host/hash.ts';
import type { AuthorizationPolicy as WirePolicy } from '../gen/weft/v1/AuthorizationPolicy.ts';
import type { HealthCheck as WireHealth } from '../gen/weft/v1/HealthCheck.ts';
import type { Listener as WireListener } from '../gen/weft/v1/Listener.ts';
import type { PathPattern as WirePath } from '../gen/weft/v1/PathPattern.ts';
import type { Resource } from '../gen/weft/v1/Resource.ts';
import type { Route as WireRoute } from '../gen/weft/v1/Route.ts';
import type { ServicePort as WirePort } from '../gen/weft/v1/ServicePort.ts';
import type { TcpRoute as WireTcpRoute } from '../gen/weft/v1/TcpRoute.ts';
import type { WeightedCluster as WireTarget } from '../gen/weft/v1/WeightedCluster.ts';
import {
  WIRE_BALANCE,
  WIRE_CLUSTER_KIND,
  WIRE_EDGE_TLS,
  WIRE_FORWARDED,
  WIRE_PATH_KIND,
  WIRE_PROTOCOL,
  WIRE_PROXY_PROTOCOL,
} from './enums.ts';

/** A resource ready to be sent. */
export interface EncodedResource {
  readonly type: ResourceType;
  readonly name: string;
  /** Content hash, 16 hex digits. */
  readonly version: string;
  readonly wire: Resource;
}

/** Every resource of a view, in the order in which they are to be added. */
export function encodeView(view: View): EncodedResource[] {
  return new ViewEncoder().encode(view);
}

/** Remembers what it encoded: snapshots share the resources that did not change, and so do views. */
export class ViewEncoder {
  readonly #versionOf: (body: Resource) => string;
  /** By the resource itself. */
  readonly #known = new WeakMap<object, EncodedResource>();
  /** By the list of endpoints in them, which is what the registry keeps: clusters may share one. */
  readonly #endpoints = new WeakMap<object, Map<string, EncodedResource>>();

  /** `versionOf`: for bodies that are not sent, whose hash would be made for nothing. */
  constructor(versionOf: (body: Resource) => string = contentVersion) {
    this.#versionOf = versionOf;
  }

  encode(view: View): EncodedResource[] {
    const encoded: EncodedResource[] = [];
    for (const cluster of view.clusters.values()) encoded.push(this.cluster(cluster));
    for (const resource of view.endpoints.values()) encoded.push(this.endpoints(resource));
    for (const listener of view.listeners.values()) encoded.push(this.listener(listener));
    for (const table of view.routes.values()) encoded.push(this.routes(table));
    return encoded;
  }

  cluster(cluster: Cluster): EncodedResource {
    return this.#once(cluster, () => this.#seal('cluster', cluster.name, clusterBody(cluster)));
  }

  endpoints(resource: ClusterEndpoints): EncodedResource {
    const { cluster: name, endpoints } = resource;
    const clusters = this.#endpoints.get(endpoints) ?? new Map<string, EncodedResource>();
    this.#endpoints.set(endpoints, clusters);
    const known = clusters.get(name);
    if (known !== undefined) return known;
    const encoded = this.#seal('endpoints', name, endpointsBody(resource));
    clusters.set(name, encoded);
    return encoded;
  }

  listener(listener: Listener): EncodedResource {
    return this.#once(listener, () => this.#seal('listener', listener.name, listenerBody(listener)));
  }

  routes(table: RouteTable): EncodedResource {
    return this.#once(table, () => this.#seal('routes', table.name, routesBody(table)));
  }

  #seal(type: ResourceType, name: string, body: Resource): EncodedResource {
    const version = this.#versionOf(body);
    return { type, name, version, wire: { name, version, ...body } };
  }

  #once(resource: object, encode: () => EncodedResource): EncodedResource {
    const known = this.#known.get(resource);
    if (known !== undefined) return known;
    const encoded = encode();
    this.#known.set(resource, encoded);
    return encoded;
  }
}

function contentVersion(body: Resource): string {
  return sha256Hex(JSON.stringify(body)).slice(0, 16);
}

function clusterBody(cluster: Cluster): Resource {
  return {
    cluster: {
      name: cluster.name,
      service: cluster.service,
      version: cluster.version ?? '',
      kind: WIRE_CLUSTER_KIND[cluster.kind],
      identity: cluster.identity ?? '',
      balance: WIRE_BALANCE[cluster.balance],
      connectTimeoutMs: cluster.connectTimeout,
      ruleId: cluster.ruleId,
      protocol: WIRE_PROTOCOL[cluster.protocol],
      port: cluster.port,
      proxyProtocol: WIRE_PROXY_PROTOCOL[cluster.proxyProtocol ?? 'none'],
    },
  };
}

function endpointsBody(resource: ClusterEndpoints): Resource {
  return {
    endpoints: {
      cluster: resource.cluster,
      endpoints: resource.endpoints.map(({ id, host, port, weight }) => ({ id, host, port, weight })),
    },
  };
}

function listenerBody(listener: Listener): Resource {
  return { listener: { name: listener.name, ruleId: listener.ruleId, ...listenerKind(listener) } };
}

function listenerKind(listener: Listener): WireListener {
  switch (listener.kind) {
    case 'inbound':
      return {
        inbound: {
          service: listener.service,
          appPort: listener.appPort,
          policy: policyBody(listener.policy),
          timeoutMs: listener.timeout,
          ...idleBody(listener.idleTimeout),
          protocol: WIRE_PROTOCOL[listener.protocol],
          ports: listener.ports.map(portBody),
          proxyProtocol: WIRE_PROXY_PROTOCOL[listener.proxyProtocol ?? 'none'],
          health: healthBody(listener.health),
        },
      };
    case 'outbound':
      return {
        outbound: {
          service: listener.service,
          port: listener.port,
          routes: listener.routes,
          loopback: listener.loopback,
          portName: listener.portName,
          ...(listener.tcp === null ? {} : { tcp: tcpBody(listener.tcp) }),
        },
      };
    case 'edge':
      return {
        edge: {
          edge: listener.edge,
          address: listener.address,
          port: listener.port,
          hosts: [...listener.hosts],
          tls: WIRE_EDGE_TLS[listener.tls ?? 'none'],
          routes: listener.routes,
          limits: {
            requestLineBytes: listener.limits.requestLine,
            headerBytes: listener.limits.headerSize,
            headerFields: listener.limits.headerCount,
            bodyBytes: listener.limits.bodySize,
            headerTimeoutMs: listener.limits.headerTimeout,
          },
          trustedProxies: [...listener.trustedProxies],
          forwarded: WIRE_FORWARDED[listener.forwarded],
          tcp: listener.tcp.map(tcpBody),
          ...(listener.proxyProtocol === null ? {} : { proxyProtocol: { cidr: [...listener.proxyProtocol] } }),
        },
      };
  }
}

function portBody({ name, port, protocol }: ServicePort): WirePort {
  return { name, port, protocol: WIRE_PROTOCOL[protocol] };
}

function tcpBody(route: TcpRoute): WireTcpRoute {
  const { ruleId, sni, split, idleTimeout } = route;
  return { ruleId, sni: [...sni], split: splitBody(split), idleTimeoutMs: idleTimeout };
}

function splitBody(split: readonly WeightedCluster[]): WireTarget[] {
  return split.map(({ cluster, weight }) => ({ cluster, weight }));
}

function policyBody(policy: AuthorizationPolicy): WirePolicy {
  const allow = policy.allow?.map((rule) => ({
    from: [...rule.from],
    methods: [...rule.methods],
    paths: rule.paths.map(pathBody),
    ruleId: rule.ruleId,
  }));
  return {
    callers: policy.callers.map(({ identity, ruleId }) => ({ identity, ruleId })),
    ...(allow === undefined ? {} : { allow: { rules: allow } }),
    denyRuleId: policy.denyRuleId,
  };
}

function routesBody(table: RouteTable): Resource {
  return { routes: { name: table.name, routes: table.routes.map(routeBody) } };
}

function routeBody(route: Route): WireRoute {
  const { match, rewrite } = route;
  return {
    ruleId: route.ruleId,
    match: {
      hosts: [...match.hosts],
      path: pathBody(match.path),
      methods: [...match.methods],
      headers: match.headers.map(({ name, value }) => ({ name, value })),
      query: match.query.map(({ name, value }) => ({ name, value })),
    },
    split: splitBody(route.split),
    ...(rewrite === null ? {} : { rewrite: { prefix: rewrite.prefix, to: rewrite.to } }),
    timeoutMs: route.timeout,
    perTryTimeoutMs: route.perTryTimeout,
    ...idleBody(route.idleTimeout),
  };
}

function idleBody(timeout: number | null): { idleTimeout?: { ms: number } } {
  return timeout === null ? {} : { idleTimeout: { ms: timeout } };
}

function healthBody(health: HealthCheck | null): WireHealth {
  if (health === null) return { off: true };
  const { path, interval, timeout, healthy, unhealthy } = health;
  return { path: path ?? '', intervalMs: interval, timeoutMs: timeout, healthy, unhealthy };
}

function pathBody(pattern: PathPattern): WirePath {
  return { kind: WIRE_PATH_KIND[pattern.kind], path: pattern.path };
}
