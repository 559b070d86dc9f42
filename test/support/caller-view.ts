// A sidecar in this process whose app calls static services, with views made by hand.
import type { TestContext } from 'node:test';
import { clusterName, milliseconds, ruleId, type SnapshotHash } from '../../core/model/brand.ts';
import { DEFAULT_HEALTH } from '../../core/model/health.ts';
import type { Listener, View } from '../../core/model/view.ts';
import { OutboundMode } from '../../proxy/mode/outbound.ts';
import { endpointAt, route, startProxy, staticCluster, type ProxyHarness } from './proxy-harness.ts';

export interface Callee {
  readonly name: string;
  readonly loopback: string;
  /** Its own. */
  readonly port: number;
  /** Where it is. */
  readonly at: number;
}

/** Of a workload whose own port is `ownPort`; null: a job. */
export function callerView(ownPort: number | null, callees: readonly Callee[], snapshot = 'aaaaaaaaaaaaaaaa'): View {
  const listeners = callees.map(({ name, loopback, port }): Listener => {
    const routes = `outbound/${name}`;
    const base = { kind: 'outbound', name: routes, service: name, portName: '', port, loopback, tcp: null } as const;
    return { ...base, routes, ruleId: ruleId('services.a') };
  });
  if (ownPort !== null) listeners.push(inbound(ownPort));
  return {
    // Any text will do for a hash here.
    snapshot: snapshot as SnapshotHash,
    clusters: new Map(callees.map(({ name }) => [name, staticCluster(name)])),
    endpoints: new Map(
      callees.map(({ name, at }) => [name, { cluster: clusterName(name), endpoints: [endpointAt(at)] }]),
    ),
    listeners: new Map(listeners.map((listener) => [listener.name, listener])),
    routes: new Map(
      callees.map(({ name }) => [`outbound/${name}`, { name: `outbound/${name}`, routes: [route('/', { to: name })] }]),
    ),
  };
}

function inbound(appPort: number): Listener {
  const rule = ruleId('services.caller');
  return {
    kind: 'inbound',
    name: 'inbound',
    service: 'caller',
    appPort,
    protocol: 'http',
    ports: [],
    proxyProtocol: null,
    policy: { callers: [], allow: null, denyRuleId: rule },
    timeout: milliseconds(0),
    idleTimeout: null,
    health: DEFAULT_HEALTH,
    ruleId: rule,
  };
}

/** Its sidecar, with `appPort` beside the port of the service. */
export async function startCallerOf(t: TestContext, appPort: number | null = null): Promise<ProxyHarness> {
  const mode = new OutboundMode({
    service: 'caller',
    namespace: 'default',
    byHost: { host: '127.0.0.1', port: 0 },
    ports: new Map(),
    names: { appPort, transparent: false },
  });
  return startProxy(t, { modes: [mode] });
}
