// The callee's side: who is calling is proven by mutual TLS, `calls` and `allow` decide, and there is one
// place to go, the app beside this proxy.
import { authorize, type Authorizer, compileAuthorizer } from '../../core/decide/authorize.ts';
import { MeshError } from '../../core/kit/error.ts';
import { clusterName, milliseconds } from '../../core/model/brand.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { Cluster, InboundListener, View } from '../../core/model/view.ts';
import type { ClusterHandle, ConnectionInfo, ExchangeRecord, RequestHead } from '../exchange.ts';
import { meshResponseFilter, viaFilter } from '../filter/forwarded.ts';
import type { ExchangePlan, RouteAction } from '../forward/plan.ts';
import { deny } from './deny.ts';
import { createPlan, type EarlyListener, type ListenerPlan, type Mode, type PlanContext } from './plan-context.ts';
import { sayFailure } from './say-failure.ts';
import { RequestTarget } from './target.ts';

/** The cluster of the app; `@` alone never comes from a config. */
const APP_CLUSTER = clusterName('app@');
const APP_CONNECT_TIMEOUT = milliseconds(5_000);
const LISTENER = 'inbound';

export interface InboundModeOptions {
  readonly address: HostPort;
  /** Where the app listens; null: 127.0.0.1 and the port of the view. */
  readonly app: HostPort | null;
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
    const app = this.#options.app ?? { host: '127.0.0.1', port: listener.appPort };
    const endpoint = { id: `${app.host}:${app.port}`, host: app.host, port: app.port, weight: 1 };
    return {
      clusters: new Map([...view.clusters, [APP_CLUSTER, appCluster(listener)]]),
      endpoints: new Map([...view.endpoints, [APP_CLUSTER, { cluster: APP_CLUSTER, endpoints: [endpoint] }]]),
    };
  }

  listeners(view: View, context: PlanContext): readonly ListenerPlan[] {
    const listener = inboundListener(view);
    const [early] = this.early();
    if (early === undefined) return [];
    // A job has a sidecar too; its socket stays, so that its address is the same when it gets a port.
    return [{ ...early, plan: listener === null ? nobodyHome(context) : inboundPlan(listener, context) }];
  }
}

function inboundListener(view: View): InboundListener | null {
  for (const listener of view.listeners.values()) if (listener.kind === 'inbound') return listener;
  return null;
}

function appCluster(listener: InboundListener): Cluster {
  return {
    name: APP_CLUSTER,
    service: listener.service,
    version: null,
    port: '',
    proxyProtocol: null,
    kind: 'static',
    identity: null,
    protocol: listener.protocol,
    balance: 'round-robin',
    connectTimeout: APP_CONNECT_TIMEOUT,
    ruleId: listener.ruleId,
  };
}

function inboundPlan(listener: InboundListener, context: PlanContext): ExchangePlan {
  const authorizer = compileAuthorizer(listener.policy);
  const app = context.find(APP_CLUSTER);
  const action = appAction(listener, app);
  const target = new RequestTarget();
  return createPlan(context, {
    route(head, connection, record) {
      if (!target.read(head)) return new MeshError('bad-request', { origin: 'downstream', detail: 'invalid path' });
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
