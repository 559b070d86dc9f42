// Puts views into force, one at a time, and tries sockets again whose place another program had.
import type { Result } from '../../core/kit/result.ts';
import type { View } from '../../core/model/view.ts';
import type { AgentClock, Refusal, ViewOrigin } from '../agent/agent.ts';
import type { DataPath } from './data-path.ts';

export interface ViewRunnerOptions {
  readonly path: Pick<DataPath, 'apply' | 'report' | 'view'>;
  readonly clock: Pick<AgentClock, 'after'>;
  /** A view is in force, the first one or another; or a socket of it was bound that had not been. */
  readonly onApplied: () => void;
}

const TRY_AGAIN_AFTER = 2_000;
/** Endpoints of a view that was kept may be no more, and its proxy is waited for. */
const KEPT_WARM_LIMIT = 400;

export class ViewRunner {
  readonly #options: ViewRunnerOptions;
  #last: Promise<unknown> = Promise.resolve();
  #cancel: () => void = () => {};
  #closed = false;

  constructor(options: ViewRunnerOptions) {
    this.#options = options;
  }

  /** After the one before it, whoever asked for that. */
  apply(view: View, origin: ViewOrigin = 'control-plane'): Promise<Result<void, Refusal>> {
    return this.#queue(() => view, origin);
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #queue(view: () => View, origin: ViewOrigin): Promise<Result<void, Refusal>> {
    const applied = this.#last.then(() => this.#apply(view(), origin));
    this.#last = applied.catch(() => {});
    return applied;
  }

  async #apply(view: View, origin: ViewOrigin): Promise<Result<void, Refusal>> {
    const { path, clock, onApplied } = this.#options;
    this.#cancel();
    const applied = await path.apply(view, origin === 'disk' ? KEPT_WARM_LIMIT : undefined);
    if (applied.ok) onApplied();
    if (path.report.unbound.length > 0 && !this.#closed)
      this.#cancel = clock.after(TRY_AGAIN_AFTER, () => this.#tryAgain(view));
    return applied;
  }

  /** The view that is in force when its turn comes. */
  #tryAgain(view: View): void {
    this.#queue(() => this.#options.path.view ?? view, 'control-plane').catch(() => {});
  }
}
