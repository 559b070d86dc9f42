// Every instance of the mesh, by its stream: a proxy that runs a view is the registration of its instance, for as
// long as its app is up and it does not drain. Whom a lost stream takes out, and when, is core/decide/membership.
import { Membership, type MembershipChange, type MembershipPolicy } from '../../core/decide/membership.ts';
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
  readonly policy: MembershipPolicy;
  /** Milliseconds, of any beginning; never back. */
  readonly now: () => number;
  /** Calls once after `ms`; the returned function cancels. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** Most instances are gone at once, and nobody is removed; `lost` is 0 when it is over. */
  readonly onMassLoss?: (lost: number, all: number) => void;
}

/** What an instance may do with its registration; void once another stream of the instance has taken it over. */
export interface Place {
  /** Whether it may be called: its app is up and it does not drain. At once. True: it was not so before. */
  setCallable(callable: boolean): boolean;
  /** At once for one that says goodbye, else after the grace time. */
  leave(how: 'lost' | 'left'): void;
}

/** Of who comes when all is over. */
const NO_PLACE: Place = { setCallable: () => false, leave: () => {} };

interface Entry {
  readonly instance: Instance;
  /** The stream that holds the place; an older one of the same instance has nothing to say any more. */
  readonly holder: symbol | null;
  readonly callable: boolean;
  /** Its stream is gone and its time is up. */
  readonly removed: boolean;
}

