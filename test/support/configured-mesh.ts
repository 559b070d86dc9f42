// Proxies of a mesh in this process, each with the view that its configuration gives it: real certificates, real sockets,
// no control plane.
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { compileSnapshot, type Snapshot } from '../../core/compile/snapshot.ts';
import { viewFor } from '../../core/compile/view.ts';
import { parseConfig } from '../../core/config/parse.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { Endpoint, View } from '../../core/model/view.ts';
import { EdgeMode } from '../../proxy/mode/edge.ts';
import { InboundMode } from '../../proxy/mode/inbound.ts';
import type { NamesOptions } from '../../proxy/mode/outbound.ts';
import { OutboundMode } from '../../proxy/mode/outbound.ts';
import { type HarnessOptions, type ProxyHarness, startProxy } from './proxy-harness.ts';
import { makeTestAuthority, type TestAuthority } from './test-authority.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
export const localhost = (port: number): HostPort => ({ host: '127.0.0.1', port });

export interface ConfiguredMesh {
  readonly snapshot: Snapshot;
  readonly authority: TestAuthority;
  /** The callee's sidecar of a service, beside its app. Start it before who calls it. */
  callee(service: string, app: HostPort | null, appPorts?: Readonly<Record<string, number>>): Promise<ProxyHarness>;
  /** The sidecar of a service that only calls, with ports of their own for these callees. */
  caller(service: string, ports: readonly string[], names?: NamesOptions): Promise<ProxyHarness>;
  edge(name: string, options?: HarnessOptions): Promise<ProxyHarness>;
  /** As it is now. */
  view(account: string): View;
  /** The same proxies under another configuration: `view` and what starts from now on. */
  edit(yaml: string): void;
}

function snapshotOf(yaml: string): Snapshot {
  const parsed = parseConfig([{ name: 'weft.yaml', text: yaml }]);
  if (!parsed.ok) throw new Error(parsed.error.map(({ path, message }) => `${path}: ${message}`).join('; '));
  const compiled = compileSnapshot(parsed.value.mesh, (text) => createHash('sha256').update(text).digest('hex'));
  if (!compiled.ok) throw new Error(compiled.error.map(({ message }) => message).join('; '));
  return compiled.value;
}

export async function configuredMesh(t: TestContext, yaml: string): Promise<ConfiguredMesh> {
  const authority = await makeTestAuthority();
  let snapshot = snapshotOf(`${yaml}mesh: { trustDomain: shop.test }\n`);
  const instances = new Map<string, Endpoint[]>();
  const view = (account: string): View => {
    const found = viewFor(snapshot, account, (cluster) => instances.get(cluster) ?? []);
    if (found === null) throw new Error(`no account ${account}`);
    return found;
  };
  const start = async (account: string, options: HarnessOptions): Promise<ProxyHarness> =>
    startProxy(t, { identity: await authority.svid(account), view: view(account), ...options });
  return {
    get snapshot() {
      return snapshot;
    },
    authority,
    view,
    edit: (text) => {
      snapshot = snapshotOf(`${text}mesh: { trustDomain: shop.test }\n`);
    },
    callee: async (service, app, appPorts = {}) => {
      const ports = new Map(Object.entries(appPorts).map(([name, port]) => [name, localhost(port)]));
      const harness = await start(service, { modes: [new InboundMode({ address: LOOPBACK, app, appPorts: ports })] });
      const port = harness.port('inbound');
      const endpoint = { id: `${service}-${port}`, host: '127.0.0.1', port, weight: 1 };
      instances.set(service, [...(instances.get(service) ?? []), endpoint]);
      return harness;
    },
    caller: (service, ports, names) => {
      const own = new Map(ports.map((callee) => [callee, LOOPBACK]));
      const mode = new OutboundMode({
        service,
        namespace: 'default',
        byHost: LOOPBACK,
        ports: own,
        names: names ?? null,
      });
      return start(service, { modes: [mode] });
    },
    edge: (name, options = {}) => start(`edge-${name}`, { modes: [new EdgeMode()], ...options }),
  };
}
