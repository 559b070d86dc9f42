// The connections to one endpoint. Idle ones are taken last in, first out, so that the fewest stay warm.
// A request without one opens one and takes whichever is free first, its own or one that is given back.
import { MeshError } from '../../core/kit/error.ts';
import type { RuleId } from '../../core/model/brand.ts';
import type { Cluster, Endpoint } from '../../core/model/view.ts';
import type { EndpointHandle, RequestHead, Upstream, UpstreamHandler } from '../exchange.ts';
import { type ClientConnection, type ConnectionFactory, type Dial, speaksHttp2 } from './dial.ts';
import { PendingRequest } from './pending.ts';
import { type CreateConnection, overloaded, SharedPool } from './shared-pool.ts';

export interface PoolLimits {
  /** Connections to one endpoint, busy, idle and being opened. Source: Envoy, 1,024 per cluster. */
  readonly connections: number;
  /** Idle ones that are kept. */
  readonly idle: number;
  /** Milliseconds that one may be idle; the codec closes earlier where the upstream says so. */
  readonly idleTimeout: number;
}

export const POOL_LIMITS: PoolLimits = { connections: 1_024, idle: 256, idleTimeout: 30_000 };

export interface PoolDeps {
  readonly dial: Dial;
  readonly createConnection: ConnectionFactory;
  readonly limits: PoolLimits;
  /** Milliseconds, monotonic. */
  now(): number;
}

interface Entry {
  readonly connection: ClientConnection;
  idleSince: number;
  busy: boolean;
}

export class EndpointPool implements EndpointHandle {
  readonly id: string;
  readonly address: string;
  readonly ruleId: RuleId;
  readonly endpoint: Endpoint;
  readonly #cluster: Cluster;
  readonly #deps: PoolDeps;
  readonly #idle: Entry[] = [];
  readonly #entries = new Set<Entry>();
  readonly #waiting: PendingRequest[] = [];
  readonly #dials = new Set<() => void>();
  /** Connections that carry many requests at a time: between sidecars. */
  readonly #shared: SharedPool;
  /** A sidecar of an older version, which has one request on a connection at a time. */
  #oldPeer = false;
  #busy = 0;
  #draining = false;
  /** Where the picker reads how many requests are in flight here. */
  #row: Uint32Array;
  #index = 0;

