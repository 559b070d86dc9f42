// Listeners and the policy of an inbound one, wire → model.
import { DEFAULT_LIMITS, LIMIT_BOUNDS, type ForwardedFields, type ListenerLimits } from '../../core/model/listener.ts';
import type { ServicePort } from '../../core/model/mesh.ts';
import type { AuthorizationPolicy, CompiledAllow, Listener, TcpRoute } from '../../core/model/view.ts';
import type { AllowRule__Output } from '../gen/weft/v1/AllowRule.ts';
import type { AuthorizationPolicy__Output } from '../gen/weft/v1/AuthorizationPolicy.ts';
import type { EdgeListener__Output } from '../gen/weft/v1/EdgeListener.ts';
import type { HealthCheck__Output } from '../gen/weft/v1/HealthCheck.ts';
import type { InboundListener__Output } from '../gen/weft/v1/InboundListener.ts';
import type { ListenerLimits__Output } from '../gen/weft/v1/ListenerLimits.ts';
import type { Listener__Output } from '../gen/weft/v1/Listener.ts';
import type { OutboundListener__Output } from '../gen/weft/v1/OutboundListener.ts';
import type { ServicePort__Output } from '../gen/weft/v1/ServicePort.ts';
import type { TcpRoute__Output } from '../gen/weft/v1/TcpRoute.ts';
import { milliseconds, ruleId } from '../../core/model/brand.ts';
import { DEFAULT_HEALTH, HEALTH_BOUNDS, type HealthCheck } from '../../core/model/health.ts';
import { decodeMethods, decodePath, decodeSplit } from './decode-match.ts';
import { decodeProtocol, decodeProxyProtocol, modelWord, WIRE_EDGE_TLS, WIRE_FORWARDED } from './enums.ts';
import { LIMITS, type FieldReader } from './fields.ts';

/** null: of a kind that is not known here. */
export function decodeListener(reader: FieldReader, wire: Listener__Output): Listener | null {
  const name = reader.name('name', wire.name);
  const rule = reader.ruleId('rule_id', wire.ruleId);
  if (wire.inbound) return { kind: 'inbound', name, ...decodeInbound(reader, wire.inbound), ruleId: rule };
  if (wire.outbound) return { kind: 'outbound', name, ...decodeOutbound(reader, wire.outbound), ruleId: rule };
  return wire.edge ? { kind: 'edge', name, ...decodeEdge(reader, wire.edge), ruleId: rule } : null;
}

function decodeInbound(reader: FieldReader, wire: InboundListener__Output) {
  return {
    service: reader.name('inbound.service', wire.service),
    appPort: reader.port('inbound.app_port', wire.appPort, 1),
    protocol: decodeProtocol(reader, 'inbound.protocol', wire.protocol),
    ports: decodePorts(reader, 'inbound.ports', wire.ports),
    policy: decodePolicy(reader, wire.policy),
    timeout: reader.milliseconds('inbound.timeout_ms', wire.timeoutMs),
    idleTimeout: wire.idleTimeout ? reader.milliseconds('inbound.idle_timeout.ms', wire.idleTimeout.ms) : null,
    proxyProtocol: decodeProxyProtocol(reader, 'inbound.proxy_protocol', wire.proxyProtocol),
    health: wire.health ? decodeHealth(reader, 'inbound.health', wire.health) : DEFAULT_HEALTH,
  };
}

function decodeHealth(reader: FieldReader, at: string, wire: HealthCheck__Output): HealthCheck | null {
  if (wire.off) return null;
  const { interval, timeout, times } = HEALTH_BOUNDS;
  const time = (name: string, value: number, { least, most }: typeof interval | typeof timeout) =>
    milliseconds(reader.integer(`${at}.${name}`, value, least, most));
  if (wire.path !== '' && !HEALTH_BOUNDS.path.test(wire.path)) reader.fail(`${at}.path`, 'is not a path');
  return {
    path: wire.path === '' ? null : reader.text(`${at}.path`, wire.path),
    interval: time('interval_ms', wire.intervalMs, interval),
    timeout: time('timeout_ms', wire.timeoutMs, timeout),
    healthy: reader.integer(`${at}.healthy`, wire.healthy, times.least, times.most),
    unhealthy: reader.integer(`${at}.unhealthy`, wire.unhealthy, times.least, times.most),
  };
}

function decodePorts(reader: FieldReader, at: string, wire: readonly ServicePort__Output[]): ServicePort[] {
  const names = new Set<string>();
  return reader.list(at, wire, LIMITS.matches, (path, port) => {
    if (names.has(port.name)) reader.fail(`${path}.name`, 'is there twice');
    names.add(port.name);
    return {
      name: reader.name(`${path}.name`, port.name),
      port: reader.port(`${path}.port`, port.port, 1),
      protocol: decodeProtocol(reader, `${path}.protocol`, port.protocol),
    };
  });
}

function decodeOutbound(reader: FieldReader, wire: OutboundListener__Output) {
  return {
    service: reader.name('outbound.service', wire.service),
    portName: wire.portName === '' ? '' : reader.name('outbound.port_name', wire.portName),
    port: reader.port('outbound.port', wire.port, 0),
    loopback: reader.loopback('outbound.loopback', wire.loopback),
    routes: wire.tcp ? '' : reader.name('outbound.routes', wire.routes),
    tcp: wire.tcp ? decodeTcp(reader, 'outbound.tcp', wire.tcp) : null,
  };
}

