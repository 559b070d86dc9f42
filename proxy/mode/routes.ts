// Route tables of a view as forward runs them: matcher, split and rewrite, compiled when config applies.
import { compileMatcher, type RouteMatcher } from '../../core/decide/match.ts';
import type { RequestTarget } from '../../core/decide/request-target.ts';
import { rewriteTarget } from '../../core/decide/rewrite.ts';
import { chooseSplit } from '../../core/decide/split.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { RuleId } from '../../core/model/brand.ts';
import type { Route, RouteTable } from '../../core/model/view.ts';
import type { ClusterHandle, ExchangeRecord } from '../exchange.ts';
import type { RouteAction } from '../forward/plan.ts';

export type FindCluster = (name: string) => ClusterHandle | null;

export class CompiledRoutes {
  readonly #matcher: RouteMatcher;
  readonly #actions = new Map<Route, RouteAction>();

  constructor(table: RouteTable, find: FindCluster, random: () => number) {
    this.#matcher = compileMatcher(table.routes);
    for (const route of table.routes) this.#actions.set(route, new SplitAction(route, find, random));
  }

  match(target: RequestTarget, record: ExchangeRecord): RouteAction | MeshError {
    const route = this.#matcher.match(target);
    const action = route === null ? undefined : this.#actions.get(route);
    if (action === undefined) return new MeshError('no-route');
    record.route = action.ruleId;
    record.rule = action.ruleId;
    return action;
  }
}

class SplitAction implements RouteAction {
  readonly ruleId: RuleId;
  readonly timeout: number;
  readonly perTryTimeout: number;
  readonly idleTimeout: number | null;
  readonly #route: Route;
  readonly #clusters: ReadonlyMap<string, ClusterHandle | null>;
  /** Where there is nothing to choose. */
  readonly #only: ClusterHandle | null;
  readonly #random: () => number;

  constructor(route: Route, find: FindCluster, random: () => number) {
    this.ruleId = route.ruleId;
    this.timeout = route.timeout;
    this.perTryTimeout = route.perTryTimeout;
    this.idleTimeout = route.idleTimeout;
    this.#route = route;
    this.#clusters = new Map(route.split.map(({ cluster }) => [cluster, find(cluster)]));
    const [first] = route.split;
    this.#only = route.split.length === 1 && first !== undefined ? find(first.cluster) : null;
    this.#random = random;
  }

  choose(): ClusterHandle | null {
    if (this.#only !== null) return this.#only;
    return this.#clusters.get(chooseSplit(this.#route.split, this.#random()).cluster) ?? null;
  }

  rewrite(target: string): string {
    return this.#route.rewrite === null ? target : rewriteTarget(target, this.#route.rewrite);
  }
}
