// The client's side of a TCP connection before there is an upstream: what it says ahead of its bytes, and how it is
// told that there will be none.
import type { Socket } from 'node:net';
import type { MeshError } from '../../core/kit/error.ts';
import { abort } from '../kit/abort.ts';
import type { ProxiedPair } from '../kit/proxy-protocol.ts';
import { SocketTunnel } from '../kit/socket-tunnel.ts';
import type { Tunnel } from '../kit/tunnel.ts';

/** What is known of a connection before its first byte goes on. */
export interface Opening {
  /** The name that TLS asks for where it is passed through; null: nobody looked. */
  readonly serverName: string | null;
  /** Whose connection it was before other proxies; null: this one is the first. */
  readonly pair: ProxiedPair | null;
}

export interface OpeningHandler {
  /** Once, possibly from within `begin`. */
  onOpening(opening: Opening): void;
  /** Instead of `onOpening` or after it: it cannot be served. */
  onFailed(error: MeshError): void;
  /** It went away before `accept` or `refuse`. `probe`: it only looked whether somebody is here. */
  onGone(probe: boolean): void;
}

export interface TcpDownstream {
  begin(handler: OpeningHandler): void;
  /** There is an upstream: from now on its bytes belong to the tunnel. `onBroken`: why it breaks off, where that is known. */
  accept(onBroken: (reason: string) => void): Tunnel;
  /** No byte of an upstream was or will be sent. */
  refuse(error: MeshError): void;
}

/** A client on plain TCP, or on TLS that was ended here. Nothing of it is waited for, or passed on, before it is accepted: a server may speak first. */
export class PlainDownstream implements TcpDownstream {
  readonly #socket: Socket;
  #onGone: (() => void) | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', ignore);
  }

  begin(handler: OpeningHandler): void {
    this.#onGone = () => handler.onGone(false);
    this.#socket.on('close', this.#onGone);
    handler.onOpening({ serverName: null, pair: null });
  }

  accept(): Tunnel {
    this.#letGo();
    return new SocketTunnel(this.#socket, null);
  }

  refuse(_error: MeshError): void {
    this.#letGo();
    abort(this.#socket);
  }

  #letGo(): void {
    if (this.#onGone !== null) this.#socket.off('close', this.#onGone);
    this.#onGone = null;
  }
}

function ignore(): void {}
