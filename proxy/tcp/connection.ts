// One TCP connection from a client to an endpoint: routed and authorized once, connected with a few tries, then bytes
// both ways until both have ended, one broke off, or nothing moved for too long.
import { ERRORS } from '../../core/kit/error-table.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { ClusterHandle, ConnectionInfo, ConnectionRecord, EndpointHandle } from '../exchange.ts';
import type { ProxiedPair } from '../kit/proxy-protocol.ts';
import { type TimerWheel, WheelTimer } from '../kit/timer-wheel.ts';
import type { Tunnel } from '../kit/tunnel.ts';
import type { Opening, OpeningHandler, TcpDownstream } from './downstream.ts';
import type { TcpAction, TcpPlan } from './plan.ts';
import { connectUpstream } from './upstream.ts';
import { WatchedTunnel } from './watched-tunnel.ts';

export interface TcpDeps {
  readonly timers: TimerWheel;
  /** Milliseconds, monotonic. */
  now(): number;
  /** forward/splice.ts. */
  splice(downstream: Tunnel, upstream: Tunnel, onEnd: (end: { readonly broken: boolean }) => void): Joined;
}

/** Both sides of a connection, once there are two. */
interface Joined {
  cut(): void;
}

/** Endpoints that are tried before the client is told. */
const MOST_ATTEMPTS = 3;
const UNOPENED: Opening = { serverName: null, pair: null };

export class TcpConnection implements OpeningHandler {
  readonly info: ConnectionInfo;
  readonly #deps: TcpDeps;
  readonly #plan: TcpPlan;
  readonly #downstream: TcpDownstream;
  readonly #onClose: () => void;
  readonly #record: ConnectionRecord;
  readonly #idle = new WheelTimer(() => this.#onIdle());
  readonly #ownPair: ProxiedPair | null;
  #opened = UNOPENED;
  #idleTimeout = 0;
  #giveUp: (() => void) | null = null;
  #client: WatchedTunnel | null = null;
  #joined: Joined | null = null;
  #finished = false;

  /** `pair`: who connected to whom, as the socket has it. */
  constructor(
    deps: TcpDeps,
    plan: TcpPlan,
    downstream: TcpDownstream,
    info: ConnectionInfo,
    pair: ProxiedPair | null,
    onClose: () => void,
  ) {
    this.#deps = deps;
    this.#plan = plan;
    this.#downstream = downstream;
    this.info = info;
    this.#ownPair = pair;
    this.#onClose = onClose;
    this.#record = newRecord(info, deps.now());
  }

  start(): void {
    this.#downstream.begin(this);
  }

  /** It has no exchange to finish: the listener's drain cap ends it. */
  drain(): void {}

  destroy(): void {
    // One side may have ended in order, while the other does not read what it was sent.
    if (this.#joined !== null) this.#joined.cut();
    else if (this.#client !== null) this.#client.destroy();
    else this.#refuse(new MeshError('draining'));
  }

  /** No longer allowed, by a plan that came later. */
  cut(error: MeshError, { rule, decisionId }: ConnectionRecord): void {
    this.#record.rule = rule;
    this.#record.decisionId = decisionId;
    this.#note(error);
    this.destroy();
  }

  onOpening(opening: Opening): void {
    this.#opened = opening;
    const { serverName } = opening;
    const record = this.#record;
    if (serverName !== null) record.connection = { ...record.connection, serverName };
    const action = this.#plan.route(record.connection, record);
    if (action instanceof MeshError) return this.#refuse(action);
    const cluster = action.choose();
    if (cluster === null) return this.#refuse(new MeshError('no-cluster'));
    this.#idleTimeout = action.idleTimeout;
    record.cluster = cluster.cluster.name;
    this.#try(action, cluster, null);
  }

  onFailed(error: MeshError): void {
    this.#refuse(error);
  }

  onGone(probe: boolean): void {
    this.#giveUp?.();
    if (probe) {
      this.#finished = true;
      this.#onClose();
      return;
    }
    this.#note(new MeshError('downstream-closed', { origin: 'downstream' }));
    this.#finish();
  }

  #try(action: TcpAction, cluster: ClusterHandle, previous: EndpointHandle | null): void {
    const endpoint = cluster.pick(previous);
    if (endpoint === null) return this.#refuse(new MeshError('no-endpoint', { unprocessed: true }));
    const record = this.#record;
    record.attempts += 1;
    record.endpoint = endpoint.address;
    const pair = this.#opened.pair ?? this.#ownPair;
    this.#giveUp = connectUpstream(
      cluster.cluster,
      endpoint,
      pair,
      this.#deps.timers,
      this.#onBroken,
      (error, tunnel) => {
        this.#giveUp = null;
        if (tunnel !== null) return this.#join(tunnel);
        const reason = error ?? new MeshError('internal');
        if (reason.unprocessed && record.attempts < MOST_ATTEMPTS) this.#try(action, cluster, endpoint);
        else this.#refuse(reason);
      },
    );
  }

  #join(upstream: Tunnel): void {
    const { now, splice, timers } = this.#deps;
    this.#record.connectedAt = now();
    const client = new WatchedTunnel(this.#downstream.accept(this.#onBroken), now);
    this.#client = client;
    if (this.#idleTimeout > 0) timers.schedule(this.#idle, this.#idleTimeout);
    this.#joined = splice(client, upstream, ({ broken }) => {
      this.#record.broken = broken;
      this.#record.receivedBytes = client.received;
      this.#record.sentBytes = client.sent;
      this.#finish();
    });
  }

  readonly #onBroken = (reason: string): void => {
    this.#record.detail ||= reason;
  };

  #onIdle(): void {
    const client = this.#client;
    if (client === null) return;
    const { now, timers } = this.#deps;
    const left = client.movedAt + this.#idleTimeout - now();
    if (left > 0) {
      timers.schedule(this.#idle, left);
      return;
    }
    this.#note(new MeshError('stream-idle', { detail: `nothing moved for ${this.#idleTimeout} ms` }));
    this.destroy();
  }

  #refuse(error: MeshError): void {
    if (this.#finished) return;
    this.#giveUp?.();
    this.#giveUp = null;
    this.#note(error);
    this.#downstream.refuse(error);
    this.#finish();
  }

  #note(error: MeshError): void {
    const record = this.#record;
    if (record.code !== '') return;
    record.code = error.code;
    record.flag = ERRORS[error.code].flag;
    record.detail = error.detail;
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#deps.timers.cancel(this.#idle);
    this.#record.finishedAt = this.#deps.now();
    this.#plan.record(this.#record);
    this.#onClose();
  }
}

/** Also for a plan that is asked again, about a connection that is open. */
export function newRecord(connection: ConnectionInfo, now: number): ConnectionRecord {
  return {
    connection,
    flag: '-',
    code: '',
    route: '',
    rule: '',
    cluster: '',
    endpoint: '',
    decisionId: '',
    attempts: 0,
    receivedBytes: 0,
    sentBytes: 0,
    startedAt: now,
    connectedAt: 0,
    finishedAt: 0,
    broken: false,
    detail: '',
  };
}
