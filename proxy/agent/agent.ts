// The proxy's end of the discovery stream: keeps what the control plane sent, hands each new view to
// `apply` (which warms and swaps), answers ACK or NACK, and comes back after every loss.
import { backoffDelay, type BackoffPolicy } from '../../core/kit/backoff.ts';
import { describeError } from '../../core/kit/error.ts';
import type { ErrorCode } from '../../core/kit/error-table.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Result } from '../../core/kit/result.ts';
import type { SnapshotHash } from '../../core/model/brand.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { View } from '../../core/model/view.ts';
import type { Addresses } from '../../host/setting-kinds.ts';
import { describeFlaw } from '../../proto/codec/fields.ts';
import { loadServices } from '../../proto/codec/services.ts';
import type { DiscoveryDefinition } from '../../proto/gen/weft/v1/Discovery.ts';
import type { DiscoveryResponse__Output } from '../../proto/gen/weft/v1/DiscoveryResponse.ts';
import { AddressTurn } from './address-turn.ts';
import { ConnectionReport, REPLACED } from './connection-report.ts';
import { connectDiscovery, type AgentIdentity, type Keepalive } from './channel.ts';
import { answerQuery, type DecisionSource } from './decisions-answer.ts';
import { NO_HOLDINGS, stage, type Holdings, type Staged } from './holdings.ts';
import { LastView } from './last-view.ts';
import type { FactSource } from './proxy-facts.ts';
import { Session, type SessionEnd } from './session.ts';
import { StatusSender } from './status-sender.ts';
import type { ViewStore } from './view-file.ts';

/** Why a view was not taken; becomes the NACK's error_detail. */
export interface Refusal {
  readonly code: ErrorCode;
  /** `type/name` of the resource at fault, as in `cluster/orders`; '' where none is. */
  readonly resource: string;
  /** '' where none is. */
  readonly ruleId: string;
  readonly message: string;
}

/**
 * Takes all of a view or none of it. Called for one view at a time; a rejection counts as a refusal. `disk`: the view that
 * ran before this start, which may name endpoints that are no more.
 */
export type ApplyView = (view: View, origin: ViewOrigin) => Promise<Result<void, Refusal>>;
export type ViewOrigin = 'control-plane' | 'disk';

/** Whether callers know that an instance takes no more calls. */
export type DrainOutcome = 'told' | 'away' | 'late';

/** Time and chance, injected; `systemClock` is the real thing. */
export interface AgentClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls once after `ms`; the returned function cancels. */
  after(ms: number, callback: () => void): () => void;
  /** In [0, 1). */
  random(): number;
}

export interface AgentOptions {
  /** Discovery addresses of the control plane, tried in turn; at least one. */
  readonly addresses: Addresses;
  readonly identity: AgentIdentity;
  /** Program version, major.minor.patch. */
  readonly version: string;
  /** Port on which the inbound listener accepts, already bound; 0 for an edge or a job. */
  readonly inboundPort: number;
  readonly apply: ApplyView;
  /** Where the view that runs is kept for the next start. Default: nowhere. */
  readonly store?: ViewStore;
  /** What the control plane is told of this proxy. Default: nothing, as older proxies do. */
  readonly facts?: FactSource;
  /** What it may ask for. Default: there is nothing. */
  readonly decisions?: DecisionSource;
  readonly log: Log;
  readonly clock: AgentClock;
  /** Between tries to connect. Default 500 ms, at most 5,000 ms, with full jitter; 500 ms while nobody listens there. */
  readonly backoff?: BackoffPolicy;
  /** Before a view that could not be applied here is asked for again. Default 2,000 ms, at most 60,000 ms. */
  readonly retry?: BackoffPolicy;
  /** Default: pinged after 10,000 ms of silence, dead 5,000 ms later, which also bounds a try to connect. */
  readonly keepalive?: Keepalive;
}

export interface AgentState {
  readonly connected: boolean;
  /** Milliseconds since 1970; null: nothing was acknowledged yet. */
  readonly lastAck: number | null;
  /** Where the view that runs came from; null: there is none yet. */
  readonly origin: ViewOrigin | null;
  /** Since the control plane last stood behind the view that runs, in ms; 0 while it does; null: there is none yet. */
  readonly age: number | null;
  /** Snapshot of the view that runs; null: none yet. */
  readonly snapshot: SnapshotHash | null;
  /** Last refusal, until a view is taken again. */
  readonly refusal: Refusal | null;
}

