// When a proxy tells the control plane how it is: at once what callers depend on, soon what has changed, seldom what
// always changes a little. Thousands of proxies do so on one control plane.

/** What a status says, as three words that are compared. */
export interface StatusWords {
  /** Whether callers may be sent here: `draining`, the app's health. */
  readonly urgent: string;
  /** What changes by an event: certificate, sockets, instances that cannot be reached. */
  readonly state: string;
  /** Requests now and of late. */
  readonly load: string;
}

export interface SentStatus {
  /** In ms, of the clock that `statusDelay` is given. */
  readonly at: number;
  readonly words: StatusWords;
  /** In [0, 1), drawn when it was sent. */
  readonly jitter: number;
}

/** Least time between two statuses whose `state` differs, in ms; up to a fifth is added, so that many do not speak at once. */
export const STATE_GAP = 5_000;
/** The same where only the load differs. */
export const LOAD_GAP = 60_000;

/**
 * How long to wait before `words` are to be sent, in ms; 0: now. Null: they say nothing new.
 *
 * @param last what the control plane has heard on this stream; null: nothing yet
 */
export function statusDelay(last: SentStatus | null, words: StatusWords, now: number): number | null {
  if (last === null || last.words.urgent !== words.urgent) return 0;
  const changed = last.words.state !== words.state;
  if (!changed && last.words.load === words.load) return null;
  const gap = (changed ? STATE_GAP : LOAD_GAP) * (1 + last.jitter / 5);
  // A clock that was set back must not silence it.
  return Math.min(gap, Math.max(0, Math.ceil(last.at + gap - now)));
}
