// Asks the app beside this sidecar again and again whether it can take calls, and says when that changes.
import { afterProbe, type HealthState, nextProbeIn, STARTING } from '../../core/decide/health.ts';
import type { Log } from '../../core/kit/log.ts';
import type { AppFacts } from '../../core/model/health.ts';
import type { Probe, ProbeTarget } from './probe.ts';

export interface AppHealthOptions {
  readonly probe: Probe;
  /** Calls once after `ms`; the returned function cancels. */
  readonly after: (ms: number, callback: () => void) => () => void;
  readonly log: Log;
  /** What `facts` says has changed. */
  readonly onChange: () => void;
}

/** Longest that `follow` waits for the first answer, in ms: an app that does not accept says so at once. */
const FIRST_ANSWER = 300;

export class AppHealth {
  readonly #options: AppHealthOptions;
  #target: ProbeTarget | null = null;
  #state: HealthState = STARTING;
  #reason = '';
  /** Which chain of questions is in force. */
  /** It has been up. */
  #answered = false;
  #turn = 0;
  #cancel: () => void = () => {};

  constructor(options: AppHealthOptions) {
    this.#options = options;
  }

  /** Null: there is none to ask. */
  get facts(): AppFacts | null {
    const target = this.#target;
    if (target === null) return null;
    if (this.#state.health === 'up') return { health: 'up', reason: '' };
    const { host, port } = target.address;
    const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return { health: 'down', reason: `${place}: ${this.#reason || 'not asked yet'}` };
  }

  /** Asks this target from now on; null: nobody. Resolves with its first answer, or after a moment. */
  async follow(target: ProbeTarget | null): Promise<void> {
    if (sameTarget(this.#target, target)) return;
    const before = this.#target;
    this.#target = target;
    const turn = this.#stop();
    if (target === null || before === null) this.#state = STARTING;
    if (target === null) return this.#options.onChange();
    const first = this.#ask(target, turn);
    const moment = Promise.withResolvers<void>();
    const giveUp = this.#options.after(FIRST_ANSWER, moment.resolve);
    await Promise.race([first, moment.promise]);
    giveUp();
  }

  /** Whether nobody listens where the app did; asked anew. For a proxy that stays until its app has ended. */
  async isGone(): Promise<boolean> {
    const target = this.#target;
    if (target === null) return false;
    const reason = await this.#options.probe({ ...target, check: { ...target.check, path: null } });
    return reason === 'nobody listens';
  }

  close(): void {
    this.#stop();
  }

  /** The next turn, in which nothing of the ones before counts. */
  #stop(): number {
    this.#cancel();
    return ++this.#turn;
  }

  async #ask(target: ProbeTarget, turn: number): Promise<void> {
    const reason = await this.#options.probe(target);
    if (turn !== this.#turn) return;
    const before = this.facts;
    const { health } = this.#state;
    this.#state = afterProbe(this.#state, reason === '', target.check);
    if (reason !== '' || this.#state.health === 'up') this.#reason = reason;
    if (health !== this.#state.health) this.#say(target);
    const now = this.facts;
    if (before?.health !== now?.health || before?.reason !== now?.reason) this.#options.onChange();
    this.#cancel = this.#options.after(nextProbeIn(this.#state, target.check), () => void this.#ask(target, turn));
  }

  #say({ address: { host, port } }: ProbeTarget): void {
    const { log } = this.#options;
    const fields = { app: `${host}:${port}` };
    if (this.#state.health === 'up') {
      this.#answered = true;
      log.info(fields, 'the app answers');
      return;
    }
    const reason = this.#reason;
    // An app that is starting is no trouble.
    if (this.#answered) log.warn({ ...fields, reason }, `the app does not answer: ${reason}`);
    else log.info({ ...fields, reason }, `the app does not answer yet: ${reason}`);
  }
}

function sameTarget(a: ProbeTarget | null, b: ProbeTarget | null): boolean {
  if (a === null || b === null) return a === b;
  const { path, interval, timeout, healthy, unhealthy } = a.check;
  const { address, protocol, check } = b;
  return (
    a.address.host === address.host &&
    a.address.port === address.port &&
    a.protocol === protocol &&
    path === check.path &&
    interval === check.interval &&
    timeout === check.timeout &&
    healthy === check.healthy &&
    unhealthy === check.unhealthy
  );
}