export const systemClock: AgentClock = {
  now: () => Date.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

const BACKOFF: BackoffPolicy = { base: 500, cap: 5_000 };
const RETRY: BackoffPolicy = { base: 2_000, cap: 60_000 };
/** Milliseconds that a process which replaced this one is left alone: by then this one is asked to leave. */
const REPLACED_PAUSE = 10_000;
const CLOSE_TIMEOUT = 1_000;
const KEEPALIVE: Keepalive = { time: 10_000, timeout: 5_000 };

/**
 * One proxy's agent. `start` returns at once: a control plane that is not there yet is waited for, with
 * backoff, and said once. The proxy keeps serving the last applied view through every loss.
 */
export class Agent {
  readonly #options: AgentOptions;
  #identity: AgentIdentity;
  #held: Holdings = NO_HOLDINGS;
  #session: Session | null = null;
  #running: Promise<void> | null = null;
  #closed = false;
  /** The stream was ended on our side, to be opened anew at once. */
  #renewed = false;
  /** Ends the wait between two tries. */
  #wake: () => void = () => {};
  #connected = false;
  #lastAck: number | null = null;
  #refusal: Refusal | null = null;
  /** In a row. */
  #refusals = 0;
  #cancelRetry: () => void = () => {};
  readonly #report: ConnectionReport;
  readonly #last: LastView | null;
  readonly #status: StatusSender | null;
  readonly #turn: AddressTurn;
  #draining = false;
  /** Who waits for the control plane's word in `drain`. */
  #drained: (outcome: DrainOutcome) => void = () => {};
  /** When a connection that stood behind the view was lost. */
  #confirmedAt = 0;
  #saved: Promise<void> = Promise.resolve();

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#identity = options.identity;
    this.#report = new ConnectionReport(options.log);
    this.#turn = new AddressTurn(options.addresses);
    const { store, clock, log, apply, facts } = options;
    const connected = (): boolean => this.#connected;
    this.#last = store === undefined ? null : new LastView({ store, clock, log, apply, connected });
    this.#status =
      facts === undefined
        ? null
        : new StatusSender({
            source: facts,
            clock,
            context: () => ({ ...this.state, draining: this.#draining }),
            send: (status) => this.#session?.say({ status }),
          });
  }

  start(): void {
    if (this.#running !== null) return;
    this.#last?.begin();
    this.#running = this.#run(loadServices().discovery.Stream);
  }

  /** Something of the facts may have changed. */
  factsChanged(): void {
    this.#status?.changed();
  }

  /** The control plane's address that was spoken to last, or is being tried. */
  get address(): HostPort {
    return this.#turn.current;
  }

  /**
   * Says that this instance takes no more calls. Resolves when all who call it know (`told`), when the control plane cannot
   * say so (`away`), or after `limit` ms. Views keep coming.
   */
  async drain(limit: number): Promise<DrainOutcome> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<DrainOutcome>();
    this.#drained = resolve;
    this.#draining = true;
    const known = this.#status?.open === true;
    if (known) this.#status?.changed();
    else resolve('away');
    const giveUp = clock.after(limit, () => resolve('late'));
    const outcome = await promise;
    giveUp();
    return outcome;
  }

  /**
   * Says goodbye, so that callers are told at once; no `apply` is called after the returned promise resolves. One that
   * runs is waited for, but not for long: it may be connecting to somebody who does not answer.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    this.#last?.close();
    this.#wake();
    this.#session?.goodbye();
    let giveUp = (): void => {};
    const late = new Promise<void>((done) => {
      giveUp = this.#options.clock.after(CLOSE_TIMEOUT, done);
    });
    await Promise.race([this.#running, late]);
    giveUp();
  }

  /** A renewed SVID: the stream is opened anew with it, after the view in hand, and no loss is logged. */
  setIdentity(identity: AgentIdentity): void {
    this.#identity = identity;
    this.#renewed = true;
    this.#session?.cancel('the certificate was renewed');
    this.#wake();
  }

  get state(): AgentState {
    const kept = this.#last?.served ?? null;
    const held = this.#held.snapshot;
    const since = kept === null ? this.#confirmedAt : kept.confirmedAt;
    const live = kept === null && this.#connected;
    return {
      connected: this.#connected,
      lastAck: this.#lastAck,
      snapshot: kept === null ? held : kept.view.snapshot,
      origin: kept === null ? held && 'control-plane' : 'disk',
      age: kept === null && held === null ? null : live ? 0 : Math.max(0, this.#options.clock.now() - since),
      refusal: this.#refusal,
    };
  }

  async #run(method: DiscoveryDefinition['Stream']): Promise<void> {
    let failures = 0;
    while (!this.#closed) {
      this.#renewed = false;
      const end = await this.#connect(method);
      if (this.#closed) break;
      if (this.#renewed) continue;
      failures = end.connected ? 0 : failures + 1;
      await this.#last?.serve();
      this.#report.lost(end, this.state.snapshot !== null, this.#turn.current);
      await this.#pause(end.code === REPLACED ? REPLACED_PAUSE : this.#wait(failures, end.refused));
      this.#turn.next();
    }
    await this.#saved;
  }

  /** Each address gets its try before the next round is waited for; ms. */
  #wait(failures: number, refused: boolean): number {
    const { addresses, backoff = BACKOFF, clock } = this.#options;
    if (failures % addresses.length !== 0) return 0;
    const rounds = refused ? 0 : Math.max(0, failures / addresses.length - 1);
    return backoffDelay(backoff, rounds, clock.random());
  }

  async #connect(method: DiscoveryDefinition['Stream']): Promise<SessionEnd> {
    const { keepalive = KEEPALIVE, clock, version, inboundPort } = this.#options;
    const address = this.#turn.current;
    if (this.#held.snapshot === null) this.#held = this.#last?.holdings ?? NO_HOLDINGS;
    const session = new Session({
      connection: connectDiscovery(address, this.#identity, method, keepalive),
      clock,
      connectTimeout: keepalive.timeout,
      version,
      inboundPort,
      held: this.#held,
      onConnected: () => {
        this.#connected = true;
        this.#report.connected(address);
      },
      status: () => this.#status?.first() ?? null,
      onResponse: (response) => this.#take(response),
      onNotice: (notice) => this.#hear(notice),
    });
    this.#session = session;
    session.open();
    const end = await session.ended;
    if (this.state.age === 0) this.#confirm();
    this.#session = null;
    this.#connected = false;
    this.#status?.lost();
    this.#drained('away');
    this.#cancelRetry();
    return end;
  }

  #hear({ ask, drained }: DiscoveryResponse__Output): void {
    if (drained) this.#drained('told');
    const session = this.#session;
    const { decisions } = this.#options;
    // Who asks faster than it reads is not answered.
    if (ask === null || decisions === undefined || session === null || session.congested) return;
    session.say({ answer: answerQuery(ask, decisions) });
  }

  /** The control plane stands behind the view that runs. */
  #confirm(): void {
    this.#confirmedAt = this.#options.clock.now();
    this.#saved = this.#options.store?.save(this.#held, this.#confirmedAt) ?? this.#saved;
  }

  async #take(response: DiscoveryResponse__Output): Promise<Refusal | null> {
    await this.#last?.hold();
    const staged = stage(this.#held, response);
    const refusal = staged.ok
      ? await this.#apply(staged.value)
      : {
          code: 'view-invalid' as const,
          resource: staged.error.resource,
          ruleId: staged.error.ruleId,
          message: describeFlaw(staged.error),
        };
    this.#refusal = refusal;
    this.#cancelRetry();
    if (refusal === null) {
      this.#refusals = 0;
      this.#lastAck = this.#options.clock.now();
      this.#last?.drop();
      this.#confirm();
      return null;
    }
    const { code, resource, ruleId: rule, message } = refusal;
    const fields = { code, resource, rule, snapshot: response.snapshot };
    if (this.state.snapshot === null) await this.#last?.serve();
    const kept = this.state.snapshot === null ? 'there is none yet' : 'the old one stays';
    this.#options.log.warn(fields, `a view was refused, ${kept}: ${message}`);
    if (code !== 'view-invalid') this.#askAgainLater();
    return refusal;
  }

  /**
   * What keeps a valid view from being applied here (a port in use, a callee that does not answer) may pass. The control
   * plane rightly does not send a refused view again, but whoever opens a new stream is sent what it lacks.
   */
  #askAgainLater(): void {
    const { clock, retry = RETRY } = this.#options;
    // At least half of the ceiling: a view is warmed anew each time.
    const delay = backoffDelay(retry, this.#refusals++, 0.5 + clock.random() / 2);
    this.#cancelRetry = clock.after(delay, () => {
      this.#renewed = true;
      this.#session?.cancel('asking again for the refused view');
    });
  }

  async #apply({ view, next, changed }: Staged): Promise<Refusal | null> {
    if (!changed) return null;
    try {
      const applied = await this.#options.apply(view, 'control-plane');
      if (!applied.ok) return applied.error;
      this.#held = next;
      return null;
    } catch (error) {
      this.#options.log.error({ snapshot: view.snapshot, error: describeError(error) }, 'a view could not be applied');
      return { code: 'internal', resource: '', ruleId: '', message: 'the view could not be applied' };
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((done) => {
      const cancel = this.#options.clock.after(ms, done);
      this.#wake = () => {
        cancel();
        done();
      };
    });
  }
}
