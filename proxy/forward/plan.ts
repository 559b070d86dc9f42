// What forward must be told about a listener: how an exchange is routed, changed and recorded. A mode
// compiles one when config applies; an exchange keeps the one that it began with.
import type { MeshError } from '../../core/kit/error.ts';
import type { RuleId } from '../../core/model/brand.ts';
import type { ListenerLimits } from '../../core/model/listener.ts';
import type {
  ClusterHandle,
  ConnectionInfo,
  Downstream,
  ExchangeRecord,
  RequestHead,
  ResponseHead,
} from '../exchange.ts';
import type { HeaderList } from '../kit/header-list.ts';

/** What a matched route does. Made when config applies, shared by every exchange that takes it. */
export interface RouteAction {
  readonly ruleId: RuleId;
  /** Milliseconds from the end of the request to the end of the answer, retries included; 0: none. */
  readonly timeout: number;
  /** Milliseconds that one try may take until its answer begins, from the end of the request; 0: none. */
  readonly perTryTimeout: number;
  /** Milliseconds without a byte in either direction; 0: for ever; null: the default. */
  readonly idleTimeout: number | null;
  /** The cluster for this exchange, by weight; null: the route leads nowhere. */
  choose(): ClusterHandle | null;
  /** The target as the upstream gets it. */
  rewrite(target: string): string;
}

/** A client that speaks another form of what the upstream speaks. */
export interface Translation {
  /** The request as the upstream gets it. */
  readonly head: RequestHead;
  /** Takes what the upstream says. */
  readonly downstream: Downstream;
  /** Bytes of the request's body as the upstream gets them, possibly none. */
  request(chunk: Buffer): Buffer | MeshError;
  /** At the end of that body: what is wrong with it. */
  end(): MeshError | null;
}

export interface ExchangePlan {
  /** Of the listener; a codec takes them when a connection begins. */
  readonly limits: ListenerLimits;
  /** First of all: request id and trace, so that every answer and log line has them. */
  identify(head: RequestHead, record: ExchangeRecord): void;
  /** Where it goes, or why not. Fills `record.rule`, and `record.decisionId` where it denies. */
  route(head: RequestHead, connection: ConnectionInfo, record: ExchangeRecord): RouteAction | MeshError;
  /** Which of the listener's tunnels a CONNECT leads to, or why none; default: CONNECT is not spoken. */
  connect?(head: RequestHead, connection: ConnectionInfo, record: ExchangeRecord): string | MeshError;
  /** Request filters, once, after the route is known. */
  onRequest(head: RequestHead, connection: ConnectionInfo): void;
  /** Once the cluster is known; null, as without this: nothing to translate. */
  translate?(head: RequestHead, downstream: Downstream, cluster: ClusterHandle): Translation | null;
  /** Response filters; `fromMesh`: the answer comes from another Weft proxy. */
  onResponse(head: ResponseHead, fromMesh: boolean): void;
  /** Adds to the fields of an answer that this proxy makes itself. */
  onLocalAnswer(error: MeshError, headers: HeaderList): void;
  /** Once per exchange, at its end. */
  record(record: ExchangeRecord): void;
}
