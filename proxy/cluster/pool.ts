// The connections to one endpoint. Idle ones are taken last in, first out, so that the fewest stay warm.
// A request without one opens one and takes whichever is free first, its own or one that is given back.
import { mayRepeat } from '../../core/decide/keep-alive.ts';
import type { Socket } from 'node:net';
import { describeError, MeshError } from '../../core/kit/error.ts';
import type { RuleId } from '../../core/model/brand.ts';
import type { Cluster, Endpoint } from '../../core/model/view.ts';
import type { EndpointHandle, RequestHead, Upstream, UpstreamHandler } from '../exchange.ts';
import { type ClientConnection, type ConnectionFactory, type Dial, speaksHttp2 } from './dial.ts';
import { IdleConnections } from './idle-connections.ts';
import { PendingRequest } from './pending.ts';
import { RawConnections } from './raw-connections.ts';
import { type CreateConnection, overloaded, SharedPool } from './shared-pool.ts';

export interface PoolLimits {
  /** Connections to one endpoint, busy, idle and being opened. Source: Envoy's max_connections, 1,024 per cluster. */
  readonly connections: number;
  /** Requests that wait for one beyond that. Source: Envoy's max_pending_requests. */
  readonly pending: number;
  /** Requests in flight on shared connections. Source: Envoy's max_requests. */
  readonly requests: number;
  /** Idle connections that are kept. */
  readonly idle: number;
  /** Milliseconds that one may be idle; less where the upstream keeps it for less. */
  readonly idleTimeout: number;
  /** Milliseconds after which one is not used again. */
  readonly lifetime: number;
  /** Requests after which one is not used again; 0: any number. Source: Envoy's max_requests_per_connection. */
  readonly perConnection: number;
}

export const POOL_LIMITS: PoolLimits = {
  connections: 1_024,
  pending: 1_024,
  requests: 1_024,
  idle: 256,
  idleTimeout: 30_000,
  lifetime: 3_600_000,
  perConnection: 0,
};

/** A request body up to this many bytes is kept by forward, and can be sent again. */
const KEPT_BODY = 65_536;

/** What happened at one endpoint since its pool was made. */
export interface PoolCounts {
  opened: number;
  /** Connections that did not come about, by time-out, refusal or a failed handshake. */
  failed: number;
  /** Requests that were refused because there were too many. */
  overflow: number;
}

export interface PoolFacts extends Readonly<PoolCounts> {
  readonly id: string;
  readonly address: string;
  /** Requests in flight, waiting ones included. */
  readonly active: number;
  /** Connections without a request. */
  readonly idle: number;
  readonly pending: number;
  readonly idleLimit: number;
  /** Why the last try to connect failed; '': it did not. */
  readonly unreachable: string;
}

export interface PoolDeps {
  readonly dial: Dial;
  readonly createConnection: ConnectionFactory;
  readonly limits: PoolLimits;
  /** Milliseconds, monotonic. */
  now(): number;
}

interface Entry {
  readonly connection: ClientConnection;
  readonly bornAt: number;
  idleSince: number;
  idleFor: number;
  busy: boolean;
  requests: number;
}

