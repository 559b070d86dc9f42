// How a sidecar finds out whether the app beside it can take calls.
import { milliseconds, type Milliseconds } from './brand.ts';

export interface HealthCheck {
  /** Of a GET that has to be answered with 2xx or 3xx; null: a TCP connection is enough. */
  readonly path: string | null;
  /** Between one answer and the next question. */
  readonly interval: Milliseconds;
  readonly timeout: Milliseconds;
  /** Answers in a row after which an app that was down is up; the first one of all is enough. */
  readonly healthy: number;
  /** Failures in a row after which an app that was up is down. */
  readonly unhealthy: number;
}

/** Source: a Kubernetes readiness probe (1 s, 1 success, 3 failures), with the interval of NGINX Plus, 5 s. */
export const DEFAULT_HEALTH: HealthCheck = {
  path: null,
  interval: milliseconds(5_000),
  timeout: milliseconds(1_000),
  healthy: 1,
  unhealthy: 3,
};

/** What a sidecar knows of its app. */
export interface AppFacts {
  readonly health: 'up' | 'down';
  /** Why it is down, in words; '' while it is up. */
  readonly reason: string;
}

/** What may be asked for. */
export const HEALTH_BOUNDS = {
  /** Origin-form (RFC 9112 §3.2.1): visible ASCII, and no fragment. */
  path: /^\/[!"$-~]*$/,
  /** Milliseconds. */
  interval: { least: 100, most: 3_600_000 },
  timeout: { least: 10, most: 60_000 },
  times: { least: 1, most: 100 },
} as const;
