// How one proxy stands with the registry: not there before it runs a view, callable while its app is up and it does
// not drain, and told when nobody calls it any more.
import type { Log } from '../../core/kit/log.ts';
import type { Instance, Place } from '../registry/registry.ts';
import type { Drains } from './drains.ts';
import type { ReportedStatus } from './reported-status.ts';

export interface StandingOptions {
  readonly key: string;
  readonly instance: () => Instance;
  /** `callable`: undefined where it has not said how it is. */
  readonly join: (instance: Instance, callable: boolean | undefined) => Place;
  readonly drains: Drains;
  /** An operator has taken it out. */
  readonly held: () => boolean;
  readonly log: Log;
  /** Nobody calls it any more, or was waited for long enough. */
  readonly onDrained: () => void;
}

export class Standing {
  readonly #options: StandingOptions;
  #place: Place | null = null;
  #status: ReportedStatus | null = null;
  /** Since which number views are without it; null: it may be in them. */
  #outSince: number | null = null;

  constructor(options: StandingOptions) {
    this.#options = options;
  }

  /** null: it has sent none, as older ones do. */
  get status(): ReportedStatus | null {
    return this.#status;
  }

  report(status: ReportedStatus): void {
    const before = this.#status;
    this.#status = status;
    this.#sayHealth(before, status);
    // Out of the views first: whoever acknowledges one that is cut after this does not call it.
    this.#follow();
    if (status.draining && before?.draining !== true) this.#drain();
    else if (!status.draining && !this.#options.held()) this.#options.drains.stop(this.#options.key);
  }

  /** An operator takes it out. `onDone`: with the callers that did not acknowledge in time; not called where it leaves. */
  hold(onDone: (late: readonly string[]) => void): void {
    const { drains, key, instance } = this.#options;
    drains.begin(key, instance(), this.#takeOut(), onDone);
  }

  /** The operator lets it back. */
  release(): void {
    if (this.#status?.draining !== true) this.#options.drains.stop(this.#options.key);
    this.#follow();
  }

  /** It runs a view. */
  join(): void {
    if (this.#place !== null) return;
    const callable = this.#callable();
    this.#place = this.#options.join(this.#options.instance(), callable);
    if (callable === false) this.#outSince = this.#options.drains.mark();
  }

  /** As it says itself and operators want it. */
  #follow(): void {
    if (this.#callable() === false) {
      this.#takeOut();
      return;
    }
    this.#place?.setCallable(true);
    this.#outSince = null;
  }

  /** The number since which views are without it: who has left them before does not leave them anew. */
  #takeOut(): number {
    const left = this.#place?.setCallable(false) ?? false;
    if (left || this.#outSince === null) this.#outSince = this.#options.drains.mark();
    return this.#outSince;
  }

  /** undefined: it has not said how it is. */
  #callable(): boolean | undefined {
    if (this.#options.held()) return false;
    return this.#status === null ? undefined : isCallable(this.#status);
  }

  leave(how: 'lost' | 'left'): void {
    const { drains, key } = this.#options;
    if (how === 'left') drains.left(key);
    else drains.stop(key);
    this.#place?.leave(how);
  }

  #drain(): void {
    const { drains, key, log, onDrained } = this.#options;
    const instance = this.#options.instance();
    const who = { account: instance.account, instance: instance.instance };
    log.info(who, 'the instance drains');
    drains.begin(key, instance, this.#takeOut(), (late) => {
      if (late.length === 0) log.info(who, 'no caller has the instance any more');
      else log.warn({ ...who, late: late.slice(0, 10) }, `${late.length} callers did not acknowledge a drain in time`);
      onDrained();
    });
  }

  #sayHealth(before: ReportedStatus | null, { app, appReason }: ReportedStatus): void {
    const { log } = this.#options;
    const { account, instance } = this.#options.instance();
    const reason = appReason;
    if (app === 'down' && before === null) log.info({ account, instance, reason }, 'the app is not up yet');
    else if (app === 'down' && before?.app !== 'down') log.warn({ account, instance, reason }, 'the app is down');
    else if (app === 'up' && before?.app === 'down') log.info({ account, instance }, 'the app is up');
  }
}

function isCallable({ app, draining }: ReportedStatus): boolean {
  return app !== 'down' && !draining;
}
