// The connections to one endpoint that carry many requests at a time. One is enough until it is busy; a few
// more then bound what a lost packet holds up. Requests wait for the one that is being opened, if there is none.
import { MeshError } from '../../core/kit/error.ts';
import type { Cluster, Endpoint } from '../../core/model/view.ts';
import type { RequestHead, Upstream, UpstreamHandler } from '../exchange.ts';
import { type ClientConnection, type ClientConnectionEvents, isShared, type SharedConnection } from './dial.ts';
import { PendingRequest } from './pending.ts';
import type { PoolCounts, PoolDeps } from './pool.ts';

export type CreateConnection = (events: ClientConnectionEvents) => ClientConnection;

export interface SharedPoolEvents {
  readonly counts: PoolCounts;
  /** `active` changed. */
  onCount(): void;
  /** The peer does not share connections: here is one that it gave, and who waits. */
  onOldPeer(create: CreateConnection, waiting: readonly PendingRequest[]): void;
}

/** Requests on one connection above which another one is opened beside it. */
const GROW_AT = 100;
const MOST_CONNECTIONS = 4;

interface Entry {
  readonly connection: SharedConnection;
  readonly bornAt: number;
  idleSince: number;
}

interface Waiting {
  readonly pending: PendingRequest;
  readonly fresh: boolean;
}

export class SharedPool {
  readonly #cluster: Cluster;
  readonly #endpoint: Endpoint;
  readonly #deps: PoolDeps;
  readonly #events: SharedPoolEvents;
  /** Those that take requests, and those that only end the ones they have. */
  readonly #entries: Entry[] = [];
  readonly #leaving = new Set<Entry>();
  #waiting: Waiting[] = [];
  #giveUp: (() => void) | null = null;
  #warmers: ((error: MeshError | null) => void)[] = [];
  #draining = false;
  /** When a connection was lost with requests on it: older ones may be lost too. */
  #lostAt = Number.NEGATIVE_INFINITY;

  constructor(cluster: Cluster, endpoint: Endpoint, deps: PoolDeps, events: SharedPoolEvents) {
    this.#cluster = cluster;
    this.#endpoint = endpoint;
    this.#deps = deps;
    this.#events = events;
  }

