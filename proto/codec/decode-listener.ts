// Listeners and the policy of an inbound one, wire → model.
import { parseCidr } from '../../core/kit/cidr.ts';
import { DEFAULT_LIMITS, LIMIT_BOUNDS, type ForwardedFields, type ListenerLimits } from '../../core/model/listener.ts';
import type { AuthorizationPolicy, CompiledAllow, Listener } from '../../core/model/view.ts';
import type { AllowRule__Output } from '../gen/weft/v1/AllowRule.ts';
import type { AuthorizationPolicy__Output } from '../gen/weft/v1/AuthorizationPolicy.ts';
import type { EdgeListener__Output } from '../gen/weft/v1/EdgeListener.ts';
import type { ListenerLimits__Output } from '../gen/weft/v1/ListenerLimits.ts';
import type { Listener__Output } from '../gen/weft/v1/Listener.ts';
import { ruleId } from '../../core/model/brand.ts';
import { decodeMethods, decodePath } from './decode-match.ts';
import { modelProtocol, modelWord, WIRE_FORWARDED } from './enums.ts';
import { LIMITS, type FieldReader } from './fields.ts';

/** null: of a kind that is not known here. */
export function decodeListener(reader: FieldReader, wire: Listener__Output): Listener | null {
  const name = reader.name('name', wire.name);
  const rule = reader.ruleId('rule_id', wire.ruleId);
  if (wire.inbound) {
    const { inbound } = wire;
    const protocol = modelProtocol(inbound.protocol);
    if (protocol === undefined) reader.fail('inbound.protocol', `has the unknown value ${inbound.protocol}`);
    return {
      kind: 'inbound',
      name,
      service: reader.name('inbound.service', inbound.service),
      appPort: reader.port('inbound.app_port', inbound.appPort, 1),
      protocol: protocol ?? 'http',
      policy: decodePolicy(reader, inbound.policy),
      timeout: reader.milliseconds('inbound.timeout_ms', inbound.timeoutMs),
      idleTimeout: inbound.idleTimeout ? reader.milliseconds('inbound.idle_timeout.ms', inbound.idleTimeout.ms) : null,
      ruleId: rule,
    };
  }
  if (wire.outbound) {
    const { outbound } = wire;
    return {
      kind: 'outbound',
      name,
      service: reader.name('outbound.service', outbound.service),
      port: reader.port('outbound.port', outbound.port, 0),
      loopback: reader.loopback('outbound.loopback', outbound.loopback),
      routes: reader.name('outbound.routes', outbound.routes),
      ruleId: rule,
    };
  }
  return wire.edge ? { kind: 'edge', name, ...decodeEdge(reader, wire.edge), ruleId: rule } : null;
}

function decodeEdge(reader: FieldReader, wire: EdgeListener__Output) {
  if (wire.tls !== 'EDGE_TLS_NONE' && wire.tls !== 'EDGE_TLS_INTERNAL') {
    reader.fail('edge.tls', `has the unknown value ${wire.tls}`);
  }
  return {
    edge: reader.name('edge.edge', wire.edge),
    address: reader.name('edge.address', wire.address),
    port: reader.port('edge.port', wire.port, 0),
    hosts: reader.list('edge.hosts', wire.hosts, LIMITS.matches, (path, host) => reader.name(path, host)),
    tls: wire.tls === 'EDGE_TLS_INTERNAL' ? ('internal' as const) : null,
    limits: wire.limits ? decodeLimits(reader, wire.limits) : DEFAULT_LIMITS,
    trustedProxies: reader.list('edge.trusted_proxies', wire.trustedProxies, LIMITS.matches, (path, text) => {
      if (parseCidr(text) === null) reader.fail(path, 'is no CIDR block');
      return text;
    }),
    forwarded: decodeForwarded(reader, wire.forwarded),
    routes: reader.name('edge.routes', wire.routes),
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
