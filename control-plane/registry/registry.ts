// Every instance of the mesh, by its stream: a proxy that connects is the registration of its instance.
// A stream that breaks keeps its place for a grace time, so that a reconnect is no event for anybody.
import { clusterName, type ClusterName } from '../../core/model/brand.ts';
import type { Endpoint } from '../../core/model/view.ts';

export interface Instance {
  /** Service account: the service's name, or `edge-<name>`. */
  readonly account: string;
  /** From the join token; null where the service has no versions. */
  readonly version: string | null;
  /** Stable name: `orders-7f3a`. */
  readonly instance: string;
  /** As the control plane sees it; IPv4 where it is one. */
  readonly address: string;
  /** 0: nothing is called there (an edge, a job). */
  readonly inboundPort: number;
}

export interface RegistryOptions {
  /** How long an instance stays after its stream has gone, in ms. */
  readonly grace: number;
  /** Calls once after `ms`; the returned function cancels. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

interface Entry {
  readonly instance: Instance;
  /** The stream that holds the place; an older one of the same instance has nothing to say any more. */
  readonly holder: symbol;
  readonly cancelRemoval: (() => void) | null;
}

export class Registry {
  readonly #options: RegistryOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<() => void>();
  #sorted: readonly Instance[] | null = null;
  /** Endpoints by cluster, kept until an instance of that cluster changes: equal content is the same list. */
  readonly #endpoints = new Map<string, readonly Endpoint[]>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** Returns how to leave again: at once for one that says goodbye, else after the grace time. */
  join(instance: Instance): (how: 'lost' | 'left') => void {
    const key = keyOf(instance);
    const before = this.#entries.get(key);
    before?.cancelRemoval?.();
    const holder = Symbol(key);
    this.#entries.set(key, { instance, holder, cancelRemoval: null });
    if (before === undefined) this.#changed(instance);
    else if (!sameInstance(before.instance, instance)) this.#changed(before.instance, instance);
    return (how) => this.#leave(key, holder, how);
  }

  #leave(key: string, holder: symbol, how: 'lost' | 'left'): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.holder !== holder) return;
    if (how === 'left') return this.#remove(key, holder);
    if (entry.cancelRemoval !== null) return;
    const cancelRemoval = this.#options.after(this.#options.grace, () => this.#remove(key, holder));
    this.#entries.set(key, { ...entry, cancelRemoval });
  }

  #remove(key: string, holder: symbol): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.holder !== holder) return;
    entry.cancelRemoval?.();
    this.#entries.delete(key);
    this.#changed(entry.instance);
  }

  /** Every instance, sorted by account and name; one list until the next change. */
  instances(): readonly Instance[] {
    this.#sorted ??= [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { instance }]) => instance);
    return this.#sorted;
  }

  /** The instances behind `orders` or `orders@v2`, as callers reach them; sorted by id. */
  endpointsOf(cluster: ClusterName): readonly Endpoint[] {
    const known = this.#endpoints.get(cluster);
    if (known !== undefined) return known;
    const endpoints = this.instances()
      .filter((instance) => instance.inboundPort > 0 && clustersOf(instance).includes(cluster))
      .map(({ instance, address, inboundPort }) => ({ id: instance, host: address, port: inboundPort, weight: 1 }));
    this.#endpoints.set(cluster, endpoints);
    return endpoints;
  }

  /** Called after every change; several changes in one turn may each call. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets everybody and every timer. */
  close(): void {
    for (const { cancelRemoval } of this.#entries.values()) cancelRemoval?.();
    this.#entries.clear();
    this.#endpoints.clear();
    this.#sorted = null;
    this.#listeners.clear();
  }

  #changed(...instances: readonly Instance[]): void {
    this.#sorted = null;
    for (const cluster of instances.flatMap(clustersOf)) this.#endpoints.delete(cluster);
    for (const listener of this.#listeners) listener();
  }
}

function clustersOf({ account, version }: Instance): ClusterName[] {
  return version === null ? [clusterName(account)] : [clusterName(account), clusterName(account, version)];
}

function keyOf({ account, instance }: Instance): string {
  return `${account}/${instance}`;
}

function sameInstance(a: Instance, b: Instance): boolean {
  return a.version === b.version && a.address === b.address && a.inboundPort === b.inboundPort;
}
