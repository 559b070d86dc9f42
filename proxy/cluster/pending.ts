// A request whose connection is not there yet: it keeps what is sent until then, and is a plain pointer
// to the real one afterwards.
import type { MeshError } from '../../core/kit/error.ts';
import type { RequestHead, Upstream, UpstreamHandler } from '../exchange.ts';
import { PieceList } from '../kit/buffers.ts';
import type { HeaderList } from '../kit/header-list.ts';
import type { ClientConnection } from './dial.ts';

/** Kept before the sender is told to wait. */
const HIGH_WATER = 65_536;

export class PendingRequest implements Upstream {
  /** Being lost on a stale connection does it no harm. */
  readonly repeatable: boolean;
  readonly #head: RequestHead;
  readonly #handler: UpstreamHandler;
  readonly #onCancel: (pending: PendingRequest) => void;
  #upstream: Upstream | null = null;
  #kept = new PieceList();
  #ended = false;
  #paused = false;
  #trailers: HeaderList | null = null;

  constructor(
    head: RequestHead,
    handler: UpstreamHandler,
    repeatable: boolean,
    onCancel: (pending: PendingRequest) => void,
  ) {
    this.repeatable = repeatable;
    this.#head = head;
    this.#handler = handler;
    this.#onCancel = onCancel;
  }

  get waiting(): boolean {
    return this.#upstream === null;
  }

  connected(connection: ClientConnection): void {
    const upstream = connection.request(this.#head, this.#handler);
    this.#upstream = upstream;
    let ready = true;
    for (const chunk of this.#kept.pieces) ready = upstream.sendData(chunk);
    const waiting = this.#kept.length >= HIGH_WATER;
    this.#kept = new PieceList();
    if (this.#paused) upstream.pause();
    if (this.#ended) upstream.sendEnd(this.#trailers);
    else if (waiting && ready) this.#handler.onDrain();
  }

  failed(error: MeshError): void {
    this.#handler.onError(error);
  }

  sendData(chunk: Buffer): boolean {
    if (this.#upstream !== null) return this.#upstream.sendData(chunk);
    this.#kept.add(chunk);
    return this.#kept.length < HIGH_WATER;
  }

  sendEnd(trailers: HeaderList | null): void {
    if (this.#upstream !== null) {
      this.#upstream.sendEnd(trailers);
      return;
    }
    this.#ended = true;
    this.#trailers = trailers;
  }

  pause(): void {
    this.#paused = true;
    this.#upstream?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#upstream?.resume();
  }

  cancel(): void {
    if (this.#upstream === null) this.#onCancel(this);
    else this.#upstream.cancel();
  }
}
