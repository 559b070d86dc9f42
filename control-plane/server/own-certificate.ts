// Looks after the control plane's own certificate while its ports are open: at half of its life the ports are
// given a new one, and open connections live on.
import { describeError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import type { ControlPlaneIdentity, ControlPlaneIdentitySource } from '../../certs/authority/control-plane-identity.ts';

const CHECK_EVERY = 15 * 60_000;

export interface OwnCertificateOptions {
  readonly source: ControlPlaneIdentitySource;
  /** Called with each new one; `setIdentity` of the servers. */
  readonly onRenewal: (identity: ControlPlaneIdentity) => void;
  readonly log: Log;
  /** Milliseconds between looks; default 15 minutes. */
  readonly checkEvery?: number;
}

export class OwnCertificate {
  readonly #options: OwnCertificateOptions;
  #current: ControlPlaneIdentity | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: OwnCertificateOptions) {
    this.#options = options;
  }

  /** The first one. Throws MeshError `authority-expired`. */
  async start(): Promise<ControlPlaneIdentity> {
    const identity = await this.#options.source.current();
    this.#current = identity;
    this.#timer = setInterval(() => void this.#refresh(), this.#options.checkEvery ?? CHECK_EVERY);
    this.#timer.unref();
    return identity;
  }

  /** End of the one in use, in ms since 1970; 0: not started. */
  get notAfter(): number {
    return this.#current?.notAfter ?? 0;
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #refresh(): Promise<void> {
    const { source, onRenewal, log } = this.#options;
    try {
      const identity = await source.current();
      if (identity === this.#current) return;
      this.#current = identity;
      onRenewal(identity);
      log.info({ notAfter: new Date(identity.notAfter).toISOString() }, 'own certificate renewed');
    } catch (error) {
      log.error({ error: describeError(error) }, 'own certificate cannot be renewed');
    }
  }
}
