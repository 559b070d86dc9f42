// For how long an idle connection to an upstream is used again. An upstream closes idle connections after a time of
// its own, and a request that crosses such a close is lost: one that may not be sent twice then fails (503 UC
// elsewhere). So a pool learns that time, from what the upstream says and from what it is seen to do.
import { isIdempotent } from './retry.ts';

/** What is known of one upstream; all times are milliseconds of idleness. */
export interface IdleEvidence {
  /** As in `Keep-Alive: timeout`; -1: it says nothing. */
  readonly announced: number;
  /** The shortest after which it closed a connection by itself; Infinity: none seen. */
  readonly closedAfter: number;
  /** The longest that a connection was still open after. */
  readonly survived: number;
}

export const NO_EVIDENCE: IdleEvidence = { announced: -1, closedAfter: Number.POSITIVE_INFINITY, survived: 0 };

export interface IdleLimits {
  /** Longest idleness before a request that may be sent again elsewhere. */
  readonly repeatable: number;
  /** The same before one that may not. */
  readonly once: number;
}

/** A close on its way takes at most this long, or half of the upstream's time where that is less. */
const MARGIN = 1_000;
/** Nothing is known and nothing needs to be: no server closes between two requests that follow each other so closely. */
const GRACE = 10;
/** An upstream that closes so soon is not trusted with a request that may not be sent twice: a stall of ours is as long. */
const TOO_SHORT = 500;
/** A connection that outlived a close by this factor and this much says that the close had another reason. */
const REFUTED_FACTOR = 2;
const REFUTED_BEYOND = 100;

/** `configured`: what the pool keeps at most. */
export function idleLimits(evidence: IdleEvidence, configured: number): IdleLimits {
  const { announced, closedAfter, survived } = evidence;
  const said = announced < 0 ? Number.POSITIVE_INFINITY : before(announced);
  const repeatable = Math.min(configured, said, before(closedAfter));
  if (closedAfter < TOO_SHORT) return { repeatable, once: 0 };
  // Without a word from the upstream only that much is safe as was seen to be.
  const proven = announced < 0 ? Math.max(GRACE, before(survived)) : said;
  return { repeatable, once: Math.min(repeatable, proven) };
}

/** It answered with this `Keep-Alive: timeout` (ms), or with none (-1). */
export function announcedIdle(evidence: IdleEvidence, timeout: number): IdleEvidence {
  return evidence.announced === timeout ? evidence : { ...evidence, announced: timeout };
}

/** It closed a connection that had been idle for so long. */
export function closedWhileIdle(evidence: IdleEvidence, idle: number): IdleEvidence {
  return idle < evidence.closedAfter ? { ...evidence, closedAfter: idle } : evidence;
}

/** A connection that has been idle for so long was certainly open. A close that came much sooner was no rule then. */
export function openWhileIdle(evidence: IdleEvidence, idle: number): IdleEvidence {
  if (idle <= evidence.survived && idle <= evidence.closedAfter) return evidence;
  const refuted = idle > evidence.closedAfter * REFUTED_FACTOR + REFUTED_BEYOND;
  return {
    ...evidence,
    closedAfter: refuted ? Number.POSITIVE_INFINITY : evidence.closedAfter,
    survived: Math.max(evidence.survived, idle),
  };
}

/** A lost request of this kind is simply sent again; `bodyLength` as in a request head, `kept` what can be sent again. */
export function mayRepeat(method: string, bodyLength: number, kept: number): boolean {
  return bodyLength >= 0 && bodyLength <= kept && isIdempotent(method);
}

/** So much earlier that a close on its way is not met. */
function before(timeout: number): number {
  return Math.max(timeout - MARGIN, timeout / 2);
}
