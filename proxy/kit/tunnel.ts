// Bytes both ways between a proxy and one peer, whatever carries them: what is left of a connection after an
// Upgrade, an extended CONNECT stream, or plain TCP. Two of them are spliced by forward/splice.ts.

/** What a tunnel tells its owner; never from within a call of the owner, except for early bytes in `start`. */
export interface TunnelHandler {
  onData(chunk: Buffer): void;
  /** The peer has said everything; it may still listen. */
  onEnd(): void;
  /** After `write` said no. */
  onDrain(): void;
  /** The last call there is. `broken`: not by an end in order, something may be missing. */
  onClose(broken: boolean): void;
}

export interface Tunnel {
  /** Once: bytes that were read too early come first. Nothing is passed on before. */
  start(handler: TunnelHandler): void;
  /** False: stop until `onDrain`. After the end it takes everything and does nothing. */
  write(chunk: Buffer): boolean;
  /** Ends our side after what was written; the peer may go on. */
  end(): void;
  /** Ends both sides after what was written. */
  close(): void;
  /** Cuts it, so that the peer can see that something is missing where its protocol can say so. */
  destroy(): void;
  pause(): void;
  resume(): void;
}
