// What became of a try, in the words of core/decide/retry.
import { decideRetry, type FailureKind } from '../../core/decide/retry.ts';
import type { MeshError } from '../../core/kit/error.ts';
import type { ClusterHandle, EndpointHandle, ExchangeRecord } from '../exchange.ts';

export interface FailedTry {
  readonly error: MeshError;
  readonly endpoint: EndpointHandle;
  readonly cluster: ClusterHandle;
  /** The failure came as a marked answer over a live connection, not from our own connection. */
  readonly reported: boolean;
  readonly responseBegan: boolean;
  readonly bodyReplayable: boolean;
}

/** The endpoint for one more try, or null where there must not be one. */
export function nextTry(failed: FailedTry, record: ExchangeRecord): EndpointHandle | null {
  const next = failed.cluster.pick(failed.endpoint);
  if (next === null) return null;
  // A connection of ours that was lost may just have been stale: a fresh one to the same endpoint is another way.
  const stale = failed.error.code === 'upstream-closed' && !failed.reported;
  // Who is slow once is asked once more, if there is nobody else.
  const slow = failed.error.code === 'per-try-timeout';
  const { retry } = decideRetry({
    attempts: record.attempts,
    method: record.method,
    failure: failureKind(failed.error),
    responseBegan: failed.responseBegan,
    bodyReplayable: failed.bodyReplayable,
    alternative: stale || slow || next.id !== failed.endpoint.id,
  });
  return retry ? next : null;
}

function failureKind(error: MeshError): FailureKind {
  if (error.unprocessed) return 'connect';
  const repeatable = error.code === 'upstream-closed' || error.code === 'per-try-timeout';
  return repeatable ? 'lost-before-response' : 'other';
}
