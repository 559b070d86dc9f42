// The caller's side: the app names a service, by a port of its own or by `Host` on the shared port, and
// reaches what its config says that it calls. Loopback only: whoever reaches it speaks as this workload.
import { MeshError } from '../../core/kit/error.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { OutboundListener, View } from '../../core/model/view.ts';
import { requireLoopback } from '../accept/loopback.ts';
import { viaFilter } from '../filter/forwarded.ts';
import type { ExchangePlan } from '../forward/plan.ts';
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
}

const BY_HOST = 'outbound';

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
    const callees = outboundListeners(view).map((listener) => ({
      listener,
      routes: routesOf(listener, view, context),
    }));
    const via = `${this.#options.service}-out`;
    const byName = new Map(
      callees.map(({ listener, routes }) => [portName(listener.service), onePlan(routes, via, context)]),
    );
    const byHost = new Map<string, CompiledRoutes>();
    for (const { listener, routes } of callees) {
      for (const name of namesOf(listener, this.#options.namespace)) byHost.set(name, routes);
    }
    return this.early().map((early) => ({
      ...early,
      plan:
        early.name === BY_HOST
          ? hostPlan(byHost, via, context)
          : (byName.get(early.name) ?? hostPlan(new Map(), via, context)),
    }));
  }
}

function portName(service: string): string {
  return `${BY_HOST}/${service}`;
}

function outboundListeners(view: View): OutboundListener[] {
  return [...view.listeners.values()].filter((listener) => listener.kind === 'outbound');
}

function routesOf(listener: OutboundListener, view: View, context: PlanContext): CompiledRoutes {
  const table = view.routes.get(listener.routes) ?? { name: listener.routes, routes: [] };
  return new CompiledRoutes(table, context.find, context.random);
}

/** Every way in which an app may write the service's name, with its port or without one. */
export function namesOf(listener: Pick<OutboundListener, 'service' | 'port'>, namespace: string): string[] {
  const { service, port } = listener;
  const hosts = [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
  ];
  return port === 0 ? hosts : hosts.flatMap((host) => [host, `${host}:${port}`]);
}

function onePlan(routes: CompiledRoutes, via: string, context: PlanContext): ExchangePlan {
  const target = new RequestTarget();
  return createPlan(context, {
    route(head, _connection, record) {
      if (!target.read(head)) return new MeshError('bad-request', { origin: 'downstream', detail: 'invalid path' });
      return routes.match(target, record);
    },
    onRequest: viaFilter(via),
  });
}

function hostPlan(byHost: ReadonlyMap<string, CompiledRoutes>, via: string, context: PlanContext): ExchangePlan {
  const target = new RequestTarget();
  return createPlan(context, {
    route(head, _connection, record) {
      if (!target.read(head)) return new MeshError('bad-request', { origin: 'downstream', detail: 'invalid path' });
      const routes = byHost.get(head.authority.toLowerCase());
      if (routes === undefined) return new MeshError('no-route', { detail: `no callee is named ${head.authority}` });
      return routes.match(target, record);
    },
    onRequest: viaFilter(via),
  });
}
