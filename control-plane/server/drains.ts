// Instances that drain, and the callers that are waited for: each has to acknowledge a view without the instance
// before the instance is told that nobody calls it any more. Bounded in time, since a caller may be gone for good.
import { clustersOf, type Instance } from '../registry/registry.ts';

/** A caller's stream, as far as drains need it. */
export interface Caller {
  /** Account and instance: the same for the next stream of this proxy. */
  readonly key: string;
  /** It has acknowledged a view cut at or after `epoch`, or has nothing of these clusters. */
  isPast(epoch: number, concerns: (cluster: string) => boolean): boolean;
}

export interface DrainsOptions {
  /** Calls once after `ms`; the returned function cancels. */
  readonly after: (ms: number, callback: () => void) => () => void;
  /** False while callers may still come that are not known yet. */
  readonly settled: () => boolean;
  readonly callers: () => Iterable<Caller>;
  /** Those whose stream was lost a moment ago, and which may call still. */
  readonly lost: () => Iterable<Pick<Instance, 'account' | 'instance'>>;
  /** Whether the view of an account has such a cluster. */
  readonly calls: (account: string, concerns: (cluster: string) => boolean) => boolean;
}

/** How long callers are waited for, in ms. */
export const DRAIN_BOUND = 5_000;

interface Drain {
  readonly epoch: number;
  readonly concerns: (cluster: string) => boolean;
  /** Keys of the callers that are waited for; also of one whose stream was lost, which may come back. */
  readonly waiting: Set<string>;
  readonly finish: (late: readonly string[]) => void;
}

export class Drains {
  readonly #options: DrainsOptions;
  readonly #drains = new Map<string, Drain & { readonly cancel: () => void }>();
  #epoch = 0;

  constructor(options: DrainsOptions) {
    this.#options = options;
  }

  /** Views that are cut from now on have a number of their own as soon as somebody leaves them. */
  get epoch(): number {
    return this.#epoch;
  }

  /** An instance has left the views: the number of those that are cut from now on. */
  mark(): number {
    return ++this.#epoch;
  }

  /**
   * @param epoch the instance is in no view that was cut at this number or later
   * @param onDone called once, with the callers that did not acknowledge in time; not called after `stop`
   */
  begin(key: string, instance: Instance, epoch: number, onDone: (late: readonly string[]) => void): void {
    this.stop(key);
    const clusters: ReadonlySet<string> = new Set(clustersOf(instance));
    // A further port of a service has a cluster of its own, with the same instances.
    const concerns = (cluster: string) => clusters.has(cluster.split(':', 1)[0] ?? '');
    const waiting = new Set<string>();
    for (const caller of this.#options.callers()) {
      if (caller.key !== key && !caller.isPast(epoch, concerns)) waiting.add(caller.key);
    }
    for (const { account, instance: name } of this.#options.lost()) {
      const caller = `${account}/${name}`;
      if (caller !== key && this.#options.calls(account, concerns)) waiting.add(caller);
    }
    const finish = (late: readonly string[]) => {
      this.stop(key);
      onDone(late);
    };
    const cancel = this.#options.after(DRAIN_BOUND, () => finish([...waiting]));
    this.#drains.set(key, { epoch, concerns, waiting, finish, cancel });
    this.check();
  }

  /** It does not drain any more, or is gone. */
  stop(key: string): void {
    this.#drains.get(key)?.cancel();
    this.#drains.delete(key);
  }

  /** This caller has said something or has come. */
  heard(caller: Caller): void {
    for (const [key, { epoch, concerns, waiting }] of this.#drains) {
      if (caller.key === key) continue;
      if (caller.isPast(epoch, concerns)) waiting.delete(caller.key);
      else waiting.add(caller.key);
    }
    this.check();
  }

  /** It said goodbye: it calls nobody. */
  left(key: string): void {
    this.stop(key);
    for (const { waiting } of this.#drains.values()) waiting.delete(key);
    this.check();
  }

  /** Tells those that nobody is waited for any more. */
  check(): void {
    if (!this.#options.settled()) return;
    for (const { waiting, finish } of [...this.#drains.values()]) if (waiting.size === 0) finish([]);
  }

  close(): void {
    for (const key of [...this.#drains.keys()]) this.stop(key);
  }
}