function decodeEdge(reader: FieldReader, wire: EdgeListener__Output) {
  const tls = modelWord(WIRE_EDGE_TLS, wire.tls);
  if (tls === undefined) reader.fail('edge.tls', `has the unknown value ${wire.tls}`);
  if (tls === 'passthrough' && wire.tcp.length === 0) reader.fail('edge.tcp', 'is empty, but TLS is passed through');
  return {
    edge: reader.name('edge.edge', wire.edge),
    address: reader.name('edge.address', wire.address),
    port: reader.port('edge.port', wire.port, 0),
    hosts: reader.list('edge.hosts', wire.hosts, LIMITS.matches, (path, host) => reader.name(path, host)),
    tls: tls === undefined || tls === 'none' ? null : tls,
    limits: wire.limits ? decodeLimits(reader, wire.limits) : DEFAULT_LIMITS,
    trustedProxies: reader.list('edge.trusted_proxies', wire.trustedProxies, LIMITS.matches, (path, text) =>
      reader.cidr(path, text),
    ),
    forwarded: decodeForwarded(reader, wire.forwarded),
    routes: reader.name('edge.routes', wire.routes),
    tcp: reader.list('edge.tcp', wire.tcp, LIMITS.routes, (path, route) => decodeTcp(reader, path, route)),
    proxyProtocol: wire.proxyProtocol
      ? reader.list('edge.proxy_protocol', wire.proxyProtocol.cidr, LIMITS.matches, (path, cidr) =>
          reader.cidr(path, cidr),
        )
      : null,
  };
}

function decodeTcp(reader: FieldReader, at: string, wire: TcpRoute__Output): TcpRoute {
  const rule = reader.ruleId(`${at}.rule_id`, wire.ruleId);
  return {
    ruleId: rule,
    sni: reader.list(`${at}.sni`, wire.sni, LIMITS.matches, (path, name) => reader.name(path, name)),
    split: decodeSplit(reader, `${at}.split`, wire.split),
    idleTimeout: reader.milliseconds(`${at}.idle_timeout_ms`, wire.idleTimeoutMs),
  };
}

function decodeLimits(reader: FieldReader, wire: ListenerLimits__Output): ListenerLimits {
  const at = 'edge.limits';
  const bounded = (path: string, value: number, key: keyof typeof LIMIT_BOUNDS): number =>
    reader.integer(`${at}.${path}`, value, LIMIT_BOUNDS[key].least, LIMIT_BOUNDS[key].most);
  return {
    requestLine: bounded('request_line_bytes', wire.requestLineBytes, 'requestLine'),
    headerSize: bounded('header_bytes', wire.headerBytes, 'headerSize'),
    headerCount: bounded('header_fields', wire.headerFields, 'headerCount'),
    bodySize: bounded('body_bytes', wire.bodyBytes, 'bodySize'),
    headerTimeout: reader.milliseconds(`${at}.header_timeout_ms`, wire.headerTimeoutMs),
  };
}

/** Unspecified is what a control plane from before this field means. */
function decodeForwarded(reader: FieldReader, value: string): ForwardedFields {
  if (value === 'FORWARDED_FIELDS_UNSPECIFIED') return 'x-forwarded';
  const word = modelWord(WIRE_FORWARDED, value);
  if (word === undefined) reader.fail('edge.forwarded', `has the unknown value ${value}`);
  return word ?? 'x-forwarded';
}

/** A policy that is missing or half there is a flaw, never an open door. */
function decodePolicy(reader: FieldReader, wire: AuthorizationPolicy__Output | null): AuthorizationPolicy {
  const policy = reader.present('inbound.policy', wire);
  if (policy === null) return { callers: [], allow: [], denyRuleId: ruleId('') };
  const at = 'inbound.policy';
  return {
    callers: reader.list(`${at}.callers`, policy.callers, LIMITS.callers, (path, caller) => ({
      identity: reader.identity(`${path}.identity`, caller.identity),
      ruleId: reader.ruleId(`${path}.rule_id`, caller.ruleId),
    })),
    allow: policy.allow
      ? reader.list(`${at}.allow`, policy.allow.rules, LIMITS.rules, (path, rule) => decodeAllow(reader, path, rule))
      : null,
    denyRuleId: reader.ruleId(`${at}.deny_rule_id`, policy.denyRuleId),
  };
}

function decodeAllow(reader: FieldReader, at: string, wire: AllowRule__Output): CompiledAllow {
  const rule = reader.ruleId(`${at}.rule_id`, wire.ruleId);
  return {
    from: reader.list(`${at}.from`, wire.from, LIMITS.callers, (path, id) => reader.identity(path, id)),
    methods: decodeMethods(reader, `${at}.methods`, wire.methods),
    paths: reader.list(`${at}.paths`, wire.paths, LIMITS.rules, (path, pattern) => decodePath(reader, path, pattern)),
    ruleId: rule,
  };
}
