// All clusters of the view in use. A new view is prepared beside it (new pools opened and warmed), then
// either committed as a whole or abandoned. Pools of endpoints that stay are kept, with their connections.
import { MeshError } from '../../core/kit/error.ts';
import { err, ok, type Result } from '../../core/kit/result.ts';
import type { Cluster, Endpoint, View } from '../../core/model/view.ts';
import type { ClusterHandle } from '../exchange.ts';
import { ClusterState } from './cluster-state.ts';
import { EndpointPool, type PoolDeps } from './pool.ts';

export interface ClusterSetDeps extends PoolDeps {
  /** In [0, 1). */
  random(): number;
}

/** A view's clusters, not in use yet. */
export interface PreparedClusters {
  readonly states: ReadonlyMap<string, ClusterState>;
  /** Those that are new with this view. */
  readonly opened: readonly EndpointPool[];
}

export type ClusterView = Pick<View, 'clusters' | 'endpoints'>;

const SWEEP_EVERY = 1_000;

/** Longest that a view waits for its new endpoints, in ms. */
const WARM_LIMIT = 2_000;

export class ClusterSet {
  readonly #deps: ClusterSetDeps;
  #states: ReadonlyMap<string, ClusterState> = new Map();
  #sweeper: NodeJS.Timeout | null = null;

  constructor(deps: ClusterSetDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#sweeper ??= setInterval(() => {
      for (const state of this.#states.values()) for (const pool of state.pools) pool.sweep();
    }, SWEEP_EVERY).unref();
  }

  get states(): ReadonlyMap<string, ClusterState> {
    return this.#states;
  }

  /** Nothing changes for running exchanges until `commit`. */
  prepare(view: ClusterView): PreparedClusters {
    const opened: EndpointPool[] = [];
    const states = new Map<string, ClusterState>();
    for (const [name, cluster] of view.clusters) {
      const kept = keepablePools(this.#states.get(name), cluster);
      const pools = (view.endpoints.get(name)?.endpoints ?? []).map((endpoint) => {
        const found = kept.get(poolKey(endpoint));
        if (found !== undefined) return found;
        const pool = new EndpointPool(cluster, endpoint, this.#deps);
        opened.push(pool);
        return pool;
      });
      states.set(name, new ClusterState(cluster, pools, this.#deps.random));
    }
    return { states, opened };
  }

  /**
   * Connects to every new endpoint of mesh clusters, identity check included. An error only where a cluster
   * that is new has endpoints and none of them answered as it should.
   */
  async warm(prepared: PreparedClusters, limit = WARM_LIMIT): Promise<Result<void, WarmFailure>> {
    const opened = new Set(prepared.opened);
    const failures: WarmFailure[] = [];
    const warmCluster = async (name: string, state: ClusterState): Promise<void> => {
      const fresh = state.pools.filter((pool) => opened.has(pool));
      const errors = await Promise.all(fresh.map((pool) => warmPool(pool, limit)));
      const failed = errors.find((error) => error !== null);
      if (this.#states.has(name) || failed === undefined || errors.includes(null)) return;
      failures.push({ cluster: state.cluster, error: failed as MeshError });
    };
    const mesh = [...prepared.states].filter(([, state]) => state.cluster.kind === 'mesh');
    await Promise.all(mesh.map(([name, state]) => warmCluster(name, state)));
    return failures[0] === undefined ? ok(undefined) : err(failures[0]);
  }

  /** Exchanges that pick from now on pick here. */
  commit(prepared: PreparedClusters): void {
    const before = this.#states;
    this.#states = prepared.states;
    const stays = new Set<EndpointPool>();
    for (const state of prepared.states.values()) {
      state.activate();
      for (const pool of state.pools) stays.add(pool);
    }
    for (const [name, state] of before) {
      const now = prepared.states.get(name)?.pools ?? [];
      for (const pool of state.pools) {
        if (stays.has(pool)) continue;
        // The instance lives on elsewhere, so nobody will ever answer here: as after a container's crash, which
        // ends no connection. Requests that wait for an answer learn it now and may be tried elsewhere.
        if (now.some((other) => other.id === pool.id && other.address !== pool.address)) pool.close();
        else pool.drain();
      }
    }
  }

  abandon(prepared: PreparedClusters): void {
    for (const pool of prepared.opened) pool.close();
  }

  handle(name: string): ClusterHandle | null {
    return this.#states.get(name) ?? null;
  }

  /** Cluster name → endpoints that can be picked now. */
  usable(): Record<string, number> {
    return Object.fromEntries([...this.#states].map(([name, state]) => [name, state.pools.length]));
  }

  close(): void {
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    this.#sweeper = null;
    for (const state of this.#states.values()) for (const pool of state.pools) pool.close();
    this.#states = new Map();
  }
}

export interface WarmFailure {
  readonly cluster: Cluster;
  readonly error: MeshError;
}

function warmPool(pool: EndpointPool, limit: number): Promise<MeshError | null> {
  return new Promise((done) => {
    const late = setTimeout(() => done(new MeshError('connect-failed', { detail: `no answer in ${limit} ms` })), limit);
    pool.warm((error) => {
      clearTimeout(late);
      done(error);
    });
  });
}

/** Pools of the same endpoints, if the cluster still means the same peers. */
function keepablePools(state: ClusterState | undefined, cluster: Cluster): ReadonlyMap<string, EndpointPool> {
  if (state === undefined || !samePeers(state.cluster, cluster)) return new Map();
  return new Map(state.pools.map((pool) => [poolKey(pool.endpoint), pool]));
}

function samePeers(a: Cluster, b: Cluster): boolean {
  return (
    a.kind === b.kind &&
    a.identity === b.identity &&
    a.protocol === b.protocol &&
    a.connectTimeout === b.connectTimeout &&
    a.ruleId === b.ruleId
  );
}

function poolKey(endpoint: Endpoint): string {
  return `${endpoint.id} ${endpoint.host} ${endpoint.port} ${endpoint.weight}`;
}
