// When a proxy that starts serves the view that it ran before: as soon as the control plane is known to be away, or is
// slow. A control plane that answers is preferred, and neither waits for the other.
import { describeError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import type { ApplyView, AgentClock } from './agent.ts';
import { NO_HOLDINGS, type Holdings } from './holdings.ts';
import type { KeptView, ViewStore } from './view-file.ts';

export interface LastViewOptions {
  readonly store: ViewStore;
  readonly clock: AgentClock;
  readonly log: Log;
  readonly apply: ApplyView;
  /** Whether the control plane has accepted the stream: then its view is on its way. */
  readonly connected: () => boolean;
}

/** For a control plane that has not accepted the stream yet, in ms. */
const PATIENCE = 300;
/** In all, for one that has. */
const LONG_PATIENCE = 900;

export class LastView {
  readonly #options: LastViewOptions;
  #loading: Promise<KeptView | null> = Promise.resolve(null);
  #serving: Promise<void> | null = null;
  #served: KeptView | null = null;
  #dropped = false;
  #cancel: () => void = () => {};

  constructor(options: LastViewOptions) {
    this.#options = options;
  }

  begin(): void {
    const { store, clock, connected } = this.#options;
    this.#loading = store.load();
    this.#cancel = clock.after(PATIENCE, () => {
      if (!connected()) return void this.serve();
      this.#cancel = clock.after(LONG_PATIENCE - PATIENCE, () => void this.serve());
    });
  }

  /** There is nothing better now. Resolves when it runs, or cannot. */
  serve(): Promise<void> {
    this.#cancel();
    this.#serving ??= this.#serve();
    return this.#serving;
  }

  /** A view of the control plane is about to be applied. Resolves when nothing else is. */
  async hold(): Promise<void> {
    this.#cancel();
    await this.#serving;
  }

  /** A view of the control plane runs: never again. */
  drop(): void {
    this.close();
    this.#served = null;
  }

  close(): void {
    this.#cancel();
    this.#dropped = true;
  }

  /** Null: it does not run. */
  get served(): KeptView | null {
    return this.#served;
  }

  /** What runs, for the control plane to send the difference to. */
  get holdings(): Holdings {
    return this.#served?.holdings ?? NO_HOLDINGS;
  }

  async #serve(): Promise<void> {
    const { log, clock, apply } = this.#options;
    const kept = await this.#loading;
    if (kept === null || this.#dropped) return;
    const { snapshot } = kept.view;
    try {
      const applied = await apply(kept.view, 'disk');
      if (!applied.ok) return log.warn({ snapshot }, `the kept view cannot be served: ${applied.error.message}`);
    } catch (error) {
      return log.warn({ snapshot }, `the kept view cannot be served: ${describeError(error)}`);
    }
    if (this.#dropped) return;
    this.#served = kept;
    const ageSeconds = Math.max(0, Math.round((clock.now() - kept.confirmedAt) / 1_000));
    log.warn({ snapshot, ageSeconds }, 'serving the view that was kept on disk until the control plane is there');
  }
}
