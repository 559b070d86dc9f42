// What became, or would become, of one request: every decision on its way in the order in which the proxies make them,
// each with the rule behind it and where that stands.
import type { FailureKind, RetryReason } from '../decide/retry.ts';
import type { Balancer } from '../decide/balance.ts';
import type { ErrorCode } from '../kit/error-table.ts';

export type StepName =
  | 'listener'
  | 'destination'
  | 'path'
  | 'route'
  | 'rewrite'
  | 'limits'
  | 'split'
  | 'cluster'
  | 'authorization'
  | 'endpoints'
  | 'retry'
  | 'app';

/** Why a proxy answers itself. `no-listener`: nothing of the mesh hears it, so nobody does. */
export interface Refusal {
  readonly code: ErrorCode | 'no-listener';
  /** HTTP status; 0: no answer at all. */
  readonly status: number;
  /** What would let it pass; '' where there is nothing to say. */
  readonly hint: string;
}

export interface Step {
  readonly step: StepName;
  /** One line. */
  readonly words: string;
  readonly notes: readonly string[];
  /** Config path; '' where no rule of the configuration stands behind it. */
  readonly rule: string;
  /** `file:line:column` of the rule, or of what it stands in; '' where it is not known. */
  readonly at: string;
  readonly refused: Refusal | null;
}

export interface TimeLimit {
  /** request: until the whole answer is there. perTry: until an answer begins. idle: without a byte; tunnel-idle: once upgraded. */
  readonly limit: 'request' | 'perTry' | 'idle' | 'tunnel-idle' | 'grpc-timeout';
  /** Milliseconds; 0: none. */
  readonly ms: number;
  /** '': a default. */
  readonly rule: string;
  readonly at: string;
}

export interface ExplainedEndpoint {
  readonly id: string;
  readonly address: string;
  readonly weight: number;
  /** Requests in flight from the proxy that was asked; null: none was. */
  readonly active: number | null;
  /** By which least-request chooses, the higher of two; null where it is not that, or nobody was asked. */
  readonly score: number | null;
  /** Part of the exchanges that the balancer gives it, 0 to 1. */
  readonly share: number;
}

export interface RetryAnswer {
  readonly after: FailureKind;
  readonly again: boolean;
  readonly reason: RetryReason;
}

/** One cluster that the request may go to. */
export interface Target {
  readonly cluster: string;
  /** Part of such requests, 0 to 1. */
  readonly share: number;
  readonly steps: readonly Step[];
  readonly balancer: Balancer;
  /** null: nobody was asked which there are. */
  readonly endpoints: readonly ExplainedEndpoint[] | null;
  readonly retry: readonly RetryAnswer[];
  /** The first refusal among its steps; null: the app gets it. */
  readonly refused: Refusal | null;
}

export interface Explanation {
  /** Of the snapshot that was asked. */
  readonly snapshot: string;
  readonly request: {
    readonly method: string;
    /** As it was asked for. */
    readonly url: string;
    /** Who calls: a service, or `edge-<name>`; '' where no edge hears it. */
    readonly caller: string;
    readonly authority: string;
    /** Path and query as the next hop gets them; '' where it is bytes. */
    readonly target: string;
  };
  readonly steps: readonly Step[];
  readonly limits: readonly TimeLimit[];
  readonly targets: readonly Target[];
  /** By a step before the targets. */
  readonly refused: Refusal | null;
}
