// Keeps one certificate of a proxy fresh: renews at a third of its life, tries again with backoff for as long as it
// takes, and says once when that begins and once when it is over. What is past its end is said as an error: the
// proxy then refuses what needs it (fails closed).
import { backoffDelay } from '../../core/kit/backoff.ts';
import { describeError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import type { AgentClock } from './agent.ts';
import { renewalDelay, type Lifetime } from './identity-renewal.ts';

export interface CertificateKeeperOptions<Certificate extends Lifetime> {
  /** For the log: `SVID`, `server certificate`. */
  readonly name: string;
  readonly first: Certificate;
  /** Asks for the next one; `current` is what it may prove itself with. */
  readonly renew: (current: Certificate, signal: AbortSignal) => Promise<Certificate>;
  readonly onRenewal: (certificate: Certificate) => void;
  readonly log: Log;
  readonly clock: AgentClock;
}

const BACKOFF = { base: 2_000, cap: 300_000 };

export class CertificateKeeper<Certificate extends Lifetime> {
  readonly #options: CertificateKeeperOptions<Certificate>;
  readonly #abort = new AbortController();
  #current: Certificate;
  #cancel: () => void = () => {};
  #failures = 0;
  #saidExpired = false;

  constructor(options: CertificateKeeperOptions<Certificate>) {
    this.#options = options;
    this.#current = options.first;
  }

  get current(): Certificate {
    return this.#current;
  }

  start(): void {
    const { clock } = this.#options;
    this.#schedule(renewalDelay(this.#current, clock.now(), clock.random()));
  }

  close(): void {
    this.#cancel();
    this.#abort.abort();
  }

  /** Does not wait for the time to come: for an edge whose hosts have changed. */
  renewNow(): void {
    this.#schedule(0);
  }

  #schedule(ms: number): void {
    this.#cancel();
    if (!this.#abort.signal.aborted) this.#cancel = this.#options.clock.after(ms, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { name, renew, onRenewal, log, clock } = this.#options;
    try {
      const next = await renew(this.#current, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      this.#current = next;
      this.#failures = 0;
      this.#saidExpired = false;
      log.info({ notAfter: new Date(next.notAfter).toISOString() }, `${name} renewed`);
      onRenewal(next);
      this.start();
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#complain(error);
      this.#schedule(backoffDelay(BACKOFF, this.#failures, clock.random()));
      this.#failures += 1;
    }
  }

  #complain(error: unknown): void {
    const { name, log, clock } = this.#options;
    const fields = { error: describeError(error), notAfter: new Date(this.#current.notAfter).toISOString() };
    if (clock.now() >= this.#current.notAfter) {
      if (!this.#saidExpired)
        log.error(fields, `${name} has expired and cannot be renewed: join again with a new token`);
      this.#saidExpired = true;
    } else if (this.#failures === 0) {
      log.warn(fields, `${name} cannot be renewed yet`);
    }
  }
}
