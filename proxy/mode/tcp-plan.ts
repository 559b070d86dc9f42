// Plans for connections that are bytes: what an outbound listener, an edge's listener and an inbound one do with them.
import { authorizeConnection, type Authorizer } from '../../core/decide/authorize.ts';
import { compilePassthrough } from '../../core/decide/passthrough.ts';
import { chooseSplit } from '../../core/decide/split.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { RuleId } from '../../core/model/brand.ts';
import type { InboundListener, TcpRoute } from '../../core/model/view.ts';
import type { ClusterHandle, ConnectionInfo, ConnectionRecord } from '../exchange.ts';
import type { TcpAction, TcpPlan } from '../tcp/plan.ts';
import type { PlanContext } from './plan-context.ts';

/** Random bytes of a decision id: nobody can guess another caller's. */
const ID_BYTES = 12;
/** Of TCP where the view does not say; as the config's default. */
const IDLE_TIMEOUT = 3_600_000;

/** Everything that comes goes to one place. */
export function directTcpPlan(route: TcpRoute, context: PlanContext): TcpPlan {
  const action = new SplitTcpAction(route, context);
  return {
    route: (_connection, record) => taken(action, record),
    record: context.recordConnection,
  };
}

/** By the name that TLS asks for. */
export function passthroughPlan(routes: readonly TcpRoute[], context: PlanContext): TcpPlan {
  const actionOf = compilePassthrough(
    routes.map((route): { sni: readonly string[]; value: TcpAction } => ({
      sni: route.sni,
      value: new SplitTcpAction(route, context),
    })),
  );
  return {
    route({ serverName }, record) {
      const action = actionOf(serverName);
      if (action !== undefined) return taken(action, record);
      const detail = serverName === '' ? 'the client names no host' : `no route for ${serverName}`;
      return new MeshError('no-route', { detail });
    },
    record: context.recordConnection,
  };
}

/** The callee's side: `ports` by the name that the mesh leg says, those that speak TCP. */
export function inboundTcpPlan(
  listener: InboundListener,
  authorizer: Authorizer,
  ports: ReadonlyMap<string, ClusterHandle | null>,
  context: PlanContext,
): TcpPlan {
  const actions = new Map(
    [...ports].map(([name, app]): [string, TcpAction] => [
      name,
      { ruleId: listener.ruleId, idleTimeout: listener.idleTimeout ?? IDLE_TIMEOUT, choose: () => app },
    ]),
  );
  return {
    route(connection, record) {
      const action = actions.get(connection.serverName);
      if (action === undefined) return new MeshError('no-route', { detail: 'no such port speaks TCP here' });
      record.route = listener.ruleId;
      return admit(authorizer, connection, record, context) ?? action;
    },
    record: context.recordConnection,
  };
}

/** Null: it may pass. */
function admit(
  authorizer: Authorizer,
  { peer }: ConnectionInfo,
  record: ConnectionRecord,
  { denials, ids, snapshot }: PlanContext,
): MeshError | null {
  const { allowed, ruleId: rule, hint } = authorizeConnection(authorizer, peer);
  record.rule = rule;
  if (allowed) return null;
  const id = ids.hex(ID_BYTES);
  record.decisionId = id;
  denials.record({ id, rule, peer, method: 'TCP', path: '', hint }, snapshot);
  return new MeshError('denied', { detail: `${rule}: ${hint}`, hint });
}

function taken(action: TcpAction, record: ConnectionRecord): TcpAction {
  record.route = action.ruleId;
  record.rule = action.ruleId;
  return action;
}

class SplitTcpAction implements TcpAction {
  readonly ruleId: RuleId;
  readonly idleTimeout: number;
  readonly #route: TcpRoute;
  readonly #clusters: ReadonlyMap<string, ClusterHandle | null>;
  readonly #random: () => number;

  constructor(route: TcpRoute, { find, random }: Pick<PlanContext, 'find' | 'random'>) {
    this.ruleId = route.ruleId;
    this.idleTimeout = route.idleTimeout;
    this.#route = route;
    this.#clusters = new Map(route.split.map(({ cluster }) => [cluster, find(cluster)]));
    this.#random = random;
  }

  choose(): ClusterHandle | null {
    return this.#clusters.get(chooseSplit(this.#route.split, this.#random()).cluster) ?? null;
  }
}
