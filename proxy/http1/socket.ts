// How a connection is cut so that the peer sees that something is missing.
import type { Socket } from 'node:net';

/**
 * A TCP reset where that is possible: a plain FIN looks like the proper end of a close-delimited answer.
 * A TLS connection is closed without close_notify, which says the same.
 */
export function abort(socket: Socket): void {
  if (socket.destroyed) return;
  if ('encrypted' in socket) socket.destroy();
  else socket.resetAndDestroy();
}
