// Two tunnels made one: bytes pass both ways with backpressure until either side ends. No request timer runs
// here; the listener's drain cap ends it at shutdown.
import type { Tunnel, TunnelHandler } from '../kit/tunnel.ts';

export interface SpliceEnd {
  readonly fromDownstream: number;
  readonly fromUpstream: number;
  /** Either side broke off. */
  readonly broken: boolean;
}

export interface Splice {
  /** Bytes in both directions so far. */
  readonly passed: number;
  /** Ends it now, on both sides. */
  cut(): void;
}

/** Calls `onEnd` once, when both sides are closed. */
export function splice(downstream: Tunnel, upstream: Tunnel, onEnd: (end: SpliceEnd) => void): Splice {
  const closed = (): void => {
    if (!fromDownstream.closed || !fromUpstream.closed) return;
    const broken = fromDownstream.broken || fromUpstream.broken;
    onEnd({ fromDownstream: fromDownstream.bytes, fromUpstream: fromUpstream.bytes, broken });
  };
  const fromDownstream = new Direction(downstream, upstream, closed);
  const fromUpstream = new Direction(upstream, downstream, closed);
  downstream.start(fromDownstream);
  upstream.start(fromUpstream);
  return {
    get passed() {
      return fromDownstream.bytes + fromUpstream.bytes;
    },
    cut() {
      downstream.destroy();
      upstream.destroy();
    },
  };
}

/** What one side says goes to the other. */
class Direction implements TunnelHandler {
  bytes = 0;
  closed = false;
  broken = false;
  readonly #from: Tunnel;
  readonly #to: Tunnel;
  readonly #onClose: () => void;

  constructor(from: Tunnel, to: Tunnel, onClose: () => void) {
    this.#from = from;
    this.#to = to;
    this.#onClose = onClose;
  }

  onData(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (!this.#to.write(chunk)) this.#from.pause();
  }

  onEnd(): void {
    this.#to.end();
  }

  /** Our own side takes more: the other one may go on. */
  onDrain(): void {
    this.#to.resume();
  }

  onClose(broken: boolean): void {
    this.closed = true;
    this.broken = broken;
    // A peer that never ends its side would keep a half-open pair for ever.
    if (broken) this.#to.destroy();
    else this.#to.close();
    this.#onClose();
  }
}
