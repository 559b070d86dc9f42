// One try of an exchange at one endpoint. It passes on what the client codec says while its exchange
// still listens, and nothing afterwards, so that a late answer of an abandoned try harms nobody.
import { MeshError } from '../../core/kit/error.ts';
import type { EndpointHandle, ResponseHead, Upstream, UpstreamHandler } from '../exchange.ts';
import type { HeaderList } from '../kit/header-list.ts';
import type { Tunnel } from '../kit/tunnel.ts';

export interface AttemptOwner {
  attemptInformational(status: number, headers: HeaderList): void;
  attemptHead(head: ResponseHead): void;
  attemptData(chunk: Buffer): void;
  attemptEnd(trailers: HeaderList | null): void;
  attemptUpgrade(head: ResponseHead, tunnel: Tunnel): void;
  attemptDrain(): void;
  /** `reported`: said by the sidecar behind the connection, which itself is well. */
  attemptError(error: MeshError, reported: boolean): void;
}

export class Attempt implements UpstreamHandler {
  readonly endpoint: EndpointHandle;
  /** Null until the endpoint took the request; a failure may come before. */
  upstream: Upstream | null = null;
  #owner: AttemptOwner | null;
  readonly #fromMesh: boolean;

  constructor(owner: AttemptOwner, endpoint: EndpointHandle, fromMesh: boolean) {
    this.#owner = owner;
    this.endpoint = endpoint;
    this.#fromMesh = fromMesh;
  }

  /** The exchange wants no more of it: an answer that is under way is read to its end and dropped. */
  detach(): void {
    this.#owner = null;
  }

  /** The exchange gives up. */
  cancel(): void {
    this.#owner = null;
    this.upstream?.cancel();
  }

  onInformational(status: number, headers: HeaderList): void {
    this.#owner?.attemptInformational(status, headers);
  }

  onHead(head: ResponseHead): void {
    const owner = this.#owner;
    if (owner === null) return;
    const failure = this.#fromMesh && mayBeFailure(head) ? failureBehind(head) : null;
    if (failure === null) {
      owner.attemptHead(head);
      return;
    }
    this.detach();
    owner.attemptError(failure, true);
  }

  onData(chunk: Buffer): void {
    this.#owner?.attemptData(chunk);
  }

  onEnd(trailers: HeaderList | null): void {
    const owner = this.#owner;
    this.#owner = null;
    owner?.attemptEnd(trailers);
  }

  onUpgrade(head: ResponseHead, tunnel: Tunnel): void {
    const owner = this.#owner;
    this.#owner = null;
    if (owner === null) tunnel.destroy();
    else owner.attemptUpgrade(head, tunnel);
  }

  onDrain(): void {
    this.#owner?.attemptDrain();
  }

  onError(error: MeshError): void {
    const owner = this.#owner;
    this.#owner = null;
    owner?.attemptError(error, false);
  }
}

/** A 503, or as an answer to a gRPC call a 200 without messages. */
function mayBeFailure({ status, bodyLength }: ResponseHead): boolean {
  return status === 503 || (status === 200 && bodyLength === 0);
}

/**
 * What a sidecar says of its app by a marked answer, taken as this endpoint's own failure: connecting
 * failed (`x-weft-unprocessed`), or it was lost before an answer (`x-weft-upstream-closed`).
 */
function failureBehind(head: ResponseHead): MeshError | null {
  if (head.headers.get('x-weft-unprocessed') === '1') {
    return new MeshError('connect-failed', {
      origin: 'upstream',
      unprocessed: true,
      detail: 'the app behind the sidecar could not be reached',
    });
  }
  if (head.headers.get('x-weft-upstream-closed') === '1') {
    return new MeshError('upstream-closed', {
      origin: 'upstream',
      detail: 'the app behind the sidecar closed before it answered',
    });
  }
  return null;
}
