// How long a request may take, and which line says so. The limit itself is the compiled one that proxies hold to.
import { serviceTimeouts, type RouteTimeouts } from '../compile/timeouts.ts';
import { parseGrpcTimeout } from '../decide/grpc.ts';
import type { Fields } from '../decide/request-target.ts';
import { streamIdle, tunnelIdle } from '../decide/time-limits.ts';
import type { Milliseconds } from '../model/brand.ts';
import type { Mesh, Service, WeightedTarget } from '../model/mesh.ts';
import { portNamed } from '../compile/ports.ts';
import type { TimeLimit } from './explanation.ts';
import { type Locate, NO_RULE, type Placed, placedExactly } from './place.ts';

/** Where a limit may come from, the nearest first. */
export interface LimitSources {
  readonly mesh: Mesh;
  readonly locate: Locate;
  /** Of the route itself; '' where a service is called directly. */
  readonly route: string;
  readonly to: readonly Pick<WeightedTarget, 'service' | 'port'>[];
}

const KEYS = { timeout: 'request', perTryTimeout: 'perTry', idleTimeout: 'idle' } as const;
type Kind = keyof typeof KEYS;

/** Those of a route, as compiled, and those that the request brings about itself. */
export function timeLimits(compiled: RouteTimeouts, sources: LimitSources, fields: Fields): readonly TimeLimit[] {
  const limit = (kind: Kind, ms: number): TimeLimit => ({
    limit: KEYS[kind],
    ms,
    ...originOf(kind, compiled[kind], sources),
  });
  const grpcTimeout = fields.get('grpc-timeout');
  const call = grpcTimeout === undefined ? null : parseGrpcTimeout(grpcTimeout);
  const upgrades = fields.get('upgrade') !== undefined;
  const tunnel = originOf('idleTimeout', compiled.idleTimeout, sources);
  return [
    limit('timeout', compiled.timeout),
    limit('perTryTimeout', compiled.perTryTimeout),
    limit('idleTimeout', streamIdle(compiled.idleTimeout)),
    ...(upgrades ? [{ limit: 'tunnel-idle' as const, ms: tunnelIdle(compiled.idleTimeout), ...tunnel }] : []),
    ...(call === null ? [] : [{ limit: 'grpc-timeout' as const, ms: call, ...NO_RULE }]),
  ];
}

/** Of a connection that is bytes. */
export function idleLimit(ms: Milliseconds, sources: LimitSources): TimeLimit {
  return { limit: 'idle', ms, ...originOf('idleTimeout', ms, sources) };
}

/** What the route says, else the service whose limit it is. */
function originOf(kind: Kind, ms: number | null, { mesh, locate, route, to }: LimitSources): Placed {
  const own = route === '' ? NO_RULE : saidBy(locate, route, kind);
  if (own.rule !== '') return own;
  const giver = to.find((target) => {
    const service = mesh.services.get(target.service);
    return service !== undefined && service[kind] !== null && limitOf(service, target.port)[kind] === ms;
  });
  return giver === undefined ? NO_RULE : saidBy(locate, `services.${giver.service}`, kind);
}

function limitOf(service: Service, port: string): RouteTimeouts {
  return serviceTimeouts(service, portNamed(service, port)?.protocol ?? service.protocol);
}

/** One duration for `timeout` is that of the whole request. */
function saidBy(locate: Locate, owner: string, kind: Kind): Placed {
  const long = `${owner}.timeout.${KEYS[kind]}`;
  return kind === 'timeout' ? placedExactly(locate, long, `${owner}.timeout`) : placedExactly(locate, long);
}
