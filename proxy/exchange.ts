// The contracts between the stages of the data path, neutral to the codec. A stage folder knows these
// and proxy/kit, never another stage; assemble.ts joins them. Plain objects and methods called in both
// directions, no promises and no streams: this is the hot path.
//
//   accept → tls → server codec ──RequestListener──▶ forward ──ClusterHandle/EndpointHandle──▶ client codec
//                  server codec ◀───Downstream────── forward ◀──────UpstreamHandler─────────── client codec
//
// A chunk of a body has one holder: `onData` and `sendData` give it away, once and whole. Who keeps it beside that, or
// passes on several parts of it, says so by `hold` (kit/slab.ts): its memory is read into again when it was written.
import type { GrpcForm } from '../core/decide/grpc.ts';
import type { Socket } from 'node:net';
import type { MeshError } from '../core/kit/error.ts';
import type { RuleId, SpiffeId } from '../core/model/brand.ts';
import type { Cluster } from '../core/model/view.ts';
import type { HeaderList } from './kit/header-list.ts';
import type { Tunnel } from './kit/tunnel.ts';

/** What is known about a downstream connection; made once by accept and tls. */
export interface ConnectionInfo {
  /** Name of the Listener resource that accepted it. */
  readonly listener: string;
  /** Proven by mutual TLS; null on plaintext and where no client certificate is asked for. */
  readonly peer: SpiffeId | null;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly scheme: 'http' | 'https';
  /** SNI; '' where there is none. */
  readonly serverName: string;
}

export interface RequestHead {
  /** As sent: methods are case-sensitive (RFC 9110 §9.1). */
  method: string;
  /** Path and query as sent, origin-form (absolute-form is reduced to it); `*` for OPTIONS. */
  target: string;
  /** The Host field, or the authority of absolute-form or `:authority`. */
  authority: string;
  readonly scheme: 'http' | 'https';
  /** Major × 10 + minor: 10, 11, 20. */
  readonly version: number;
  /** End-to-end fields only: the codec took out Host, framing and hop-by-hop ones (RFC 9110 §7.6.1). */
  readonly headers: HeaderList;
  /** Bytes; 0: no body; -1: not known beforehand (chunked, or an open stream). */
  readonly bodyLength: number;
  /** Lower-case protocol of an Upgrade that the client asks for, '' where none. */
  readonly upgrade: string;
  readonly expectContinue: boolean;
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  /** Bytes; -1: not known. What a HEAD or 304 answer declares is kept in `declaredLength`. */
  readonly bodyLength: number;
  /** Content-Length of an answer without a body (HEAD, 304); -1 where there is none. */
  readonly declaredLength: number;
}

/** One request as its server codec holds it: how an exchange is answered. Calls after the end do nothing. */
export interface Downstream {
  readonly connection: ConnectionInfo;
  /** 100 to 199 except 101. */
  sendInformational(status: number, headers: HeaderList): void;
  sendHead(head: ResponseHead): void;
  /** False: stop until `onDrain`. */
  sendData(chunk: Buffer): boolean;
  sendEnd(trailers: HeaderList | null): void;
  /** Agrees to the upgrade (101, or 200 on HTTP/2) with this head and hands the bytes over; the codec lets go of them. */
  sendUpgrade(head: ResponseHead): Tunnel;
  /** Cuts the answer so that the client can see that it is not whole. */
  reset(): void;
  /** Stops and restarts reading the request body. */
  pause(): void;
  resume(): void;
}

/** What the server codec tells an exchange. */
export interface DownstreamHandler {
  onData(chunk: Buffer): void;
  onEnd(trailers: HeaderList | null): void;
  onDrain(): void;
  /**
   * The client went away, sent garbage inside the body, or timed out; the last call there is. What was not
   * answered yet may be answered in this very call, save to `downstream-closed`; the connection then closes.
   */
  onAbort(error: MeshError): void;
}

/** Called by a server codec for every request head; the answer goes through `downstream`. */
export type RequestListener = (downstream: Downstream, head: RequestHead) => DownstreamHandler;

/**
 * Called by a server codec when a head is refused, so that it is answered, counted and logged like the
 * rest. The listener answers through `downstream`; the codec closes the connection after that answer.
 */
export type RefusalListener = (downstream: Downstream, error: MeshError) => void;

