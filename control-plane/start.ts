// The control plane, joined: authority, config source → snapshot → views → discovery port, and the join port
// beside it. Started as one, in an order in which nothing is served before it can be answered.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openAuthority } from '../certs/authority/authority-folder.ts';
import type { Authority } from '../certs/authority/authority.ts';
import { controlPlaneIdentity } from '../certs/authority/control-plane-identity.ts';
import { openLedger, type GrantLedger } from '../certs/authority/ledger.ts';
import { viewFor } from '../core/compile/view.ts';
import type { Log } from '../core/kit/log.ts';
import type { HostPort } from '../core/model/mesh.ts';
import { startAdminServer, startStatusServer } from '../host/admin.ts';
import type { ControlPlaneSettings } from '../host/control-plane-settings.ts';
import { ensureDir } from '../host/files.ts';
import type { BoundPort } from '../host/ipc.ts';
import { loadServices, type Services } from '../proto/codec/services.ts';
import { ConfigIntake } from './config-intake.ts';
import { adminPages, statusPages, type Counts, type Facts } from './pages.ts';
import { Registry } from './registry/registry.ts';
import { DiscoveryServer } from './server/discovery-server.ts';
import { identityService } from './server/identity-service.ts';
import { JoinServer } from './server/join-server.ts';
import { OwnCertificate } from './server/own-certificate.ts';
import { SnapshotStore } from './snapshot/snapshot-store.ts';
import { Views } from './snapshot/views.ts';
import { FileSource } from './source/file-source.ts';
import { Closers, coalesce } from './lifecycle.ts';

export interface ControlPlaneOptions {
  readonly log: Log;
  /** How long an instance stays after its stream has gone, in ms. Default 2,000. */
  readonly grace?: number;
  /**
   * How long after the start a proxy that runs a view already is left with it, in ms, so that the instances which
   * a restarted control plane does not know yet can come back first. Default 8,000: the longest wait of an agent
   * between two tries is 5,000.
   */
  readonly settle?: number;
}

export interface ControlPlane {
  /** `discovery`, `join`, `status`, with the real ports. */
  readonly ports: readonly BoundPort[];
  readonly facts: Facts;
  /** Names of the edges that are configured now. */
  edges(): readonly string[];
  /** Path of the admin socket. */
  readonly admin: string;
  close(): Promise<void>;
}

const clock = () => Date.now();
const random = (size: number) => randomBytes(size);

/**
 * Throws MeshError, with everything closed again: `authority-missing`, `config-invalid`, `address-in-use` and what
 * certs/ says about damaged state.
 */
