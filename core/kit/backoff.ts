// How long to wait before the next try: longer each time, up to a cap, and spread so that many that failed together
// do not come back together.
import { type Milliseconds, milliseconds } from '../model/brand.ts';

export interface BackoffPolicy {
  /** Upper end of the first wait, in ms. */
  readonly base: number;
  /** No wait is longer, in ms. */
  readonly cap: number;
}

/**
 * Exponential with full jitter: evenly in [0, min(cap, base · 2^failures)).
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 *
 * @param failures tries that failed before this wait, less one: 0 is the first wait
 * @param random in [0, 1)
 */
export function backoffDelay(policy: BackoffPolicy, failures: number, random: number): Milliseconds {
  // 2^31 · base is beyond every cap; beyond it the power would end in Infinity.
  const ceiling = Math.min(policy.cap, policy.base * 2 ** Math.min(failures, 31));
  return milliseconds(Math.floor(random * ceiling));
}
