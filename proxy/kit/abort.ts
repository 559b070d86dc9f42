// How a connection is cut so that the peer sees that something is missing.
import type { Socket } from 'node:net';

/**
 * A TCP reset where that is possible: a plain FIN looks like the proper end of a close-delimited answer.
 * A TLS connection is closed without close_notify, which says the same.
 */
export function abort(socket: Socket): void {
  if (socket.destroyed) return;
  // While its end is under way the system refuses the reset, and Node then never closes the socket.
  if ('encrypted' in socket || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
