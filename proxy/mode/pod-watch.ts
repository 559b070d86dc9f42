// In containers the pod owns the network namespace. A sidecar begins when the pod has announced it, rules and all;
// when the pod came back in another one, this process sits in a namespace without interfaces and has to start anew.

export interface PodWatchOptions {
  /** The namespace that the pod announced; null: none yet. */
  readonly announced: () => Promise<string | null>;
  /** The one that this process lives in. */
  readonly current: () => Promise<string>;
  /** Calls every `ms` until it is cancelled; never while a call is under way. */
  readonly every: (ms: number, look: () => Promise<void>) => () => void;
  /** Called once. */
  readonly onMoved: () => void;
}

const PERIOD = 500;
/** An announcement of an earlier run may lie there until the pod has written its own. */
const MISSES = 4;

export class PodWatch {
  readonly #options: PodWatchOptions;
  readonly #joined = Promise.withResolvers<void>();
  #misses = 0;
  #cancel: (() => void) | null = null;

  constructor(options: PodWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.every(PERIOD, () => this.#look());
  }

  /** The namespace is ready, or the watch was closed. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#joined.resolve();
  }

  async #look(): Promise<void> {
    const [announced, current] = await Promise.all([this.#options.announced(), this.#options.current()]);
    if (announced === current) {
      this.#misses = 0;
      this.#joined.resolve();
    } else if (announced !== null) {
      this.#misses += 1;
      if (this.#misses < MISSES || this.#cancel === null) return;
      this.close();
      this.#options.onMoved();
    }
  }
}

/** With the system's timers; looks at once, then `ms` after each look has ended. */
export function lookEvery(ms: number, look: () => Promise<void>): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  const loop = async (): Promise<void> => {
    await look();
    if (!stopped) timer = setTimeout(() => void loop(), ms);
  };
  void loop();
  return () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
  };
}
