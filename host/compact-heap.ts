// What a start leaves behind is given back once, at the first quiet moment: source positions, bytecode that ran once,
// half-empty pages, a young generation that had grown. 4–5 MiB of a sidecar; V8 by itself would keep them for good.

export interface QuietParts {
  /** User and system time of the process so far, in µs. */
  readonly cpu: () => number;
  /** Calls once after `ms`. */
  readonly after: (ms: number, call: () => void) => void;
  /** Stops everything for 45 ms of CPU. */
  readonly compact: () => void;
}

const LOOK_EVERY = 2_000;
/** 2 % of a core. */
const QUIET_CPU = LOOK_EVERY * 1_000 * 0.02;
/** Who spent more in µs since it began has warm code, which a compaction would throw away. */
const WARM_CPU = 1_000_000;

/** Compacts once when the process has had nothing to do for 2 s; never where it spent a second on something before. */
export function compactWhenQuiet(parts: QuietParts = ofThisThread()): void {
  const began = parts.cpu();
  const look = (before: number): void => {
    parts.after(LOOK_EVERY, () => {
      const now = parts.cpu();
      if (now - began > WARM_CPU) return;
      if (now - before < QUIET_CPU) parts.compact();
      else look(now);
    });
  };
  look(began);
}

function ofThisThread(): QuietParts {
  return {
    cpu: () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    after: (ms, call) => void setTimeout(call, ms).unref(),
    // Only there with --expose-gc, which is among a proxy's flags.
    compact: () => globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
  };
}
