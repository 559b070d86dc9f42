// One cluster of one view: its endpoints and how they are picked. Made anew when the view changes; the
// pools behind the endpoints outlive it.
import { type Balancer, balancerOf, leastRequest, roundRobin, smoothWeighted } from '../../core/decide/balance.ts';
import type { Cluster } from '../../core/model/view.ts';
import type { ClusterHandle, EndpointHandle } from '../exchange.ts';
import type { EndpointPool } from './pool.ts';

export class ClusterState implements ClusterHandle {
  readonly cluster: Cluster;
  readonly pools: readonly EndpointPool[];
  readonly #random: () => number;
  readonly #weights: Uint32Array;
  readonly #active: Uint32Array;
  readonly #usable: Uint8Array;
  readonly #cursor = new Uint32Array(1);
  readonly #current: Float64Array;
  readonly #balancer: Balancer;

  constructor(cluster: Cluster, pools: readonly EndpointPool[], random: () => number) {
    this.cluster = cluster;
    this.pools = pools;
    this.#random = random;
    this.#weights = Uint32Array.from(pools, (pool) => pool.endpoint.weight);
    this.#active = new Uint32Array(pools.length);
    this.#usable = new Uint8Array(pools.length).fill(1);
    this.#current = new Float64Array(pools.length);
    this.#balancer = balancerOf(cluster.balance, this.#weights);
    // Proxies that start together must not all begin with the same endpoint.
    this.#cursor[0] = Math.floor(random() * pools.length);
  }

  /** The pools count into this state's row from now on. */
  activate(): void {
    this.pools.forEach((pool, index) => pool.attach(this.#active, index));
  }

  pick(previous: EndpointHandle | null): EndpointHandle | null {
    const before = previous === null ? -1 : this.#indexOf(previous);
    const index = this.#choose(before);
    return index === -1 ? null : (this.pools[index] as EndpointPool);
  }

  #choose(previous: number): number {
    if (this.pools.length === 1) return this.#usable[0] === 1 ? 0 : -1;
    if (this.#balancer === 'least-request') {
      return leastRequest(this.#weights, this.#active, this.#usable, previous, this.#random(), this.#random());
    }
    if (this.#balancer === 'smooth-weighted')
      return smoothWeighted(this.#weights, this.#current, this.#usable, previous);
    const turn = this.#cursor[0] as number;
    const index = roundRobin(this.#cursor, this.#usable, previous);
    // A second try takes nobody's turn: else, of two endpoints, the failing one would come first every time.
    if (previous !== -1) this.#cursor[0] = turn;
    return index;
  }

  #indexOf(endpoint: EndpointHandle): number {
    for (let i = 0; i < this.pools.length; i++) if ((this.pools[i] as EndpointPool).id === endpoint.id) return i;
    return -1;
  }
}
