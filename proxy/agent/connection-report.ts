// What the log hears of the connection to the control plane: a loss once, a return once, however many tries lie
// between them.
import type { Log } from '../../core/kit/log.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { targetOf } from './control-plane-channel.ts';
import type { SessionEnd } from './session.ts';

export class ConnectionReport {
  readonly #log: Log;
  readonly #address: string;
  /** The gRPC status of the loss that was told: another kind of trouble is news. */
  #told: 'connected' | number | null = null;

  constructor(log: Log, address: HostPort) {
    this.#log = log;
    this.#address = targetOf(address);
  }

  connected(): void {
    if (this.#told === 'connected') return;
    this.#told = 'connected';
    this.#log.info({ address: this.#address }, 'connected to the control plane');
  }

  lost({ code, reason }: SessionEnd, hasView: boolean): void {
    if (this.#told === code) return;
    this.#told = code;
    const keeps = hasView ? 'the last view keeps being served' : 'there is no view yet';
    this.#log.warn(
      { code: 'control-plane-unreachable', address: this.#address, reason },
      `no control plane: ${reason}; ${keeps}, trying again`,
    );
  }
}
