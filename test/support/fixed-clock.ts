// A clock that stands still until it is moved.

export interface FixedClock {
  (): number;
  advance(ms: number): void;
}

/** Begins at a fixed moment of 2026, or at `start`; milliseconds since 1970. */
export function fixedClock(start = Date.UTC(2026, 10, 22, 12, 0, 0)): FixedClock {
  let now = start;
  return Object.assign(() => now, {
    advance: (ms: number) => {
      now += ms;
    },
  });
}
