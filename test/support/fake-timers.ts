// Time that only a test moves.

export interface FakeTimers {
  now(): number;
  /** Calls once after `ms`; the returned function cancels. */
  after(ms: number, callback: () => void): () => void;
  /** Moves time and runs what has become due, in order. */
  advance(ms: number): void;
  /** Timers that wait. */
  pending(): number;
}

export function fakeTimers(start = 0): FakeTimers {
  let now = start;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  return {
    now: () => now,
    after: (ms, callback) => {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      const end = now + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        now = next.at;
        next.callback();
      }
      now = end;
    },
    pending: () => timers.size,
  };
}
