// Sockets of one user at the same place, by SO_REUSEPORT. Linux spreads connections over all that were bound with it, so
// nobody is to find a place open by accident: it is bound alone first.
import { createServer } from 'node:net';
import type { HostPort } from '../core/model/mesh.ts';

/** Other systems know the option and do not spread, or do not know it. */
export const CAN_SHARE_PORTS = process.platform === 'linux';

/** Rejects with the system's error where anybody has it, shared or not. */
export async function bindAlone({ host, port }: HostPort): Promise<void> {
  const server = createServer();
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen({ host, port, exclusive: true }, done);
  });
  await new Promise((done) => server.close(done));
}