export class Registry {
  readonly #options: RegistryOptions;
  readonly #membership: Membership;
  readonly #entries = new Map<string, Entry>();
  /** Key of the instance that was there last, by address and port. */
  readonly #byPlace = new Map<string, string>();
  readonly #byCluster = new Map<ClusterName, Map<string, Instance>>();
  readonly #listeners = new Set<(instance: Instance, callable: boolean) => void>();
  #sorted: readonly Instance[] | null = null;
  /** Endpoints by cluster, kept until an instance of that cluster changes: equal content is the same list. */
  readonly #endpoints = new Map<ClusterName, readonly Endpoint[]>();
  #timer: { readonly at: number; readonly cancel: () => void } | null = null;
  #held = false;
  #closed = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#membership = new Membership(options.policy);
  }

  /** @param callable undefined: as before, or yes where it was not there */
  join(instance: Instance, callable?: boolean): Place {
    if (this.#closed) return NO_PLACE;
    const key = instanceKey(instance);
    const before = this.#entries.get(key);
    const holder = Symbol(key);
    this.#membership.join(key, this.#options.now());
    // Who is lost and was where this one is now cannot come back there.
    const other = this.#byPlace.get(placeOf(instance)) ?? key;
    if (other !== key && this.#membership.isLost(other)) this.#forget(other);
    this.#set(key, { instance, holder, callable: callable ?? before?.callable ?? true, removed: false });
    this.#settle([]);
    return {
      setCallable: (next) => this.#change(key, holder, next),
      leave: (how) => this.#leave(key, holder, how),
    };
  }

  /** Instances from before this process: each counts as there and has `grace` ms to come back. */
  expect(instances: readonly Instance[], grace: number): void {
    const now = this.#options.now();
    for (const instance of instances) {
      const key = instanceKey(instance);
      if (this.#entries.has(key)) continue;
      this.#membership.expect(key, now, grace);
      this.#set(key, { instance, holder: null, callable: true, removed: false });
    }
    this.#settle([]);
  }

  #change(key: string, holder: symbol, callable: boolean): boolean {
    const entry = this.#entries.get(key);
    if (entry?.holder !== holder || entry.callable === callable) return false;
    this.#set(key, { ...entry, callable });
    return true;
  }

  #leave(key: string, holder: symbol, how: 'lost' | 'left'): void {
    if (this.#entries.get(key)?.holder !== holder) return;
    if (how === 'left') {
      this.#forget(key);
      this.#settle([]);
    } else this.#settle(this.#membership.lose(key, this.#options.now()));
  }

  #forget(key: string): void {
    this.#membership.leave(key);
    this.#set(key, null);
  }

  /** Carries out what membership has decided, says what is new of a mass loss, and sets the next timer. */
  #settle(changes: readonly MembershipChange[]): void {
    for (const { id, kind } of changes) {
      const entry = this.#entries.get(id);
      if (entry === undefined) continue;
      this.#set(id, kind === 'forgotten' ? null : { ...entry, removed: kind === 'removed' });
    }
    const held = this.#membership.held > 0;
    if (held !== this.#held) this.#options.onMassLoss?.(this.#membership.held, this.#entries.size);
    this.#held = held;
    this.#schedule();
  }

  #schedule(): void {
    const at = this.#membership.next();
    if (at === (this.#timer?.at ?? null)) return;
    this.#timer?.cancel();
    this.#timer = null;
    if (at === null) return;
    const { after, now } = this.#options;
    const cancel = after(Math.max(0, at - now()), () => {
      this.#timer = null;
      this.#settle(this.#membership.advance(now()));
    });
    this.#timer = { at, cancel };
  }

  /** Every instance that may be called, sorted by account and name; one list until the next change. */
  instances(): readonly Instance[] {
    this.#sorted ??= [...this.#entries]
      .filter(([, entry]) => isVisible(entry))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { instance }]) => instance);
    return this.#sorted;
  }

  /** Those whose stream is lost and which count as there for now. */
  lost(): Instance[] {
    return [...this.#membership.lost()].flatMap((key) => this.#entries.get(key)?.instance ?? []);
  }

  /** How many instances are lost and kept because most are; 0: there is no mass loss. */
  get held(): number {
    return this.#membership.held;
  }

  /** The instances behind `orders` or `orders@v2`, as callers reach them; sorted by id. */
  endpointsOf(cluster: ClusterName): readonly Endpoint[] {
    const known = this.#endpoints.get(cluster);
    if (known !== undefined) return known;
    const endpoints = [...(this.#byCluster.get(cluster)?.values() ?? [])]
      .filter(({ inboundPort }) => inboundPort > 0)
      .map(({ instance, address, inboundPort }) => ({ id: instance, host: address, port: inboundPort, weight: 1 }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#endpoints.set(cluster, endpoints);
    return endpoints;
  }

  /**
   * Called after every change, with whom it is about and whether that one may be called now; several changes in one turn
   * may each call. Returns how to stop.
   */
  onChange(listener: (instance: Instance, callable: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets everybody and every timer, and takes nobody any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#entries.clear();
    this.#byPlace.clear();
    this.#byCluster.clear();
    this.#endpoints.clear();
    this.#sorted = null;
    this.#listeners.clear();
  }

  /** null: it is forgotten. Tells the listeners where what others see of it has changed. */
  #set(key: string, next: Entry | null): void {
    const before = this.#entries.get(key) ?? null;
    this.#keep(key, before, next);
    const seen = before !== null && isVisible(before) ? before.instance : null;
    const shown = next !== null && isVisible(next) ? next.instance : null;
    if (seen === shown || (seen !== null && shown !== null && sameInstance(seen, shown))) return;
    this.#sorted = null;
    for (const cluster of seen === null ? [] : clustersOf(seen)) this.#place(cluster, key, null);
    for (const cluster of shown === null ? [] : clustersOf(shown)) this.#place(cluster, key, shown);
    const about = shown ?? seen;
    if (about !== null) for (const listener of this.#listeners) listener(about, shown !== null);
  }

  #keep(key: string, before: Entry | null, next: Entry | null): void {
    const place = before === null ? '' : placeOf(before.instance);
    if (this.#byPlace.get(place) === key) this.#byPlace.delete(place);
    if (next === null) this.#entries.delete(key);
    else {
      this.#entries.set(key, next);
      if (next.instance.inboundPort > 0) this.#byPlace.set(placeOf(next.instance), key);
    }
  }

  #place(cluster: ClusterName, key: string, instance: Instance | null): void {
    this.#endpoints.delete(cluster);
    const members = this.#byCluster.get(cluster) ?? new Map<string, Instance>();
    if (instance === null) members.delete(key);
    else members.set(key, instance);
    if (members.size === 0) this.#byCluster.delete(cluster);
    else this.#byCluster.set(cluster, members);
  }
}

function isVisible({ callable, removed }: Entry): boolean {
  return callable && !removed;
}

/** The clusters that an instance is part of. */
export function clustersOf({ account, version }: Pick<Instance, 'account' | 'version'>): ClusterName[] {
  return version === null ? [clusterName(account)] : [clusterName(account), clusterName(account, version)];
}

function placeOf({ address, inboundPort }: Instance): string {
  return `${address} ${inboundPort}`;
}

/** What tells one instance from every other of the mesh: `orders/orders-7f3a`. */
export function instanceKey({ account, instance }: Pick<Instance, 'account' | 'instance'>): string {
  return `${account}/${instance}`;
}

function sameInstance(a: Instance, b: Instance): boolean {
  return a.version === b.version && a.address === b.address && a.inboundPort === b.inboundPort;
}
