// The caller's side: the app names a service, by a port of its own or by `Host` on the shared port, and
// reaches what its config says that it calls. Loopback only: whoever reaches it speaks as this workload.
import { MeshError } from '../../core/kit/error.ts';
import { ruleId } from '../../core/model/brand.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { OutboundListener, View } from '../../core/model/view.ts';
import { requireLoopback } from '../accept/loopback.ts';
import { type RequestFilter, viaFilter } from '../filter/forwarded.ts';
import type { ExchangePlan } from '../forward/plan.ts';
import { deny } from './deny.ts';
import { createPlan, type EarlyListener, type ListenerPlan, type Mode, type PlanContext } from './plan-context.ts';
import { CompiledRoutes } from './routes.ts';
import { RequestTarget } from './target.ts';

export interface OutboundModeOptions {
  /** Name of this workload's service, for `Via`. */
  readonly service: string;
  readonly namespace: string;
  /** Where services are named by `Host`. */
  readonly byHost: HostPort;
  /** Callee → a port of its own. */
  readonly ports: ReadonlyMap<string, HostPort>;
  /** Null: callees are not served at their loopback addresses. */
  readonly names: NamesOptions | null;
}

export interface NamesOptions {
  /** Where the app listens beside the service's port; null: nowhere. */
  readonly appPort: number | null;
}

const BY_HOST = 'outbound';
const NAMES = 'names';

export class OutboundMode implements Mode {
  readonly #options: OutboundModeOptions;

  /** Throws MeshError `config-invalid` for an address that another host can reach. */
  constructor(options: OutboundModeOptions) {
    requireLoopback(BY_HOST, options.byHost);
    for (const [service, address] of options.ports) requireLoopback(service, address);
    this.#options = options;
  }

  clusters(view: View): Pick<View, 'clusters' | 'endpoints'> {
    return view;
  }

  early(): readonly EarlyListener[] {
    const plain = { tls: 'none', hosts: [] } as const;
    const shared = { name: BY_HOST, address: this.#options.byHost, ...plain };
    const own = [...this.#options.ports].map(([service, address]) => ({ name: portName(service), address, ...plain }));
    return [shared, ...own];
  }

  listeners(view: View, context: PlanContext): readonly ListenerPlan[] {
    const { service, namespace } = this.#options;
    const onRequest = viaFilter(`${service}-out`);
    const byHost = new Map<string, CompiledRoutes>();
    const byPort = new Map<string, CompiledRoutes>();
    for (const listener of outboundListeners(view)) {
      const routes = routesOf(listener, view, context);
      byPort.set(portName(listener.service), routes);
      for (const name of namesOf(listener, namespace)) byHost.set(name, routes);
    }
    const planFor = (find: FindCallee): ExchangePlan => outboundPlan(find, service, onRequest, context);
    const early = this.early().map((each) => {
      const shared: FindCallee = (authority) => byHost.get(authority.toLowerCase());
      return { ...each, plan: planFor(each.name === BY_HOST ? shared : () => byPort.get(each.name)) };
    });
    const named = this.#named(view).map(({ service: callee, loopback: host, port }): ListenerPlan => {
      const routes = byPort.get(portName(callee));
      const plan = planFor(() => routes);
      return { name: `${NAMES}/${callee}`, address: { host, port }, tls: 'none', hosts: [], optional: true, plan };
    });
    return [...early, ...named];
  }

  /**
   * The callees to serve at their own addresses. Not on a port of the own service: the app binds that on every address,
   * and whichever of the two came second could not. There a redirect to the port by Host takes its place.
   */
  #named(view: View): readonly OutboundListener[] {
    const { names, byHost, ports } = this.#options;
    if (names === null) return [];
    const own = new Set([names.appPort, ...inboundPorts(view)]);
    const taken = new Set([byHost, ...ports.values()].map(({ host, port }) => `${host} ${port}`));
    return outboundListeners(view).filter(({ loopback, port }) => {
      const place = `${loopback} ${port}`;
      if (port === 0 || own.has(port) || taken.has(place)) return false;
      // Two callees at one place: calls of one must never reach the other.
      taken.add(place);
      return true;
    });
  }
}

/** The routes of the callee that is meant; undefined: this workload does not call it. */
type FindCallee = (authority: string) => CompiledRoutes | undefined;

function portName(service: string): string {
  return `${BY_HOST}/${service}`;
}

function outboundListeners(view: View): OutboundListener[] {
  return [...view.listeners.values()].filter((listener) => listener.kind === 'outbound');
}

function inboundPorts(view: View): number[] {
  return [...view.listeners.values()].flatMap((listener) => (listener.kind === 'inbound' ? [listener.appPort] : []));
}

function routesOf(listener: OutboundListener, view: View, context: PlanContext): CompiledRoutes {
  const table = view.routes.get(listener.routes) ?? { name: listener.routes, routes: [] };
  return new CompiledRoutes(table, context.find, context.random);
}

/** Every way in which an app may write the service's name, with its port or without one; it may look the name up itself. */
export function namesOf(
  listener: Pick<OutboundListener, 'service' | 'port' | 'loopback'>,
  namespace: string,
): string[] {
  const { service, port, loopback } = listener;
  const hosts = [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
    loopback,
  ];
  return port === 0 ? hosts : hosts.flatMap((host) => [host, `${host}:${port}`]);
}

function outboundPlan(find: FindCallee, service: string, onRequest: RequestFilter, context: PlanContext): ExchangePlan {
  const target = new RequestTarget();
  const rule = ruleId(`services.${service}.calls`);
  return createPlan(context, {
    route(head, _connection, record) {
      if (!target.read(head)) return new MeshError('bad-request', { origin: 'downstream', detail: 'invalid path' });
      const routes = find(head.authority);
      if (routes !== undefined) return routes.match(target, record);
      // Whether there is such a service this proxy does not know: its view has what it calls and no more.
      const hint = `add what \`${target.host}\` means to ${rule}`;
      return deny({ rule, hint }, context.self, head, target.path, record, context);
    },
    onRequest,
  });
}
