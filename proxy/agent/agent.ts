// The proxy's end of the discovery stream: keeps what the control plane sent, hands each new view to
// `apply` (which warms and swaps), answers ACK or NACK, and comes back after every loss.
import type { Log } from '../../core/kit/log.ts';
import type { Result } from '../../core/kit/result.ts';
import type { ErrorCode } from '../../core/kit/error-table.ts';
import type { SnapshotHash, SpiffeId } from '../../core/model/brand.ts';
import type { View } from '../../core/model/view.ts';

/** What the agent needs of an identity; certs' Identity is one. All PEM. */
export interface AgentIdentity {
  readonly spiffeId: SpiffeId;
  /** Private key of the SVID. */
  readonly keyPem: string;
  /** Leaf, then intermediates. */
  readonly chainPem: string;
  /** Roots of the trust domain. */
  readonly bundlePem: string;
}

/** Why a view was not taken; becomes the NACK's error_detail. */
export interface Refusal {
  readonly code: ErrorCode;
  /** `type/name` of the resource at fault, as in `cluster/orders`; '' where none is. */
  readonly resource: string;
  /** '' where none is. */
  readonly ruleId: string;
  readonly message: string;
}

/** Takes all of a view or none of it. Called for one view at a time; a rejection counts as a refusal. */
export type ApplyView = (view: View) => Promise<Result<void, Refusal>>;

/** Time and chance, injected; `systemClock` is the real thing. */
export interface AgentClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls once after `ms`; the returned function cancels. */
  after(ms: number, callback: () => void): () => void;
  /** In [0, 1). */
  random(): number;
}

export interface AgentOptions {
  /** Discovery address of the control plane, `host:port` or `[v6]:port`. */
  readonly address: string;
  readonly identity: AgentIdentity;
  /** Program version, major.minor.patch. */
  readonly version: string;
  /** Port on which the inbound listener accepts, already bound; 0 for an edge or a job. */
  readonly inboundPort: number;
  readonly apply: ApplyView;
  readonly log: Log;
  readonly clock?: AgentClock;
  /** First and longest wait before another try to connect, in ms. Default 200 and 5,000, jittered. */
  readonly backoff?: { readonly first: number; readonly longest: number };
  /** Silence after which the control plane is pinged, and how long it has to answer, in ms. Default 10,000 and 5,000. */
  readonly keepalive?: { readonly time: number; readonly timeout: number };
}

export interface AgentState {
  readonly connected: boolean;
  /** Milliseconds since the epoch; null: nothing was acknowledged yet. */
  readonly lastAck: number | null;
  /** Snapshot of the view that runs; null: none yet. */
  readonly snapshot: SnapshotHash | null;
  /** Last refusal, until a view is taken again. */
  readonly refusal: Refusal | null;
}

/**
 * One proxy's agent. `start` returns at once: a control plane that is not there yet is waited for, with
 * backoff, and said once. The proxy keeps serving the last applied view through every loss.
 */
export class Agent {
  readonly #options: AgentOptions;
  #identity: AgentIdentity;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#identity = options.identity;
  }

  start(): void {
    this.#options.log.debug({ spiffeId: this.#identity.spiffeId }, 'agent starts');
  }

  /** Ends the stream; no `apply` is called after the returned promise resolves. */
  async close(): Promise<void> {}

  /** A renewed SVID: the stream is opened anew with it, after the view in hand, without a loss being logged. */
  setIdentity(identity: AgentIdentity): void {
    this.#identity = identity;
  }

  get state(): AgentState {
    return { connected: false, lastAck: null, snapshot: null, refusal: null };
  }
}
