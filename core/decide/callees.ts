// What a workload may name as a destination: the callees of its view.
import type { HostPort } from '../model/mesh.ts';
import type { OutboundListener, View } from '../model/view.ts';
import type { Callee } from './destination.ts';

export function outboundListeners(view: View): readonly OutboundListener[] {
  return [...view.listeners.values()].filter((listener) => listener.kind === 'outbound');
}

/** `valueOf`: what is found under the callee's names. */
export function calleesOf<T>(view: View, valueOf: (listener: OutboundListener) => T): readonly Callee<T>[] {
  return outboundListeners(view).map((listener) => {
    const { service, port, portName, loopback, tcp } = listener;
    const addresses = instancesOf(listener, view);
    return { service, port, loopback, addresses, http: tcp === null && portName === '', value: valueOf(listener) };
  });
}

/** Where instances listen themselves: the endpoint of a mesh cluster is a sidecar beside the app. */
function instancesOf({ port, routes, tcp }: OutboundListener, view: View): readonly HostPort[] {
  const splits = tcp?.split ?? view.routes.get(routes)?.routes.flatMap(({ split }) => split) ?? [];
  return [...new Set(splits.map(({ cluster }) => cluster))].flatMap((name): readonly HostPort[] => {
    const endpoints = view.endpoints.get(name)?.endpoints ?? [];
    if (view.clusters.get(name)?.kind === 'static') return endpoints;
    return port === 0 ? [] : endpoints.map(({ host }) => ({ host, port }));
  });
}
