// What a workload may name as a destination: the callees of its view.
import type { HostPort } from '../model/mesh.ts';
import type { OutboundListener, View } from '../model/view.ts';
import type { Callee } from './destination.ts';

/** What of a view says which these are. */
export type CalleeView = Omit<View, 'snapshot'>;

export function outboundListeners(view: Pick<View, 'listeners'>): readonly OutboundListener[] {
  return [...view.listeners.values()].filter((listener) => listener.kind === 'outbound');
}

/** `valueOf`: what is found under the callee's names. */
export function calleesOf<T>(view: CalleeView, valueOf: (listener: OutboundListener) => T): readonly Callee<T>[] {
  return outboundListeners(view).map((listener) => {
    const { service, port, portName, loopback, tcp } = listener;
    const addresses = instancesOf(listener, view);
    return { service, port, loopback, addresses, http: tcp === null && portName === '', value: valueOf(listener) };
  });
}

/** Where instances listen themselves: the endpoint of a mesh cluster is a sidecar beside the app. */
function instancesOf({ port, routes, tcp }: OutboundListener, view: CalleeView): readonly HostPort[] {
  const splits = tcp?.split ?? view.routes.get(routes)?.routes.flatMap(({ split }) => split) ?? [];
  return [...new Set(splits.map(({ cluster }) => cluster))].flatMap((name): readonly HostPort[] => {
    const endpoints = view.endpoints.get(name)?.endpoints ?? [];
    if (view.clusters.get(name)?.kind === 'static') return endpoints;
    return port === 0 ? [] : endpoints.map(({ host }) => ({ host, port }));
  });
}
