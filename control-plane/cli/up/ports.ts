// Free loopback ports for the processes of `weft up`. They lie below the range from which systems take the source
// ports of connections, so that a port stays free while its process is being restarted.
import { createServer } from 'node:net';
import { MeshError } from '../../../core/kit/error.ts';
import { bindError } from '../../../host/admin.ts';

const FIRST = 20_000;
const COUNT = 12_000;
const TRIES = 200;

/** Gives every purpose one port and keeps it for as long as `weft up` runs. */
export class PortBook {
  readonly #random: () => number;
  readonly #ports = new Map<string, number>();
  readonly #taken = new Set<number>();

  /** `random` in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The port of this purpose, `orders-v1-1/app`; the same one each time. */
  async port(purpose: string): Promise<number> {
    const known = this.#ports.get(purpose);
    if (known !== undefined) return known;
    for (let i = 0; i < TRIES; i += 1) {
      const port = FIRST + Math.floor(this.#random() * COUNT);
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if ((await tryBind('127.0.0.1', port)) !== null) continue;
      this.#ports.set(purpose, port);
      return port;
    }
    throw new MeshError('address-in-use', { detail: `no free port between ${FIRST} and ${FIRST + COUNT}` });
  }

  /** Lets another purpose have it. */
  release(purpose: string): void {
    const port = this.#ports.get(purpose);
    if (port !== undefined) this.#taken.delete(port);
    this.#ports.delete(purpose);
  }
}

/** Why an address cannot be bound now, or null. */
export function tryBind(host: string, port: number): Promise<MeshError | null> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', (cause) => done(bindError(cause, `${host}:${port}`)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(null)));
  });
}
