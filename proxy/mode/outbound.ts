// The caller's side: the app names a service, by an address or port of its own or by `Host` on the shared port, and
// reaches what its config says that it calls. Loopback only: whoever reaches it speaks as this workload.
import { calleesOf } from '../../core/decide/callees.ts';
import { compileDestinations, type Destinations, type NoDestination } from '../../core/decide/destination.ts';
import { RequestTarget } from '../../core/decide/request-target.ts';
import { MeshError } from '../../core/kit/error.ts';
import { ruleId } from '../../core/model/brand.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { View } from '../../core/model/view.ts';
import { requireLoopback } from '../accept/loopback.ts';
import type { ExchangeRecord, RequestHead } from '../exchange.ts';
import { type RequestFilter, viaFilter } from '../filter/forwarded.ts';
import type { ExchangePlan } from '../forward/plan.ts';
import { ipv6Places, namedPlaces, type Place, type WantedRedirect, wantedRedirects } from './callees.ts';
import { deny } from './deny.ts';
import {
  createPlan,
  type EarlyListener,
  type ListenerPlan,
  type Mode,
  type PlanContext,
  type TunnelPlan,
} from './plan-context.ts';
import { CompiledRoutes } from './routes.ts';
import { directTcpPlan } from './tcp-plan.ts';

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
  /** Calls of instances by their own addresses are redirected to these places as well. */
  readonly transparent: boolean;
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
    const shared = { name: BY_HOST, address: this.#options.byHost, ...plain, connect: true };
    const own = [...this.#options.ports].map(([service, address]) => ({ name: portName(service), address, ...plain }));
    return [shared, ...own];
  }

  listeners(view: View, context: PlanContext): readonly ListenerPlan[] {
    const { service, namespace } = this.#options;
    const onRequest = viaFilter(`${service}-out`);
    const planFor = (find: FindCallee): ExchangePlan => outboundPlan(find, service, onRequest, context);
    const callees = calleesOf(view, ({ name, routes, tcp }): Behind => {
      const table = view.routes.get(routes) ?? { name: routes, routes: [] };
      const compiled = new CompiledRoutes(table, context.find, context.random);
      const carries = tcp === null ? {} : { tcp: directTcpPlan(tcp, context) };
      return { name, routes: compiled, served: { plan: planFor({ find: () => compiled, why: nothing }), ...carries } };
    });
    const byName = new Map(callees.map(({ value }) => [value.name, value.served]));
    const nobody: TunnelPlan = { plan: planFor({ find: () => undefined, why: nothing }) };
    const shared = compileDestinations(callees, { namespace, self: service });
    const byHost = planFor({
      find: (authority) => shared.request(authority)?.routes,
      why: shared.why,
      tunnels: shared,
    });
    const early = this.early().map((each) => {
      if (each.name === BY_HOST) return { ...each, plan: byHost, tunnels: byName };
      return { ...each, ...(byName.get(each.name) ?? nobody) };
    });
    const named = this.#places(view).map(({ name, callee, address }): ListenerPlan => {
      return { name, address, tls: 'none', hosts: [], optional: true, ...(byName.get(callee) ?? nobody) };
    });
    return [...early, ...named];
  }

  redirects(view: View): readonly WantedRedirect[] {
    return this.#options.names?.transparent === true ? wantedRedirects(view, this.#places(view)) : [];
  }

  #places(view: View): readonly Place[] {
    const { names, byHost, ports } = this.#options;
    if (names === null) return [];
    const taken = new Set([byHost, ...ports.values()].map(({ host, port }) => `${host} ${port}`));
    return [...namedPlaces(view, names.appPort, taken), ...(names.transparent ? ipv6Places(view) : [])];
  }
}

/** One callee as it is served: its listener in the view, and the plan of whatever leads to it alone. */
interface Behind {
  readonly name: string;
  readonly routes: CompiledRoutes;
  readonly served: TunnelPlan;
}

interface FindCallee {
  /** The routes of the callee that is meant; undefined: this workload does not call it. */
  find(authority: string): CompiledRoutes | undefined;
  why(authority: string): Pick<NoDestination, 'hint'>;
  /** Default: CONNECT is not spoken. */
  readonly tunnels?: Destinations<Behind>;
}

const nothing = (): Pick<NoDestination, 'hint'> => ({ hint: 'nothing that is called is served here' });

function portName(service: string): string {
  return `${BY_HOST}/${service}`;
}

function outboundPlan(
  { find, why, tunnels }: FindCallee,
  service: string,
  onRequest: RequestFilter,
  context: PlanContext,
): ExchangePlan {
  const target = new RequestTarget();
  const rule = ruleId(`services.${service}.calls`);
  // Whether there is such a service this proxy does not know: its view has what it calls and no more.
  const refuse = (head: RequestHead, path: string, hint: string, record: ExchangeRecord): MeshError =>
    deny({ rule, hint, code: 'egress-denied' }, context.self, head, path, record, context);
  return createPlan(context, {
    route(head, _connection, record) {
      if (!target.read(head)) return new MeshError('bad-request', { origin: 'downstream', detail: 'invalid path' });
      const routes = find(head.authority);
      if (routes !== undefined) return routes.match(target, record);
      return refuse(head, target.path, why(head.authority).hint, record);
    },
    ...(tunnels === undefined
      ? {}
      : {
          connect(head, _connection, record) {
            const to = tunnels.tunnel(head.authority);
            if (!to.found) return refuse(head, '', to.hint, record);
            return to.value.name;
          },
        }),
    onRequest,
  });
}
