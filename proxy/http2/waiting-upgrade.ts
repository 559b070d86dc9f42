// A WebSocket that waits for the settings of a new connection, which say whether the server takes one (RFC 8441 §3).
import type { MeshError } from '../../core/kit/error.ts';
import type { RequestHead, Upstream, UpstreamHandler } from '../exchange.ts';

/** It has no body, so there is nothing to keep but whether somebody still wants it. */
export class WaitingUpgrade implements Upstream {
  readonly #head: RequestHead;
  readonly #handler: UpstreamHandler;
  #upstream: Upstream | null = null;
  #cancelled = false;

  constructor(head: RequestHead, handler: UpstreamHandler) {
    this.#head = head;
    this.#handler = handler;
  }

  begin(connection: { request(head: RequestHead, handler: UpstreamHandler): Upstream }): void {
    if (!this.#cancelled) this.#upstream = connection.request(this.#head, this.#handler);
  }

  fail(error: MeshError): void {
    if (!this.#cancelled) this.#handler.onError(error);
  }

  sendData(): boolean {
    return true;
  }

  sendEnd(): void {}

  pause(): void {
    this.#upstream?.pause();
  }

  resume(): void {
    this.#upstream?.resume();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#upstream?.cancel();
  }
}
