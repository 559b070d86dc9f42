// What every mode is given to make its plans from, and what all their plans have in common.
import type { MeshError } from '../../core/kit/error.ts';
import type { SnapshotHash, SpiffeId } from '../../core/model/brand.ts';
import { DEFAULT_LIMITS, type ListenerLimits } from '../../core/model/listener.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { View } from '../../core/model/view.ts';
import type { ConnectionInfo, ExchangeRecord, RequestHead, ResponseHead } from '../exchange.ts';
import type { IdSource } from '../filter/ids.ts';
import { meshResponseFilter, type RequestFilter } from '../filter/forwarded.ts';
import { identify } from '../filter/trace.ts';
import type { ExchangePlan, RouteAction } from '../forward/plan.ts';
import type { HeaderList } from '../kit/header-list.ts';
import type { TcpPlan } from '../tcp/plan.ts';
import type { DenialSink } from '../telemetry/denials.ts';
import type { ConnectionRecorder, Recorder } from '../telemetry/recorder.ts';
import type { WantedRedirect } from './callees.ts';
import type { FindCluster } from './routes.ts';

export interface PlanContext {
  readonly snapshot: SnapshotHash;
  /** Who this proxy speaks as; null: nobody (standalone). */
  readonly self: SpiffeId | null;
  readonly find: FindCluster;
  readonly ids: IdSource;
  readonly random: () => number;
  readonly record: Recorder;
  readonly recordConnection: ConnectionRecorder;
  readonly denials: DenialSink;
}

/** A listening socket with what runs behind it. */
export interface ListenerPlan {
  readonly name: string;
  readonly address: HostPort;
  /** mesh: mutual TLS. edge: a server certificate for `hosts`. passthrough: TLS goes on to where its SNI leads. */
  readonly tls: 'none' | 'mesh' | 'edge' | 'passthrough';
  readonly hosts: readonly string[];
  /** Another program may have the place: the view is taken without this socket, which is tried again. Default false. */
  readonly optional?: boolean;
  readonly plan: ExchangePlan;
  /** Its connections are bytes; where tls is mesh, those that the handshake says are. Default: none are. */
  readonly tcp?: TcpPlan;
  /** CONNECT is spoken; default false. */
  readonly connect?: boolean;
  /** What `plan.connect` names. */
  readonly tunnels?: ReadonlyMap<string, TunnelPlan>;
  /** CIDR blocks whose connections begin with a PROXY header; default: nobody's do. */
  readonly proxyProtocol?: readonly string[];
}

/** What a tunnel carries: HTTP, or where there is `tcp`, bytes. */
export type TunnelPlan = Pick<ListenerPlan, 'plan' | 'tcp'>;

/** The differences between inbound, outbound and edge. */
export interface Mode {
  /** Clusters and endpoints to run: the view's own, and what this mode adds to them. */
  clusters(view: View): Pick<View, 'clusters' | 'endpoints'>;
  listeners(view: View, context: PlanContext): readonly ListenerPlan[];
  /** Sockets to bind before there is a view; requests are refused until then. */
  early(): readonly EarlyListener[];
  /** Which packets a namespace's rules are to bring to this mode's listeners; default: none. */
  redirects?(view: View): readonly WantedRedirect[];
}

export type EarlyListener = Omit<ListenerPlan, 'plan' | 'tunnels' | 'tcp'>;

export interface PlanParts {
  /** Default: those of the codecs. */
  readonly limits?: ListenerLimits;
  route(head: RequestHead, connection: ConnectionInfo, record: ExchangeRecord): RouteAction | MeshError;
  readonly onRequest: RequestFilter;
  /** Default: CONNECT is not spoken. */
  readonly connect?: ExchangePlan['connect'];
  /** Default: nothing is translated. */
  readonly translate?: NonNullable<ExchangePlan['translate']>;
  /** Default: takes out what only sidecars say to each other. */
  onResponse?(head: ResponseHead, fromMesh: boolean): void;
  onLocalAnswer?(error: MeshError, headers: HeaderList): void;
}

export function createPlan(context: Pick<PlanContext, 'ids' | 'record'>, parts: PlanParts): ExchangePlan {
  const { ids, record } = context;
  return {
    limits: parts.limits ?? DEFAULT_LIMITS,
    identify: (head, into) => identify(head, into, ids),
    route: parts.route,
    ...(parts.connect === undefined ? {} : { connect: parts.connect }),
    onRequest: parts.onRequest,
    ...(parts.translate === undefined ? {} : { translate: parts.translate }),
    onResponse: parts.onResponse ?? stripFromMesh,
    onLocalAnswer: parts.onLocalAnswer ?? (() => {}),
    record,
  };
}

function stripFromMesh(head: ResponseHead, fromMesh: boolean): void {
  if (fromMesh) meshResponseFilter(head);
}
