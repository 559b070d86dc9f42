// The front door: hosts of a listener, its route table, and nothing believed that comes from outside.
import { hostMatches, servedHosts } from '../../core/decide/match.ts';
import { RequestTarget } from '../../core/decide/request-target.ts';
import { MeshError } from '../../core/kit/error.ts';
import type { EdgeListenerResource, View } from '../../core/model/view.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { clientReader, composeRequestFilters, edgeRequestFilter, viaFilter } from '../filter/forwarded.ts';
import { grpcWebCall } from '../filter/grpc-web.ts';
import type { ExchangePlan } from '../forward/plan.ts';
import { createPlan, type ListenerPlan, type Mode, type PlanContext } from './plan-context.ts';
import { CompiledRoutes } from './routes.ts';
import { directTcpPlan, passthroughPlan } from './tcp-plan.ts';

export class EdgeMode implements Mode {
  clusters(view: View): Pick<View, 'clusters' | 'endpoints'> {
    return view;
  }

  early(): readonly [] {
    return [];
  }

  listeners(view: View, context: PlanContext): readonly ListenerPlan[] {
    return edgeListeners(view).map((listener) => ({
      name: listener.name,
      address: addressOf(listener),
      tls: listener.tls === 'internal' ? 'edge' : (listener.tls ?? 'none'),
      hosts: listener.hosts,
      plan: edgePlan(listener, view, context),
      ...bytesOf(listener, context),
      ...(listener.proxyProtocol === null ? {} : { proxyProtocol: listener.proxyProtocol }),
    }));
  }
}

function edgeListeners(view: View): EdgeListenerResource[] {
  return [...view.listeners.values()].filter((listener) => listener.kind === 'edge');
}

function bytesOf({ tls, tcp }: EdgeListenerResource, context: PlanContext): Pick<ListenerPlan, 'tcp'> {
  const [first] = tcp;
  if (first === undefined) return {};
  return { tcp: tls === 'passthrough' ? passthroughPlan(tcp, context) : directTcpPlan(first, context) };
}

function addressOf(listener: EdgeListenerResource): HostPort {
  return { host: listener.address, port: listener.port };
}

function edgePlan(listener: EdgeListenerResource, view: View, context: PlanContext): ExchangePlan {
  const table = view.routes.get(listener.routes) ?? { name: listener.routes, routes: [] };
  const routes = new CompiledRoutes(table, context.find, context.random);
  const hosts = servedHosts(listener.hosts);
  const target = new RequestTarget();
  const { trustedProxies, forwarded } = listener;
  const clientOf = trustedProxies.length === 0 ? null : clientReader(trustedProxies, forwarded);
  return createPlan(context, {
    route(head, connection, record) {
      if (clientOf !== null) record.client = clientOf(head.headers, connection);
      if (!target.read(head)) return new MeshError('bad-request', { origin: 'downstream', detail: 'invalid path' });
      if (!hostMatches(hosts, target.host)) return new MeshError('no-route', { detail: 'unknown host' });
      return routes.match(target, record);
    },
    // Whoever speaks anything else is left to say so itself: an app may know gRPC-Web.
    translate: (head, downstream, { cluster }) => (cluster.protocol === 'grpc' ? grpcWebCall(head, downstream) : null),
    limits: listener.limits,
    onRequest: composeRequestFilters([
      edgeRequestFilter(trustedProxies, forwarded),
      viaFilter(`edge-${listener.edge}`),
    ]),
  });
}