/** One request on its way to an endpoint, as its client codec holds it. */
export interface Upstream {
  /** True: there is no connection yet, and nothing was sent. */
  readonly waiting?: boolean;
  /** False: stop until `onDrain`. */
  sendData(chunk: Buffer): boolean;
  sendEnd(trailers: HeaderList | null): void;
  /** Stops and restarts reading the response body. */
  pause(): void;
  resume(): void;
  /** Nobody waits for this any more: the connection is closed (HTTP/1.1) or the stream reset (HTTP/2). */
  cancel(): void;
}

/** What a client codec tells an exchange. `onError` or `onEnd` or `onUpgrade` is the last call there is. */
export interface UpstreamHandler {
  /** 100 to 199 except 101. */
  onInformational(status: number, headers: HeaderList): void;
  onHead(head: ResponseHead): void;
  onData(chunk: Buffer): void;
  onEnd(trailers: HeaderList | null): void;
  onUpgrade(head: ResponseHead, tunnel: Tunnel): void;
  onDrain(): void;
  /** `error.unprocessed` says whether another try is harmless for every method. */
  onError(error: MeshError): void;
}

/** A cluster as forward sees it. */
export interface ClusterHandle {
  readonly cluster: Cluster;
  /** An endpoint by the cluster's policy, another one than `previous` where there is one; null: none at all. */
  pick(previous: EndpointHandle | null): EndpointHandle | null;
}

export interface EndpointHandle {
  readonly id: string;
  /** `host:port`, for logs. */
  readonly address: string;
  /** The rule that chose it. */
  readonly ruleId: RuleId;
  /**
   * Sends the head on an idle pooled connection, or connects first. Body chunks may be sent at once:
   * they wait for the connection. Failing to connect is `onError` with `unprocessed`. `fresh`: not on a
   * connection that may have gone stale while it was idle.
   */
  request(head: RequestHead, handler: UpstreamHandler, fresh: boolean): Upstream;
  /**
   * A connection of its own for bytes: plain, or mutual TLS with the mesh's protocol for them. It counts as a request in
   * flight until it closes. Calls back once, never at once; an error is `unprocessed`. The returned function gives up.
   */
  connect(done: (error: MeshError | null, socket: Socket | null) => void): () => void;
}

/** What `record` writes about one finished exchange: filled in on the way, read once at its end. */
export interface ExchangeRecord {
  readonly connection: ConnectionInfo;
  /** Address of the client, where trusted proxies say it; '': that of the connection. */
  client: string;
  method: string;
  target: string;
  authority: string;
  status: number;
  /** Envoy's response flag, '-' for none. */
  flag: string;
  /** How the client frames a gRPC call; null where it makes none. Failures are answered in this form. */
  grpc: GrpcForm | null;
  /** Outcome of a gRPC call as its caller sees it, 0 to 16; -1 for none. */
  grpcStatus: number;
  /** MeshError code, '' for none. */
  code: string;
  traceId: string;
  requestId: string;
  /** Rule id of the matched route, '' for none. */
  route: string;
  cluster: string;
  endpoint: string;
  /** The rule that decided the outcome: the denying rule, else the route. */
  rule: string;
  decisionId: string;
  attempts: number;
  requestBytes: number;
  responseBytes: number;
  /** performance.now() in ms: head read, first upstream byte (0: none), finished. */
  startedAt: number;
  firstByteAt: number;
  finishedAt: number;
  /** Private detail of the error, for the log. */
  detail: string;
}

/** What `record` writes about one finished connection that is not HTTP. */
export interface ConnectionRecord {
  connection: ConnectionInfo;
  /** Envoy's response flag, '-' for none. */
  flag: string;
  /** MeshError code, '' for none. */
  code: string;
  /** Rule id of the route that it took, '' for none. */
  route: string;
  /** The rule that decided the outcome: the denying rule, else what admitted it. */
  rule: string;
  cluster: string;
  endpoint: string;
  decisionId: string;
  attempts: number;
  /** From the client, and to it. */
  receivedBytes: number;
  sentBytes: number;
  /** performance.now() in ms: accepted, an endpoint took it (0: none did), closed. */
  startedAt: number;
  connectedAt: number;
  finishedAt: number;
  /** Either side broke it off. */
  broken: boolean;
  /** Private detail of the error, for the log. */
  detail: string;
}