  /** Requests under way and waiting. */
  get active(): number {
    let active = this.#waiting.length;
    for (const { connection } of this.#entries) active += connection.active;
    // Nearly always empty, and asked for with every request.
    if (this.#leaving.size > 0) for (const { connection } of this.#leaving) active += connection.active;
    return active;
  }

  /** Requests that wait. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** Connections without a request. */
  get idle(): number {
    return this.#entries.filter(({ connection }) => connection.active === 0).length;
  }

  request(head: RequestHead, handler: UpstreamHandler, fresh: boolean): Upstream {
    const entry = this.#choose(fresh);
    if (entry !== null) {
      const { connection } = entry;
      const upstream = connection.request(head, handler);
      this.#events.onCount();
      if (connection.active >= GROW_AT && this.#entries.length < MOST_CONNECTIONS) this.#open();
      return upstream;
    }
    const pending = new PendingRequest(head, handler, true, (cancelled) => this.#forget(cancelled));
    if (this.active >= this.#deps.limits.requests) {
      this.#events.counts.overflow += 1;
      queueMicrotask(() => pending.failed(overloaded(this.#cluster)));
      return pending;
    }
    this.#waiting.push({ pending, fresh });
    this.#events.onCount();
    if (fresh || this.#entries.length < MOST_CONNECTIONS) this.#open();
    return pending;
  }

  warm(done: (error: MeshError | null) => void): void {
    if (this.#entries.length > 0) {
      queueMicrotask(() => done(null));
      return;
    }
    this.#warmers.push(done);
    this.#open();
  }

  /** Closes what has been idle for too long, replaces what is too old. */
  sweep(): void {
    const now = this.#deps.now();
    for (const entry of [...this.#entries]) {
      const idle = entry.connection.active === 0 && entry.idleSince <= now - this.#deps.limits.idleTimeout;
      if (idle) entry.connection.close();
      else if (entry.bornAt <= now - this.#deps.limits.lifetime) entry.connection.drain();
    }
  }

  /** No longer in any view: connections close after their last request. */
  drain(): void {
    this.#draining = true;
    for (const { connection } of [...this.#entries]) connection.drain();
  }

  close(): void {
    this.#draining = true;
    this.#giveUp?.();
    this.#giveUp = null;
    for (const { connection } of [...this.#entries, ...this.#leaving]) connection.close();
    this.#failWaiting(new MeshError('draining', { unprocessed: true }));
  }

  /** The least busy one that has room; null: none. */
  #choose(fresh: boolean): Entry | null {
    let best: Entry | null = null;
    for (const entry of this.#entries) {
      if (!entry.connection.usable || (fresh && entry.bornAt <= this.#lostAt)) continue;
      if (best === null || entry.connection.active < best.connection.active) best = entry;
    }
    return best;
  }

  #open(): void {
    if (this.#giveUp !== null) return;
    const giveUp = this.#deps.dial(
      this.#cluster,
      this.#endpoint,
      (error, socket) => {
        this.#giveUp = null;
        if (error !== null || socket === null) {
          this.#events.counts.failed += 1;
          return this.#dialFailed(error ?? new MeshError('internal'));
        }
        this.#events.counts.opened += 1;
        this.#connected((events) => this.#deps.createConnection(this.#cluster, socket, events));
      },
      false,
    );
    this.#giveUp = giveUp;
  }

  #connected(create: CreateConnection): void {
    let entry: Entry | null = null;
    let old: ClientConnectionEvents | null = null;
    const connection = create({
      onIdle: () => (entry === null ? old?.onIdle() : this.#onFree(entry)),
      onClose: () => (entry === null ? old?.onClose() : this.#onGone(entry)),
    });
    if (!isShared(connection)) {
      const adopt: CreateConnection = (events) => {
        old = events;
        return connection;
      };
      this.#events.onOldPeer(
        adopt,
        this.#waiting.splice(0).map(({ pending }) => pending),
      );
      this.#warmed(null);
      return;
    }
    const now = this.#deps.now();
    entry = { connection, bornAt: now, idleSince: now };
    this.#entries.push(entry);
    connection.start();
    this.#hand();
    this.#warmed(null);
    if (this.#draining) connection.drain();
  }

  /** Gives what waits to whoever has room. */
  #hand(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const left: Waiting[] = [];
    for (const one of waiting) {
      const entry = this.#choose(one.fresh);
      if (entry === null) left.push(one);
      else one.pending.connected(entry.connection);
    }
    this.#waiting = [...left, ...this.#waiting];
    this.#events.onCount();
    if (this.#waiting.length > 0 && this.#entries.length < MOST_CONNECTIONS) this.#open();
  }

  #onFree(entry: Entry): void {
    if (entry.connection.active === 0) {
      entry.idleSince = this.#deps.now();
      this.#leaving.delete(entry);
    }
    this.#hand();
    this.#events.onCount();
  }

  /** Gone, or it takes no more. */
  #onGone(entry: Entry): void {
    const at = this.#entries.indexOf(entry);
    if (at !== -1) this.#entries.splice(at, 1);
    if (entry.connection.active > 0) {
      this.#lostAt = this.#deps.now();
      this.#leaving.add(entry);
    }
    if (this.#waiting.length > 0 && !this.#draining) this.#open();
  }

  #dialFailed(error: MeshError): void {
    this.#warmed(error);
    // Those that have a connection wait for room on it.
    if (this.#entries.length === 0) this.#failWaiting(error);
    else this.#failWaiting(error, ({ fresh }) => fresh);
  }

  #failWaiting(error: MeshError, which: (one: Waiting) => boolean = () => true): void {
    const failing = this.#waiting.filter(which);
    this.#waiting = this.#waiting.filter((one) => !failing.includes(one));
    this.#events.onCount();
    for (const { pending } of failing) pending.failed(error);
  }

  #warmed(error: MeshError | null): void {
    for (const done of this.#warmers.splice(0)) done(error);
  }

  #forget(pending: PendingRequest): void {
    this.#waiting = this.#waiting.filter((one) => one.pending !== pending);
    this.#events.onCount();
  }
}

export function overloaded(cluster: Cluster): MeshError {
  const detail = `cluster ${cluster.name}: too many requests at one endpoint`;
  return new MeshError('overloaded', { detail, unprocessed: true });
}
