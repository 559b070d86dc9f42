// Small parts of starting and stopping: what to close in which order, and work that is asked for many times in
// one turn and done once after it.

/** What was opened last is closed first. */
export class Closers {
  readonly #closers: (() => void | Promise<void>)[] = [];

  add(closer: () => void | Promise<void>): void {
    this.#closers.push(closer);
  }

  /** Closes everything once; a second call finds nothing left. */
  async close(): Promise<void> {
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) await closer();
  }
}

/** `ask` as often as you like: `work` runs once, at the end of the turn. */
export function coalesce(work: () => void): { readonly ask: () => void; readonly cancel: () => void } {
  let asked: NodeJS.Immediate | null = null;
  return {
    ask: () => {
      asked ??= setImmediate(() => {
        asked = null;
        work();
      });
    },
    cancel: () => {
      if (asked !== null) clearImmediate(asked);
      asked = null;
    },
  };
}
