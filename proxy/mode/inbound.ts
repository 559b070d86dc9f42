// The callee's side: who is calling is proven by mutual TLS, `calls` and `allow` decide, and there is one
// place to go, the app beside this proxy.
import { authorize, type Authorizer, compileAuthorizer } from '../../core/decide/authorize.ts';
import { RequestTarget } from '../../core/decide/request-target.ts';
import { MeshError } from '../../core/kit/error.ts';
import { clusterName, milliseconds } from '../../core/model/brand.ts';
import type { HostPort, ServicePort } from '../../core/model/mesh.ts';
import type { Cluster, Endpoint, InboundListener, View } from '../../core/model/view.ts';
import type { ClusterHandle, ConnectionInfo, ExchangeRecord, RequestHead } from '../exchange.ts';
import { meshResponseFilter, viaFilter } from '../filter/forwarded.ts';
import type { ExchangePlan, RouteAction } from '../forward/plan.ts';
import { meshServerName } from '../kit/mesh-port.ts';
import { deny } from './deny.ts';
import {
  createPlan,
  type EarlyListener,
  type ListenerPlan,
  type Mode,
  type PlanContext,
  type TunnelPlan,
} from './plan-context.ts';
import { sayFailure } from './say-failure.ts';
import { inboundTcpPlan } from './tcp-plan.ts';

/** Clusters of the app, one for each of its ports; `@` alone never comes from a config. */
const APP = 'app@';
const APP_CONNECT_TIMEOUT = milliseconds(5_000);
const LISTENER = 'inbound';

export interface InboundModeOptions {
  readonly address: HostPort;
  /** Where the app listens; null: 127.0.0.1 and the port of the view. */
  readonly app: HostPort | null;
  /** The same for further ports, by name; default: beside the first one, at the ports of the view. */
  readonly appPorts?: ReadonlyMap<string, HostPort>;
}

export class InboundMode implements Mode {
  readonly #options: InboundModeOptions;

  constructor(options: InboundModeOptions) {
    this.#options = options;
  }

  early(): readonly EarlyListener[] {
    return [{ name: LISTENER, address: this.#options.address, tls: 'mesh', hosts: [] }];
  }

  clusters(view: View): Pick<View, 'clusters' | 'endpoints'> {
    const listener = inboundListener(view);
    if (listener === null) return view;
    const clusters = new Map(view.clusters);
    const endpoints = new Map(view.endpoints);
    for (const port of portsOf(listener)) {
      const cluster = appCluster(listener, port);
      clusters.set(cluster.name, cluster);
      endpoints.set(cluster.name, { cluster: cluster.name, endpoints: [endpointAt(this.#placeOf(port))] });
    }
    return { clusters, endpoints };
  }

  #placeOf({ name, port }: ServicePort): HostPort {
    const { app, appPorts = new Map<string, HostPort>() } = this.#options;
    const fallback = { host: app?.host ?? '127.0.0.1', port };
    return name === '' ? (app ?? fallback) : (appPorts.get(name) ?? fallback);
  }

  listeners(view: View, context: PlanContext): readonly ListenerPlan[] {
    const listener = inboundListener(view);
    const [early] = this.early();
    if (early === undefined) return [];
    // A job has a sidecar too; its socket stays, so that its address is the same when it gets a port.
    return [{ ...early, ...(listener === null ? { plan: nobodyHome(context) } : inboundPlans(listener, context)) }];
  }
}

/** Whether a cluster of this proxy is its own app, and none of the view. */
export function isAppCluster(name: string): boolean {
  return name === APP || name.startsWith(`${APP}:`);
}

export function inboundListener(view: View): InboundListener | null {
  for (const listener of view.listeners.values()) if (listener.kind === 'inbound') return listener;
  return null;
}

/** The main one first, under the name ''. */
function portsOf({ appPort, protocol, ports }: InboundListener): readonly ServicePort[] {
  return [{ name: '', port: appPort, protocol }, ...ports];
}

function endpointAt({ host, port }: HostPort): Endpoint {
  return { id: `${host}:${port}`, host, port, weight: 1 };
}

function appCluster(listener: InboundListener, { name, protocol }: ServicePort): Cluster {
  return {
    name: clusterName(APP, undefined, name),
    service: listener.service,
    version: null,
    port: name,
    proxyProtocol: protocol === 'tcp' ? listener.proxyProtocol : null,
    kind: 'static',
    identity: null,
    protocol,
    balance: 'round-robin',
    connectTimeout: APP_CONNECT_TIMEOUT,
    ruleId: listener.ruleId,
  };
}

/** A port that speaks HTTP cannot be reached as bytes, which would go around the rules for its requests, nor the reverse. */
function inboundPlans(listener: InboundListener, context: PlanContext): TunnelPlan {
  const authorizer = compileAuthorizer(listener.policy);
  const ports = (bytes: boolean): ReadonlyMap<string, ClusterHandle | null> =>
    new Map(
      portsOf(listener)
        .filter(({ protocol }) => (protocol === 'tcp') === bytes)
        .map(({ name }) => [meshServerName(listener.service, name), context.find(clusterName(APP, undefined, name))]),
    );
  return {
    plan: inboundPlan(listener, authorizer, ports(false), context),
    tcp: inboundTcpPlan(listener, authorizer, ports(true), context),
  };
}

/** `ports`: by the name that the mesh leg says. */
function inboundPlan(
  listener: InboundListener,
  authorizer: Authorizer,
  ports: ReadonlyMap<string, ClusterHandle | null>,
  context: PlanContext,
): ExchangePlan {
  const actions = new Map([...ports].map(([name, app]) => [name, appAction(listener, app)]));
  const target = new RequestTarget();
  return createPlan(context, {
    route(head, connection, record) {
      if (!target.read(head)) return new MeshError('bad-request', { origin: 'downstream', detail: 'invalid path' });
      const action = actions.get(connection.serverName);
      if (action === undefined) return new MeshError('no-route', { detail: 'no such port speaks HTTP here' });
      record.route = listener.ruleId;
      return admit(authorizer, head, connection, record, target.path, context) ?? action;
    },
    onRequest: viaFilter(listener.service),
    // An app must not speak to other sidecars in the name of this one.
    onResponse: (head) => meshResponseFilter(head),
    onLocalAnswer: sayFailure,
  });
}

function nobodyHome(context: PlanContext): ExchangePlan {
  return createPlan(context, {
    route: () => new MeshError('no-route', { detail: 'this workload has no port' }),
    onRequest: () => {},
  });
}

function appAction(listener: InboundListener, app: ClusterHandle | null): RouteAction {
  return {
    ruleId: listener.ruleId,
    timeout: listener.timeout,
    perTryTimeout: 0,
    idleTimeout: listener.idleTimeout,
    choose: () => app,
    rewrite: (target) => target,
  };
}

/** Null: it may pass. */
function admit(
  authorizer: Authorizer,
  head: RequestHead,
  connection: ConnectionInfo,
  record: ExchangeRecord,
  path: string,
  context: PlanContext,
): MeshError | null {
  const { peer } = connection;
  const decision = authorize(authorizer, peer, head.method, path);
  record.rule = decision.ruleId;
  if (decision.allowed) return null;
  return deny({ rule: decision.ruleId, hint: decision.hint }, peer, head, path, record, context);
}