  constructor(cluster: Cluster, endpoint: Endpoint, deps: PoolDeps) {
    this.id = endpoint.id;
    this.address = endpoint.host.includes(':')
      ? `[${endpoint.host}]:${endpoint.port}`
      : `${endpoint.host}:${endpoint.port}`;
    this.ruleId = cluster.ruleId;
    this.endpoint = endpoint;
    this.#cluster = cluster;
    this.#deps = deps;
    this.#row = new Uint32Array(1);
    this.#shared = new SharedPool(cluster, endpoint, deps, {
      onCount: () => this.#count(),
      onOldPeer: (connect, waiting) => this.#meetOldPeer(connect, waiting),
    });
  }

  get active(): number {
    return this.#busy + this.#waiting.length + this.#shared.active;
  }

  get idle(): number {
    return this.#idle.length + this.#shared.idle;
  }

  /** From now on the number of requests in flight stands in `row[index]`. */
  attach(row: Uint32Array, index: number): void {
    this.#row = row;
    this.#index = index;
    this.#count();
  }

  request(head: RequestHead, handler: UpstreamHandler, fresh: boolean): Upstream {
    if (this.#shares && (head.upgrade === '' || this.#cluster.kind === 'static')) return this.#shared.request(head, handler, fresh);
    if (!fresh) {
      for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
        if (!entry.connection.usable) continue;
        this.#take(entry);
        return entry.connection.request(head, handler);
      }
    }
    const pending = new PendingRequest(head, handler, (cancelled) => this.#forget(cancelled));
    if (this.#busy + this.#dials.size >= this.#deps.limits.connections) {
      queueMicrotask(() => pending.failed(overloaded(this.#cluster)));
      return pending;
    }
    this.#waiting.push(pending);
    this.#count();
    this.#open(null);
    return pending;
  }

  /** Opens one connection ahead of need. Calls back with what became of it. */
  warm(done: (error: MeshError | null) => void): void {
    if (this.#shares) this.#shared.warm(done);
    else if (this.#entries.size > 0) queueMicrotask(() => done(null));
    else this.#open(done);
  }

  /** Closes what has been idle for too long. */
  sweep(): void {
    this.#shared.sweep();
    const oldest = this.#deps.now() - this.#deps.limits.idleTimeout;
    // The longest idle stand first.
    while (this.#idle.length > 0 && (this.#idle[0] as Entry).idleSince <= oldest) {
      this.#idle.shift()?.connection.close();
    }
  }

  /** No longer in any view: idle connections close now, busy ones after their exchange. */
  drain(): void {
    this.#draining = true;
    this.#shared.drain();
    for (const entry of this.#idle.splice(0)) entry.connection.close();
  }

  /** Ends everything now. */
  close(): void {
    this.#shared.close();
    this.drain();
    for (const giveUp of this.#dials) giveUp();
    this.#dials.clear();
    for (const entry of [...this.#entries]) entry.connection.close();
    for (const pending of this.#waiting.splice(0)) pending.failed(new MeshError('draining', { unprocessed: true }));
    this.#count();
  }

  #open(done: ((error: MeshError | null) => void) | null): void {
    const giveUp = this.#deps.dial(
      this.#cluster,
      this.endpoint,
      (error, socket) => {
        this.#dials.delete(giveUp);
        if (error !== null || socket === null) {
          const reason = error ?? new MeshError('internal');
          done?.(reason);
          this.#dialFailed(reason);
          return;
        }
        this.#adopt((events) => this.#deps.createConnection(this.#cluster, socket, events));
        done?.(null);
      },
      this.#cluster.kind === 'mesh',
    );
    this.#dials.add(giveUp);
  }

  #adopt(create: CreateConnection): void {
    const entry: Entry = {
      connection: create({ onIdle: () => this.#release(entry), onClose: () => this.#remove(entry) }),
      idleSince: 0,
      busy: true,
    };
    this.#entries.add(entry);
    this.#busy += 1;
    entry.connection.start();
    if (entry.busy && entry.connection.usable) this.#release(entry);
  }

  /** Until its last connection is gone, which is when it may have become a newer one. */
  #meetOldPeer(create: CreateConnection, waiting: readonly PendingRequest[]): void {
    this.#oldPeer = true;
    this.#waiting.push(...waiting);
    this.#adopt(create);
    for (let missing = this.#waiting.length - this.#dials.size; missing > 0; missing--) this.#open(null);
    this.#count();
  }

  get #shares(): boolean {
    if (this.#cluster.kind === 'static') return speaksHttp2(this.#cluster);
    return !this.#oldPeer;
  }

  /** One connection less is coming: requests beyond those still being opened go without. */
  #dialFailed(error: MeshError): void {
    while (this.#waiting.length > this.#dials.size) {
      const pending = this.#waiting.shift();
      this.#count();
      pending?.failed(error);
    }
  }

  #take(entry: Entry): void {
    entry.busy = true;
    this.#busy += 1;
    this.#count();
  }

  #release(entry: Entry): void {
    if (!entry.busy) return;
    const next = entry.connection.usable ? this.#waiting.shift() : undefined;
    if (next !== undefined) {
      this.#count();
      next.connected(entry.connection);
      return;
    }
    this.#idled(entry);
    if (!entry.connection.usable) return;
    if (this.#draining || this.#idle.length >= this.#deps.limits.idle) {
      entry.connection.close();
      return;
    }
    entry.idleSince = this.#deps.now();
    this.#idle.push(entry);
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry);
    if (this.#entries.size === 0) this.#oldPeer = false;
    this.#idled(entry);
    const at = this.#idle.indexOf(entry);
    if (at !== -1) this.#idle.splice(at, 1);
  }

  #idled(entry: Entry): void {
    if (!entry.busy) return;
    entry.busy = false;
    this.#busy -= 1;
    this.#count();
  }

  #forget(pending: PendingRequest): void {
    const at = this.#waiting.indexOf(pending);
    if (at !== -1) this.#waiting.splice(at, 1);
    this.#count();
  }

  #count(): void {
    this.#row[this.#index] = this.active;
  }
}
