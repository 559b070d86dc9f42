// Whether the app beside a sidecar counts as up, from one answer after the other, and when it is asked again.
import type { HealthCheck } from '../model/health.ts';

export interface HealthState {
  /** starting: it has not answered yet. To callers it is down; to those who read the log it is not broken. */
  readonly health: 'starting' | 'up' | 'down';
  /** Answers in a row that say otherwise than `health`. */
  readonly against: number;
}

export const STARTING: HealthState = { health: 'starting', against: 0 };

/** The longest between two questions to an app that is not up, or whose last answer was missing; in ms. */
export const SOON = 250;

/** `answered`: as the check wants it. The first answer of all is enough (source: Envoy's health checking). */
export function afterProbe(state: HealthState, answered: boolean, check: HealthCheck): HealthState {
  const { health, against } = state;
  const agrees = answered === (health === 'up') && health !== 'starting';
  if (agrees) return against === 0 ? state : { health, against: 0 };
  const needed = answered ? (health === 'starting' ? 1 : check.healthy) : check.unhealthy;
  if (against + 1 < needed) return { health, against: against + 1 };
  return { health: answered ? 'up' : 'down', against: 0 };
}

/** Milliseconds from an answer to the next question. */
export function nextProbeIn(state: HealthState, check: HealthCheck): number {
  return state.health === 'up' && state.against === 0 ? check.interval : Math.min(check.interval, SOON);
}
