// Wire → model, for the proxy: one resource at a time. Whatever a control plane may send, the outcome is
// a resource of the model or the one flaw that keeps it from being one.
import { err, ok, type Result } from '../../core/kit/result.ts';
import { clusterName } from '../../core/model/brand.ts';
import type { Cluster, ClusterEndpoints, ResourceType, Route, RouteTable } from '../../core/model/view.ts';
import type { Cluster__Output } from '../gen/weft/v1/Cluster.ts';
import type { ClusterEndpoints__Output } from '../gen/weft/v1/ClusterEndpoints.ts';
import type { Resource__Output } from '../gen/weft/v1/Resource.ts';
import type { Route__Output } from '../gen/weft/v1/Route.ts';
import type { RouteTable__Output } from '../gen/weft/v1/RouteTable.ts';
import { decodeListener } from './decode-listener.ts';
import { decodeMethods, decodePairs, decodePath, decodeSplit } from './decode-match.ts';
import { decodeProtocol, decodeProxyProtocol, modelWord, WIRE_BALANCE, WIRE_CLUSTER_KIND } from './enums.ts';
import { FieldReader, LIMITS, type Flaw } from './fields.ts';
import type { DecodedResource } from './view.ts';

export function decodeResource(wire: Resource__Output): Result<DecodedResource, Flaw> {
  const type: ResourceType | undefined = wire.body;
  const reader = new FieldReader(`${type ?? 'unknown'}/${wire.name.slice(0, LIMITS.name)}`);
  reader.name('name', wire.name);
  reader.name('version', wire.version);
  const decoded = decodeBody(reader, wire);
  if (decoded === null) reader.fail('body', 'is of a type that is not known here');
  else if (decoded.name !== wire.name) reader.fail('name', `differs from the name inside, '${decoded.name}'`);
  return decoded === null || reader.flaw !== null ? err(reader.flaw ?? unknown(reader)) : ok(decoded);
}

function unknown(reader: FieldReader): Flaw {
  return { resource: reader.resource, path: '', reason: 'is not valid', ruleId: reader.rule };
}

function decodeBody(reader: FieldReader, wire: Resource__Output): DecodedResource | null {
  const { version } = wire;
  if (wire.cluster) {
    const value = decodeCluster(reader, wire.cluster);
    return { type: 'cluster', name: value.name, version, value };
  }
  if (wire.endpoints) {
    const value = decodeEndpoints(reader, wire.endpoints);
    return { type: 'endpoints', name: value.cluster, version, value };
  }
  if (wire.listener) {
    const value = decodeListener(reader, wire.listener);
    return value === null ? null : { type: 'listener', name: value.name, version, value };
  }
  if (wire.routes) {
    const value = decodeRoutes(reader, wire.routes);
    return { type: 'routes', name: value.name, version, value };
  }
  return null;
}

function decodeCluster(reader: FieldReader, wire: Cluster__Output): Cluster {
  const ruleId = reader.ruleId('rule_id', wire.ruleId);
  const kind = modelWord(WIRE_CLUSTER_KIND, wire.kind);
  const balance = modelWord(WIRE_BALANCE, wire.balance);
  if (kind === undefined) reader.fail('kind', `has the unknown value ${wire.kind}`);
  if (balance === undefined) reader.fail('balance', `has the unknown value ${wire.balance}`);
  const service = reader.name('service', wire.service);
  const version = wire.version === '' ? null : reader.name('version', wire.version);
  const port = wire.port === '' ? '' : reader.name('port', wire.port);
  const name = clusterName(service, version ?? undefined, port);
  if (name !== wire.name) reader.fail('name', `is '${wire.name}', expected '${name}'`);
  if (kind === 'static' && wire.identity !== '') reader.fail('identity', 'is not for a static cluster');
  return {
    name,
    service,
    version,
    port,
    kind: kind ?? 'static',
    identity: kind === 'mesh' ? reader.identity('identity', wire.identity) : null,
    protocol: decodeProtocol(reader, 'protocol', wire.protocol),
    proxyProtocol: decodeProxyProtocol(reader, 'proxy_protocol', wire.proxyProtocol),
    balance: balance ?? 'round-robin',
    connectTimeout: reader.milliseconds('connect_timeout_ms', wire.connectTimeoutMs),
    ruleId,
  };
}

function decodeEndpoints(reader: FieldReader, wire: ClusterEndpoints__Output): ClusterEndpoints {
  const ids = new Set<string>();
  const endpoints = reader.list('endpoints', wire.endpoints, LIMITS.endpoints, (path, endpoint) => {
    if (ids.has(endpoint.id)) reader.fail(`${path}.id`, `'${endpoint.id.slice(0, LIMITS.name)}' is there twice`);
    ids.add(endpoint.id);
    return {
      id: reader.name(`${path}.id`, endpoint.id),
      host: reader.name(`${path}.host`, endpoint.host),
      port: reader.port(`${path}.port`, endpoint.port, 1),
      weight: reader.integer(`${path}.weight`, endpoint.weight, 1, LIMITS.weight),
    };
  });
  return { cluster: clusterName(reader.name('cluster', wire.cluster)), endpoints };
}

function decodeRoutes(reader: FieldReader, wire: RouteTable__Output): RouteTable {
  return {
    name: reader.name('name', wire.name),
    routes: reader.list('routes', wire.routes, LIMITS.routes, (path, route) => decodeRoute(reader, path, route)),
  };
}

function decodeRoute(reader: FieldReader, path: string, wire: Route__Output): Route {
  const ruleId = reader.ruleId(`${path}.rule_id`, wire.ruleId);
  const match = reader.present(`${path}.match`, wire.match);
  const split = decodeSplit(reader, `${path}.split`, wire.split);
  const { rewrite } = wire;
  return {
    ruleId,
    match: {
      hosts: reader.list(`${path}.match.hosts`, match?.hosts ?? [], LIMITS.matches, (at, host) =>
        reader.name(at, host),
      ),
      path: decodePath(reader, `${path}.match.path`, match?.path),
      methods: decodeMethods(reader, `${path}.match.methods`, match?.methods ?? []),
      headers: decodePairs(reader, `${path}.match.headers`, match?.headers ?? [], 'token'),
      query: decodePairs(reader, `${path}.match.query`, match?.query ?? [], 'name'),
    },
    split,
    rewrite: rewrite
      ? {
          prefix: reader.text(`${path}.rewrite.prefix`, rewrite.prefix),
          to: reader.text(`${path}.rewrite.to`, rewrite.to),
        }
      : null,
    timeout: reader.milliseconds(`${path}.timeout_ms`, wire.timeoutMs),
    perTryTimeout: reader.milliseconds(`${path}.per_try_timeout_ms`, wire.perTryTimeoutMs),
    idleTimeout: wire.idleTimeout ? reader.milliseconds(`${path}.idle_timeout.ms`, wire.idleTimeout.ms) : null,
  };
}
