// Whether a failed try is followed by another one: only where the request provably was not processed, or where
// doing it twice is the same as doing it once.

/** What became of a try. */
export type FailureKind =
  /** No byte of the request reached an app: connecting or the handshake failed, or the peer's proxy says so. */
  | 'connect'
  /** The request may have arrived; the connection ended, or the time of one try, before the first byte of an answer. */
  | 'lost-before-response'
  /** Anything else: a time-out, an invalid answer, a cancelled exchange. */
  | 'other';

export interface RetryInput {
  /** Tries made so far, the failed one included. */
  readonly attempts: number;
  /** As sent. */
  readonly method: string;
  readonly failure: FailureKind;
  /** A byte of an answer, informational ones included, has gone to the client. */
  readonly responseBegan: boolean;
  /** The body has not begun, or all of it that came so far is still held. */
  readonly bodyReplayable: boolean;
  /** Another endpoint is there, or a fresh connection to the same one where a pooled one was stale. */
  readonly alternative: boolean;
}

export type RetryReason =
  | 'not-processed'
  | 'idempotent'
  | 'attempts-used'
  | 'response-began'
  | 'body-gone'
  | 'no-alternative'
  | 'not-idempotent'
  | 'not-retryable';

export interface RetryDecision {
  readonly retry: boolean;
  readonly reason: RetryReason;
}

/** Bytes of a request body up to which it can be sent again. Source: Linkerd, 64 KiB. */
export const REPLAY_BYTES = 65_536;

/** Tries in all; Envoy's default of one retry. */
export const MAX_ATTEMPTS = 2;

const decision = (retry: boolean, reason: RetryReason): RetryDecision => ({ retry, reason });
const NOT_PROCESSED = decision(true, 'not-processed');
const IDEMPOTENT = decision(true, 'idempotent');
const ATTEMPTS_USED = decision(false, 'attempts-used');
const RESPONSE_BEGAN = decision(false, 'response-began');
const BODY_GONE = decision(false, 'body-gone');
const NO_ALTERNATIVE = decision(false, 'no-alternative');
const NOT_IDEMPOTENT = decision(false, 'not-idempotent');
const NOT_RETRYABLE = decision(false, 'not-retryable');

export function decideRetry(input: RetryInput): RetryDecision {
  if (input.responseBegan) return RESPONSE_BEGAN;
  if (input.failure === 'other') return NOT_RETRYABLE;
  if (input.failure === 'lost-before-response' && !isIdempotent(input.method)) return NOT_IDEMPOTENT;
  if (input.attempts >= MAX_ATTEMPTS) return ATTEMPTS_USED;
  if (!input.bodyReplayable) return BODY_GONE;
  if (!input.alternative) return NO_ALTERNATIVE;
  return input.failure === 'connect' ? NOT_PROCESSED : IDEMPOTENT;
}

/** Source: RFC 9110 §9.2.2; an unknown method is not. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
    case 'TRACE':
    case 'PUT':
    case 'DELETE':
      return true;
    default:
      return false;
  }
}
