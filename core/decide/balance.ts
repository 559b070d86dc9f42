// Which endpoint of a cluster gets an exchange. State lives in typed arrays that the caller owns, one element per
// endpoint, so that the same code runs over private and over shared memory.
//
// In all three, `usable` has 1 where an endpoint may be picked, and `previous` is the endpoint that the last try went to
// (-1: none), which is picked only where no other is usable. They return an index, or -1 where none is usable.
import type { BalancePolicy } from '../model/mesh.ts';

export type Balancer = 'least-request' | 'smooth-weighted' | 'round-robin';

/** Which of the three a cluster's policy means, with endpoints of these weights. */
export function balancerOf(policy: BalancePolicy, weights: ArrayLike<number>): Balancer {
  if (policy === 'least-request') return 'least-request';
  for (let i = 1; i < weights.length; i++) if (weights[i] !== weights[0]) return 'smooth-weighted';
  return 'round-robin';
}

/** Plain turn-taking. `cursor` has one element: the index after the one picked last. */
export function roundRobin(cursor: Uint32Array, usable: Uint8Array, previous: number): number {
  const count = usable.length;
  let index = (cursor[0] as number) % (count || 1);
  for (let step = 0; step < count; step++) {
    const here = index;
    index = index + 1 === count ? 0 : index + 1;
    if (usable[here] !== 1 || here === previous) continue;
    cursor[0] = index;
    return here;
  }
  return onlyPrevious(usable, previous);
}

/**
 * Turn-taking by weight, spread evenly instead of in bursts: over a sum-of-weights picks each endpoint gets exactly its
 * weight. `current` begins at 0. Source: nginx, ngx_http_upstream_round_robin (smooth weighted round robin).
 */
export function smoothWeighted(
  weights: Uint32Array,
  current: Float64Array,
  usable: Uint8Array,
  previous: number,
): number {
  let total = 0;
  let best = -1;
  for (let i = 0; i < usable.length; i++) {
    if (usable[i] !== 1 || i === previous) continue;
    const weight = weights[i] as number;
    const raised = (current[i] as number) + weight;
    current[i] = raised;
    total += weight;
    if (best === -1 || raised > (current[best] as number)) best = i;
  }
  if (best === -1) return onlyPrevious(usable, previous);
  current[best] = (current[best] as number) - total;
  return best;
}

/** What least-request goes by, the more the better: weight per request in flight, the next one included. */
export function requestScore(weight: number, active: number): number {
  return weight / (active + 1);
}

/**
 * Two different endpoints by chance, the one with the higher `requestScore`. On a tie the
 * first drawn. Source: Envoy, least request load balancer (power of two choices).
 *
 * @param active requests in flight, per endpoint
 * @param random1 in [0, 1)
 * @param random2 in [0, 1), independent of the first
 */
export function leastRequest(
  weights: Uint32Array,
  active: Uint32Array,
  usable: Uint8Array,
  previous: number,
  random1: number,
  random2: number,
): number {
  let count = 0;
  for (let i = 0; i < usable.length; i++) if (usable[i] === 1 && i !== previous) count++;
  if (count === 0) return onlyPrevious(usable, previous);
  const place1 = Math.floor(random1 * count);
  const first = nth(usable, previous, place1);
  if (count === 1) return first;
  const drawn = Math.floor(random2 * (count - 1));
  const second = nth(usable, previous, drawn < place1 ? drawn : drawn + 1);
  const score1 = requestScore(weights[first] as number, active[first] as number);
  const score2 = requestScore(weights[second] as number, active[second] as number);
  return score2 > score1 ? second : first;
}

function nth(usable: Uint8Array, previous: number, place: number): number {
  let left = place;
  for (let i = 0; i < usable.length; i++) {
    if (usable[i] !== 1 || i === previous) continue;
    if (left === 0) return i;
    left--;
  }
  return -1;
}

function onlyPrevious(usable: Uint8Array, previous: number): number {
  return previous >= 0 && previous < usable.length && usable[previous] === 1 ? previous : -1;
}
