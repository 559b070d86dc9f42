// Which time limits hold where several speak of the same request: the service, the routes to it, other services of a split.
import { milliseconds, type Milliseconds } from '../model/brand.ts';
import type { Mesh, RouteRule, Service } from '../model/mesh.ts';
import type { InboundListener, Route } from '../model/view.ts';

export type RouteTimeouts = Pick<Route, 'timeout' | 'perTryTimeout' | 'idleTimeout'>;
export type InboundTimeouts = Pick<InboundListener, 'timeout' | 'idleTimeout'>;

/** 0 is none, which is the longest of all. */
const NONE = milliseconds(0);
/** The longest that the default may stand for: that of upgraded connections and of TCP. Source: Envoy's tcp_proxy. */
const LONGEST_IDLE = milliseconds(3_600_000);

export function serviceTimeouts({ timeout, perTryTimeout, idleTimeout }: Service): RouteTimeouts {
  return { timeout, perTryTimeout: perTryTimeout ?? NONE, idleTimeout };
}

/** What the route says, else the longest of the services it leads to. */
export function routeTimeouts(mesh: Mesh, route: RouteRule): RouteTimeouts {
  const services = route.to.flatMap(({ service }) => mesh.services.get(service) ?? []).map(serviceTimeouts);
  return {
    timeout: route.timeout ?? longest(services.map(({ timeout }) => timeout)),
    perTryTimeout: route.perTryTimeout ?? longest(services.map(({ perTryTimeout }) => perTryTimeout)),
    idleTimeout: route.idleTimeout ?? longestIdle(services.map(({ idleTimeout }) => idleTimeout)),
  };
}

/** A route may grant more time than the service does: the callee's side must not cut that short. */
export function inboundTimeouts(mesh: Mesh, service: Service): InboundTimeouts {
  const routes = [...mesh.edges.values()].flatMap((edge) => edge.routes);
  const granted = routes.filter((route) => route.to.some((target) => target.service === service.name));
  return {
    timeout: longest([service.timeout, ...granted.flatMap(({ timeout }) => timeout ?? [])]),
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