export async function startControlPlane(
  settings: Pick<ControlPlaneSettings, 'config' | 'caDir' | 'stateDir' | 'discovery' | 'join' | 'status'>,
  options: ControlPlaneOptions,
): Promise<ControlPlane> {
  const closers = new Closers();
  try {
    return await assemble(settings, options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function assemble(
  settings: Parameters<typeof startControlPlane>[0],
  options: ControlPlaneOptions,
  closers: Closers,
): Promise<ControlPlane> {
  const { log, grace = 2_000, settle = 8_000 } = options;
  const authority = await openAuthority(settings.caDir, { clock, random });
  await ensureDir(settings.stateDir);
  const ledger = await openLedger(join(settings.stateDir, 'issued.jsonl'), clock);
  closers.add(() => ledger.close());

  const services = loadServices();
  const snapshots = new SnapshotStore(authority.trustDomain, services.discovery.Stream);
  const registry = new Registry({ grace, after: startTimer });
  closers.add(() => registry.close());
  const views = new Views((account) => {
    const { snapshot } = snapshots;
    return snapshot === null ? null : viewFor(snapshot, account, (cluster) => registry.endpointsOf(cluster));
  });

  const counts: Counts = { acks: 0, nacks: 0, invalidConfigs: 0 };
  let offer: () => void = () => {};
  const changed = () => {
    views.invalidate();
    offer();
  };
  const intake = new ConfigIntake({ snapshots, counts, log, onChange: changed });
  const source = new FileSource({
    files: settings.config,
    onConfig: (parsed) => intake.take(parsed),
    onInvalid: (errors) => intake.refuse(errors),
  });
  closers.add(() => source.close());
  await source.start();
  intake.requireConfig();

  const startedAt = clock();
  const { discovery, joining } = await openServers(settings, { authority, ledger, services, log }, closers, {
    viewOf: (account) => views.of(account),
    join: (instance) => registry.join(instance),
    settled: () => clock() - startedAt >= settle,
    locate: (ruleId) => snapshots.locate(ruleId),
    onAnswer: (answer) => (answer === 'ack' ? counts.acks++ : counts.nacks++),
    hostsOfEdge: (edge) => hostsOfEdge(snapshots, edge),
  });
  const offering = coalesce(() => discovery.server.offerAll());
  offer = offering.ask;
  closers.add(offering.cancel);
  registry.onChange(changed);
  // Whoever came back early waits for this one.
  closers.add(startTimer(settle, offer));

  const facts: Facts = {
    ready: () => snapshots.snapshot !== null,
    snapshot: () => snapshots.snapshot?.hash ?? null,
    proxies: () => discovery.server.states(),
    instances: () => registry.instances(),
    counts,
  };
  const status = await startStatusServer(settings.status, statusPages(facts));
  closers.add(() => status.close());
  const admin = await startAdminServer(join(settings.stateDir, 'admin.sock'), adminPages(facts));
  closers.add(() => admin.close());

  const ports: BoundPort[] = [
    { name: 'discovery', host: settings.discovery.host, port: discovery.port },
    { name: 'join', host: settings.join.host, port: joining.port },
    { name: 'status', host: settings.status.host, port: status.port },
  ];
  const edges = () => [...(snapshots.snapshot?.mesh.edges.keys() ?? [])];
  return { ports, facts, edges, admin: admin.address, close: () => closers.close() };
}

interface ServerParts {
  readonly authority: Authority;
  readonly ledger: GrantLedger;
  readonly services: Services;
  readonly log: Log;
}

type ServerHooks = Pick<
  ConstructorParameters<typeof DiscoveryServer>[0],
  'viewOf' | 'join' | 'settled' | 'locate' | 'onAnswer'
> & { readonly hostsOfEdge: (edge: string) => readonly string[] };

/** Both ports prove the same certificate, which is renewed while they are open. */
async function openServers(
  settings: { readonly discovery: HostPort; readonly join: HostPort; readonly stateDir: string },
  parts: ServerParts,
  closers: Closers,
  hooks: ServerHooks,
) {
  const { authority, ledger, services, log } = parts;
  const renewed: ((identity: Parameters<JoinServer['setIdentity']>[0]) => void)[] = [];
  const own = new OwnCertificate({
    source: controlPlaneIdentity(authority, clock),
    onRenewal: (identity) => {
      for (const listener of renewed) listener(identity);
    },
    log,
  });
  const identity = await own.start();
  closers.add(() => own.close());
  const server = new DiscoveryServer({
    ...hooks,
    address: settings.discovery,
    identity,
    definition: services.discovery,
    peers: { trustDomain: authority.trustDomain, grantOf: (serial) => ledger.grantOf(serial) },
    services: [identityService({ authority, ledger, clock, services, hostsOfEdge: hooks.hostsOfEdge, log })],
    run: random(4).toString('hex'),
    log,
    now: clock,
  });
  const joinServer = new JoinServer({
    authority,
    ledger,
    clock,
    stateDir: settings.stateDir,
    services,
    address: settings.join,
    identity,
    log,
  });
  renewed.push((next) => server.setIdentity(next));
  renewed.push((next) => joinServer.setIdentity(next));
  closers.add(() => server.close());
  const discovery = { server, port: await server.start() };
  closers.add(() => joinServer.close());
  const joining = { port: await joinServer.start() };
  return { discovery, joining };
}

function hostsOfEdge(snapshots: SnapshotStore, name: string): readonly string[] {
  const listeners = snapshots.snapshot?.mesh.edges.get(name)?.listeners ?? [];
  return [...new Set(listeners.filter(({ tls }) => tls !== null).flatMap(({ hosts }) => hosts))];
}

function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
