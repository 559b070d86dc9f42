// Which places others of ours hold: siblings on other threads, and the process that this one takes over from.
import type { HostPort } from '../../core/model/mesh.ts';
import { bindAlone } from '../../host/shared-port.ts';
import type { HeldPort, PortSharing } from '../accept/port-sharing.ts';

export class SharedPorts implements PortSharing {
  readonly #byName = new Map<string, HostPort>();
  #held: readonly HostPort[] = [];

  /** These are held by others of ours now; `own` are names that are bound here already. */
  adopt(ports: readonly HeldPort[], own: ReadonlySet<string>): void {
    this.#held = ports;
    for (const { name, host, port } of ports) if (!own.has(name)) this.#byName.set(name, { host, port });
  }

  placeOf(name: string, address: HostPort): HostPort {
    const real = address.port === 0 ? this.#byName.get(name) : undefined;
    return real === undefined ? address : { host: address.host, port: real.port };
  }

  isHeld(name: string, address: HostPort): boolean {
    const { host, port } = this.placeOf(name, address);
    return (
      port !== 0 &&
      this.#held.some((held) => held.port === port && (held.host === host || isAny(held.host) || isAny(host)))
    );
  }

  async claim(address: HostPort): Promise<void> {
    if (address.port !== 0 && !this.isHeld('', address)) await bindAlone(address);
  }
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
