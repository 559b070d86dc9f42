// Two connections made one after an Upgrade: bytes pass both ways with backpressure until either side
// ends. No request timer runs here; the listener's drain cap ends it at shutdown.
import type { Socket } from 'node:net';
import type { Tunnel } from '../exchange.ts';

export interface SpliceEnd {
  readonly fromDownstream: number;
  readonly fromUpstream: number;
}

/** Calls `onEnd` once, when both connections are closed. */
export function splice(downstream: Tunnel, upstream: Tunnel, onEnd: (end: SpliceEnd) => void): void {
  let open = 2;
  let fromDownstream = 0;
  let fromUpstream = 0;
  const closed = (): void => {
    open -= 1;
    if (open === 0) onEnd({ fromDownstream, fromUpstream });
  };
  relay(downstream.socket, upstream.socket, downstream.early, closed, (bytes) => {
    fromDownstream += bytes;
  });
  relay(upstream.socket, downstream.socket, upstream.early, closed, (bytes) => {
    fromUpstream += bytes;
  });
}

function relay(
  from: Socket,
  to: Socket,
  early: Buffer | null,
  onClose: () => void,
  count: (bytes: number) => void,
): void {
  const pass = (chunk: Buffer): void => {
    count(chunk.length);
    if (!to.writable) return;
    if (!to.write(chunk)) from.pause();
  };
  from.on('data', pass);
  from.on('end', () => {
    to.end();
  });
  // What a broken connection still has to say is not worth more than its close.
  from.on('error', () => {});
  from.on('close', () => {
    // A peer that never ends its side would keep a half-open pair for ever.
    if (from.errored === null) to.destroySoon();
    else to.destroy();
    onClose();
  });
  to.on('drain', () => {
    from.resume();
  });
  if (early !== null) pass(early);
  if (from.closed) onClose();
  else from.resume();
}
