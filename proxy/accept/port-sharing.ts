// Several sockets at one place: those of worker threads, and those of a process and the one that takes over from it.
// Linux spreads connections over all that were bound with SO_REUSEPORT by the same user. Nobody else is to find such a
// place open by accident, so a place that none of ours holds is first bound alone.
import { createServer } from 'node:net';
import type { HostPort } from '../../core/model/mesh.ts';

export interface PortSharing {
  /** Where to bind: with the real port, where one of ours has it and 0 is asked for. */
  placeOf(name: string, address: HostPort): HostPort;
  /** One of ours has it: binding beside it is meant. */
  isHeld(address: HostPort): boolean;
}

/** A place that one of ours holds, under the name of its listener. */
export interface HeldPort extends HostPort {
  readonly name: string;
}

/** Other systems know the option and do not spread, or do not know it. */
export const CAN_SHARE_PORTS = process.platform === 'linux';

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

  isHeld({ host, port }: HostPort): boolean {
    return this.#held.some((held) => held.port === port && (held.host === host || isAny(held.host) || isAny(host)));
  }
}

/** Rejects with the system's error where anybody has it. */
export async function bindAlone({ host, port }: HostPort): Promise<void> {
  const server = createServer();
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, done);
  });
  await new Promise((done) => server.close(done));
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
