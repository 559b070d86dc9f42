// Which time limits hold where several speak of the same request: the service, the routes to it, other services of a split.
import { milliseconds, type Milliseconds } from '../model/brand.ts';
import type { Mesh, Protocol, RouteRule, Service } from '../model/mesh.ts';
import type { InboundListener, Route } from '../model/view.ts';
import { portNamed, portsOf } from './ports.ts';

export type RouteTimeouts = Pick<Route, 'timeout' | 'perTryTimeout' | 'idleTimeout'>;
export type InboundTimeouts = Pick<InboundListener, 'timeout' | 'idleTimeout'>;

/** Envoy's route timeout. */
const USUAL = milliseconds(15_000);
/** 0 is none, which is the longest of all. */
const NONE = milliseconds(0);
/** The longest that the default may stand for: that of upgraded connections and of TCP. Source: Envoy's tcp_proxy. */
const LONGEST_IDLE = milliseconds(3_600_000);

/** Of a port that speaks `protocol`. */
export function serviceTimeouts(service: Service, protocol: Protocol): RouteTimeouts {
  const { perTryTimeout, idleTimeout } = service;
  return { timeout: requestTimeout(service, protocol), perTryTimeout: perTryTimeout ?? NONE, idleTimeout };
}

/** A call of gRPC may talk for days, and its caller can send `grpc-timeout` (docs/grpc.md). */
function requestTimeout({ timeout }: Service, protocol: Protocol): Milliseconds {
  return timeout ?? (protocol === 'grpc' ? NONE : USUAL);
}

/** What the route says, else the longest of the services it leads to. */
export function routeTimeouts(mesh: Mesh, route: RouteRule): RouteTimeouts {
  const services = route.to.flatMap((target) => {
    const service = mesh.services.get(target.service);
    const protocol = service === undefined ? undefined : portNamed(service, target.port)?.protocol;
    return service === undefined ? [] : [serviceTimeouts(service, protocol ?? service.protocol)];
  });
  return {
    timeout: route.timeout ?? longest(services.map(({ timeout }) => timeout)),
    perTryTimeout: route.perTryTimeout ?? longest(services.map(({ perTryTimeout }) => perTryTimeout)),
    idleTimeout: route.idleTimeout ?? longestIdle(services.map(({ idleTimeout }) => idleTimeout)),
  };
}

/** Service → the routes that lead to it. */
export function grantedRoutes(mesh: Mesh): ReadonlyMap<string, readonly RouteRule[]> {
  const routes = new Map<string, RouteRule[]>();
  for (const route of [...mesh.edges.values()].flatMap((edge) => edge.routes)) {
    for (const service of new Set(route.to.map((target) => target.service))) {
      const known = routes.get(service);
      if (known === undefined) routes.set(service, [route]);
      else known.push(route);
    }
  }
  return routes;
}

/** A route may grant more time than the service does: the callee's side must not cut that short. */
export function inboundTimeouts(service: Service, granted: readonly RouteRule[]): InboundTimeouts {
  const own = portsOf(service).map(({ protocol }) => requestTimeout(service, protocol));
  return {
    timeout: longest([...own, ...granted.flatMap(({ timeout }) => timeout ?? [])]),
    idleTimeout: longestIdle([service.idleTimeout, ...granted.flatMap(({ idleTimeout }) => idleTimeout ?? [])]),
  };
}

/** Of connections that carry bytes, to whichever of these services. */
export function connectionIdleTimeout(services: readonly Service[]): Milliseconds {
  return longestIdle(services.map(({ idleTimeout }) => idleTimeout)) ?? LONGEST_IDLE;
}

function longest(timeouts: readonly Milliseconds[]): Milliseconds {
  return timeouts.includes(NONE) ? NONE : milliseconds(Math.max(...timeouts));
}

function longestIdle(timeouts: readonly (Milliseconds | null)[]): Milliseconds | null {
  if (timeouts.every((timeout) => timeout === null)) return null;
  return longest(timeouts.map((timeout) => timeout ?? LONGEST_IDLE));
}