export class EndpointPool implements EndpointHandle {
  readonly id: string;
  readonly address: string;
  readonly ruleId: RuleId;
  readonly endpoint: Endpoint;
  readonly counts: PoolCounts = { opened: 0, failed: 0, overflow: 0 };
  readonly #cluster: Cluster;
  readonly #deps: PoolDeps;
  readonly #idle: IdleConnections<Entry>;
  readonly #entries = new Set<Entry>();
  readonly #waiting: PendingRequest[] = [];
  readonly #dials = new Set<() => void>();
  /** Connections that carry many requests at a time: between sidecars. */
  readonly #shared: SharedPool;
  /** Connections that carry bytes. */
  readonly #raw: RawConnections;
  /** A sidecar of an older version, which has one request on a connection at a time. */
  #oldPeer = false;
  #busy = 0;
  #draining = false;
  #unreachable = '';
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
    this.#deps = { ...deps, dial: this.#watched(deps.dial) };
    this.#row = new Uint32Array(1);
    this.#idle = new IdleConnections({ most: deps.limits.idle, timeout: deps.limits.idleTimeout, now: deps.now });
    this.#raw = new RawConnections(cluster, endpoint, {
      dial: this.#deps.dial,
      most: deps.limits.connections,
      counts: this.counts,
      onCount: () => this.#count(),
    });
    this.#shared = new SharedPool(cluster, endpoint, this.#deps, {
      counts: this.counts,
      onCount: () => this.#count(),
      onOldPeer: (connect, waiting) => this.#meetOldPeer(connect, waiting),
    });
  }

  get active(): number {
    return this.#busy + this.#waiting.length + this.#shared.active + this.#raw.active;
  }

  get idle(): number {
    return this.#idle.size + this.#shared.idle;
  }

  /** Requests that wait for a connection. */
  get pending(): number {
    return this.#waiting.length + this.#shared.pending;
  }

  /** Milliseconds of idleness up to which a connection is used again. */
  get idleLimit(): number {
    return this.#idle.limit;
  }

  /** What operators are shown. */
  get facts(): PoolFacts {
    const { id, address, active, idle, pending, idleLimit } = this;
    return { id, address, active, idle, pending, idleLimit, unreachable: this.#unreachable, ...this.counts };
  }

  #watched(dial: Dial): Dial {
    return (cluster, endpoint, done, http1Only) =>
      dial(
        cluster,
        endpoint,
        (error, socket) => {
          this.#unreachable = error === null ? '' : describeError(error);
          done(error, socket);
        },
        http1Only,
      );
  }

  /** From now on the number of requests in flight stands in `row[index]`. */
  attach(row: Uint32Array, index: number): void {
    this.#row = row;
    this.#index = index;
    this.#count();
  }

  request(head: RequestHead, handler: UpstreamHandler, fresh: boolean): Upstream {
    if (this.#shares && (head.upgrade === '' || this.#cluster.kind === 'static'))
      return this.#shared.request(head, handler, fresh);
    const repeatable = mayRepeat(head.method, head.bodyLength, KEPT_BODY);
    if (!fresh) {
      const entry = this.#idle.take(repeatable);
      if (entry !== null) {
        this.#take(entry);
        return entry.connection.request(head, handler);
      }
    }
    const pending = new PendingRequest(head, handler, repeatable && !fresh, (cancelled) => this.#forget(cancelled));
    const room = this.#hasRoom();
    if (!room && this.#waiting.length - this.#dials.size >= this.#deps.limits.pending) {
      this.counts.overflow += 1;
      queueMicrotask(() => pending.failed(overloaded(this.#cluster)));
      return pending;
    }
    this.#waiting.push(pending);
    this.#count();
    if (room) this.#open(null);
    return pending;
  }

  connect(done: (error: MeshError | null, socket: Socket | null) => void): () => void {
    return this.#raw.connect(done);
  }

  /** Opens one connection ahead of need. Calls back with what became of it. */
  warm(done: (error: MeshError | null) => void): void {
    if (this.#cluster.protocol === 'tcp') this.#raw.probe(done);
    else if (this.#shares) this.#shared.warm(done);
    else if (this.#entries.size > 0) queueMicrotask(() => done(null));
    else this.#open(done);
  }

  /** Closes what has been idle for too long. */
  sweep(): void {
    this.#shared.sweep();
    this.#idle.sweep();
  }

  /** No longer in any view: idle connections close now, busy ones after their exchange. */
  drain(): void {
    this.#draining = true;
    this.#shared.drain();
    this.#idle.closeAll();
  }

  /** Ends everything now. */
  close(): void {
    this.#shared.close();
    this.#raw.close();
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
          this.counts.failed += 1;
          this.#idle.forget();
          done?.(reason);
          this.#dialFailed(reason);
          return;
        }
        this.counts.opened += 1;
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
      bornAt: this.#deps.now(),
      idleSince: 0,
      idleFor: -1,
      busy: true,
      requests: 0,
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

  /** For one connection more, if need be in place of one that nobody uses. */
  #hasRoom(): boolean {
    return this.#entries.size + this.#dials.size < this.#deps.limits.connections || this.#idle.closeOldest();
  }

  #take(entry: Entry): void {
    entry.busy = true;
    entry.requests += 1;
    this.#busy += 1;
    this.#count();
  }

  #release(entry: Entry): void {
    if (!entry.busy) return;
    const used = this.#isUsedUp(entry);
    const next = entry.connection.usable && !used ? this.#nextFor(entry) : null;
    if (next !== null) {
      entry.requests += 1;
      entry.idleFor = -1;
      this.#count();
      next.connected(entry.connection);
      return;
    }
    this.#idled(entry);
    if (!entry.connection.usable) return;
    const wanted = this.#waiting.length > this.#dials.size;
    if (used || wanted || this.#draining || !this.#idle.put(entry)) entry.connection.close();
  }

  /** Who waits longest and may have a connection that was used before. */
  #nextFor({ requests }: Entry): PendingRequest | null {
    const trusted = requests === 0 || this.#idle.trusted;
    const at = trusted ? 0 : this.#waiting.findIndex(({ repeatable }) => repeatable);
    return this.#waiting.splice(Math.max(at, 0), at === -1 ? 0 : 1)[0] ?? null;
  }

  #isUsedUp({ requests, bornAt }: Entry): boolean {
    const { perConnection, lifetime } = this.#deps.limits;
    return (perConnection > 0 && requests >= perConnection) || this.#deps.now() - bornAt >= lifetime;
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry);
    if (this.#entries.size === 0) this.#oldPeer = false;
    this.#idled(entry);
    this.#idle.remove(entry);
    // Somebody waited for there to be room.
    if (!this.#draining && this.#waiting.length > this.#dials.size && this.#hasRoom()) this.#open(null);
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
