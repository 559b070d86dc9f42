// The ways from a caller to an app of any protocol: an edge, an edge with TLS, two sidecars with mutual TLS between.
import type { TestContext } from 'node:test';
import { milliseconds } from '../../core/model/brand.ts';
import type { Cluster, View } from '../../core/model/view.ts';
import { InboundMode } from '../../proxy/mode/inbound.ts';
import { inboundView, outboundView, startCaller } from './mesh-pair.ts';
import { edgeView, startProxy } from './proxy-harness.ts';
import type { TestAuthority } from './test-authority.ts';

export const PATHS = ['an edge', 'an edge with TLS', 'two sidecars'] as const;
export type PathName = (typeof PATHS)[number];

export interface Way {
  readonly port: number;
  readonly scheme: 'http' | 'https';
}

type Protocol = Cluster['protocol'];

/** Everything is routed to the app; no time limit but the idle ones. */
export async function openWay(
  t: TestContext,
  authority: TestAuthority,
  path: PathName,
  app: { readonly port: number; readonly protocol: Protocol },
): Promise<Way> {
  const { port, protocol } = app;
  if (path === 'an edge') {
    const edge = await startProxy(t, { view: edgeView([port], { protocol }) });
    return { port: edge.port(), scheme: 'http' };
  }
  if (path === 'an edge with TLS') {
    const certificate = await authority.svid('edge-main');
    const edge = await startProxy(t, { view: edgeView([port], { protocol, tls: 'internal' }), certificate });
    return { port: edge.port(), scheme: 'https' };
  }
  const mode = new InboundMode({ address: { host: '127.0.0.1', port: 0 }, app: { host: '127.0.0.1', port } });
  const callee = await startProxy(t, {
    modes: [mode],
    identity: await authority.svid('payments'),
    view: inboundOf(protocol),
  });
  const caller = await startCaller(t, authority, outboundOf(callee.port('inbound'), protocol));
  return { port: caller.port('outbound/payments'), scheme: 'http' };
}

function inboundOf(protocol: Protocol): View {
  const view = inboundView();
  const [listener] = view.listeners.values();
  if (listener?.kind !== 'inbound') throw new Error('no inbound listener');
  const policy = { ...listener.policy, allow: null };
  return {
    ...view,
    listeners: new Map([['inbound', { ...listener, protocol, timeout: milliseconds(0), policy }]]),
  };
}

function outboundOf(port: number, protocol: Protocol): View {
  const view = outboundView([port]);
  const clusters = [...view.clusters].map(([name, cluster]) => [name, { ...cluster, protocol }] as const);
  return { ...view, clusters: new Map(clusters) };
}
