// What the log hears of the connection to the control plane: a loss once, a return once, however many tries lie
// between them.
import type { Log } from '../../core/kit/log.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { formatAddress } from '../../host/setting-kinds.ts';
import type { SessionEnd } from './session.ts';

/** gRPC FAILED_PRECONDITION. */
const NOT_CONFIGURED = 9;
/** gRPC ABORTED: a process of the same instance opened a stream, as one does that takes over from this one. */
export const REPLACED = 10;

export class ConnectionReport {
  readonly #log: Log;
  /** The gRPC status of the loss that was told: another kind of trouble is news. */
  #told: 'connected' | number | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  connected(address: HostPort): void {
    if (this.#told === 'connected') return;
    this.#told = 'connected';
    this.#log.info({ address: formatAddress(address) }, 'connected to the control plane');
  }

  /** `address`: whose connection was lost, or did not come about. */
  lost({ code, reason: details }: SessionEnd, hasView: boolean, address: HostPort): void {
    if (this.#told === code) return;
    this.#told = code;
    const reason = plainReason(details);
    const keeps = hasView ? 'the last view keeps being served' : 'there is no view yet';
    const fields = { code: 'control-plane-unreachable', address: formatAddress(address), reason };
    // Nothing is wrong where that one takes over from this one.
    if (code === REPLACED) {
      this.#log.info(
        { address: fields.address, reason },
        'another process of this instance speaks to the control plane now',
      );
      // The control plane is there; it is the configuration that lacks this service.
    } else if (code === NOT_CONFIGURED) {
      this.#log.warn(fields, `no view from the control plane: ${reason} (add it there); ${keeps}, trying again`);
    } else {
      this.#log.warn(fields, `no control plane: ${reason}; ${keeps}, trying again`);
    }
  }
}

/** Why a stream of this proxy was not opened, in plain words. */
export function plainReason(details: string): string {
  const reason = unwrapped(details);
  // TLS 1.3: a client learns that its certificate was refused only after its own handshake is done.
  if (reason.startsWith('Failed to connect')) return 'it closed the connection; it may not know our certificate';
  if (reason.includes('self-signed certificate')) return 'what answers there is of another certificate authority';
  return reason;
}

/** What the gRPC library says about a connection that was not made, without what it says around it. */
export function unwrapped(details: string): string {
  const wrapped = /^No connection established\. Last error: (?:Error: )?(.*?)\.? Resolution note: .*$/s.exec(details);
  const reason = wrapped?.[1] ?? details;
  if (reason === 'certificate is not yet valid')
    return 'its certificate is not valid yet: a clock is wrong, here or there';
  if (reason === 'certificate has expired')
    return 'its certificate has expired: it was not renewed, or a clock is wrong';
  return reason.replace('Name resolution failed for target dns:', 'no address is known for ');
}
