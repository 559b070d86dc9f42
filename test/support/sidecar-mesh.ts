// A mesh of two services in a folder: a control plane in this process that can be stopped and started, sidecars as
// processes of their own. `orders` is a job that calls `payments`.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { initAuthority } from '../../certs/authority/authority-folder.ts';
import { runTokenCreate } from '../../control-plane/cli/token.ts';
import { PortBook } from '../../control-plane/cli/up/ports.ts';
import { type ControlPlane, startControlPlane } from '../../control-plane/start.ts';
import { silentLog } from '../../core/kit/log.ts';
import { type ProxyProcess, startProxyProcess } from './proxy-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

const yaml = (paymentsPort: number): string => `version: 1
mesh: { trustDomain: shop.test }
services:
  orders: { calls: [payments] }
  payments: { port: ${paymentsPort} }
edges:
  main:
    listeners: [{ port: 0, address: 127.0.0.1, hosts: [shop.test], tls: internal }]
    routes: [{ match: /**, to: payments }]
`;

export interface SidecarMesh {
  readonly folder: string;
  start(): Promise<ControlPlane>;
  /** Starts the edge `main`, again with its state folder: TLS for shop.test, everything to payments. */
  edge(): Promise<ProxyProcess>;
  /** Starts a sidecar of a service, again with its state folder (another `name` is another instance); `command` makes it `weft run`. */
  sidecar(service: string, command?: readonly string[], more?: Readonly<Record<string, string>>): Promise<ProxyProcess>;
}

async function tokenFor(request: Parameters<typeof runTokenCreate>[0]): Promise<string> {
  let token = '';
  await runTokenCreate(request, { write: (text) => (token += text) });
  return token.trim();
}

/** `services`: other ones than these two. */
export async function makeSidecarMesh(t: TestContext, paymentsPort: number, services?: string): Promise<SidecarMesh> {
  const folder = await temporaryFolder(t);
  // Not from the range of connections' source ports: they must be free again when the control plane comes back.
  const ports = new PortBook(Math.random);
  const [discovery, joinPort] = [await ports.port('discovery'), await ports.port('join')];
  const caDir = join(folder, 'ca');
  const stateDir = join(folder, 'control-plane');
  const config = join(folder, 'weft.yaml');
  await initAuthority(caDir, { trustDomain: 'shop.test', clock: Date.now, random: randomBytes });
  await writeFile(config, services ?? yaml(paymentsPort));
  const tokens = new Map<string, string>();
  const at = (port: number): { host: string; port: number } => ({ host: '127.0.0.1', port });
  return {
    folder,
    start: async () => {
      const plane = await startControlPlane(
        { config: [config], caDir, stateDir, discovery: at(discovery), join: at(joinPort), status: at(0) },
        // A second control plane waits this long for instances that it does not know yet.
        { log: silentLog, settle: 500 },
      );
      t.after(() => plane.close());
      return plane;
    },
    edge: async () => {
      const token = tokens.get('edge-main') ?? (await tokenFor({ dir: stateDir, caDir, edge: 'main' }));
      tokens.set('edge-main', token);
      const flags = {
        name: 'edge-main',
        'control-plane': `127.0.0.1:${discovery}`,
        join: `127.0.0.1:${joinPort}`,
        token,
        status: '127.0.0.1:0',
      };
      const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
      return startProxyProcess(t, folder, ['edge', ...args]);
    },
    sidecar: async (service, command, more = {}) => {
      const name = more['name'] ?? service;
      const token = tokens.get(name) ?? (await tokenFor({ dir: stateDir, caDir, service }));
      tokens.set(name, token);
      const flags = {
        name: service,
        'control-plane': `127.0.0.1:${discovery}`,
        join: `127.0.0.1:${joinPort}`,
        token,
        inbound: '127.0.0.1:0',
        'outbound-by-host': '127.0.0.1:0',
        status: '127.0.0.1:0',
        drain: '2s',
        ...(service === 'orders' ? { outbound: 'payments=127.0.0.1:0' } : {}),
        ...more,
      };
      const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
      const tail = command === undefined ? [] : ['--', ...command];
      return startProxyProcess(t, folder, [command === undefined ? 'sidecar' : 'run', ...args, ...tail]);
    },
  };
}
