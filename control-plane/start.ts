// The control plane, joined: authority, config source → snapshot → views → discovery port, and the join port
// beside it. Started as one, in an order in which nothing is served before it can be answered.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openAuthority } from '../certs/authority/authority-folder.ts';
import type { Authority } from '../certs/authority/authority.ts';
import { openLedger } from '../certs/authority/ledger.ts';
import { Secret } from '../certs/token/secret.ts';
import { MEMBERSHIP } from '../core/decide/membership.ts';
import type { Log } from '../core/kit/log.ts';
import { startAdminServer, startStatusServer } from '../host/admin.ts';
import type { ControlPlaneSettings } from '../host/control-plane-settings.ts';
import { ensureDir } from '../host/files.ts';
import type { BoundPort } from '../host/ipc.ts';
import { loadServices } from '../proto/codec/services.ts';
import { serveApi } from './serve-api.ts';
import { ConfigIntake } from './config-intake.ts';
import type { ApiFacts } from './api/facts.ts';
import { Closers } from './lifecycle.ts';
import { Offers } from './offers.ts';
import { adminPages, statusPages, type Counts, type Facts } from './pages.ts';
import { INSTANCES_FILE, KnownInstances } from './registry/known-instances.ts';
import { Registry } from './registry/registry.ts';
import { openServers, type Servers } from './servers.ts';
import { Changes, type ChangesOptions } from './snapshot/changes.ts';
import { History } from './snapshot/history.ts';
import { SnapshotStore } from './snapshot/snapshot-store.ts';
import { viewSource, Views } from './snapshot/views.ts';
import { FileSource } from './source/file-source.ts';
import { claimFolder } from './store/claim.ts';
import { FileStore } from './store/file-store.ts';

export interface ControlPlaneOptions {
  readonly log: Log;
  /** How long an instance stays after its stream has gone, in ms. Default 2,000. */
  readonly grace?: number;
  /**
   * How long after the start instances of the last run are waited for, in ms; and where it left no list of them, how
   * long a proxy that runs a view already is left with it. Default 8,000: the longest wait of an agent between two tries
   * is 5,000.
   */
  readonly settle?: number;
}

export type StartSettings = Pick<
  ControlPlaneSettings,
  'config' | 'caDir' | 'stateDir' | 'discovery' | 'join' | 'status'
> &
  Partial<Pick<ControlPlaneSettings, 'api' | 'caPassphrase'>>;

export interface ControlPlane {
  /** `discovery`, `join`, `status`, and `api` where it is asked for, with the real ports. */
  readonly ports: readonly BoundPort[];
  readonly facts: Facts;
  /** The edges that are configured now: how many threads each has, by name. */
  edges(): ReadonlyMap<string, number>;
  /** Path of the admin socket. */
  readonly admin: string;
  close(): Promise<void>;
}

/** What it may take an instance to come back when all do at once, in ms; a handshake and a first answer are 3 ms of CPU. */
const RETURN = 10;

const ambient = { clock: () => Date.now(), random: (size: number) => randomBytes(size) };

/**
 * Throws MeshError, with everything closed again: `authority-missing`, `config-invalid`, `address-in-use` and what
 * certs/ says about damaged state.
 */
export async function startControlPlane(settings: StartSettings, options: ControlPlaneOptions): Promise<ControlPlane> {
  const closers = new Closers();
  try {
    return await assemble(settings, options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function assemble(
  settings: StartSettings,
  options: ControlPlaneOptions,
  closers: Closers,
): Promise<ControlPlane> {
  const { log, grace = 2_000, settle = 8_000 } = options;
  const authority = await openAuthority(settings.caDir, {
    ...ambient,
    passphrase: settings.caPassphrase ? new Secret(settings.caPassphrase) : null,
  });
  await ensureDir(settings.stateDir);
  const claim = await claimFolder({ stateDir: settings.stateDir, log });
  closers.add(() => claim.close());
  const ledger = await openLedger(join(settings.stateDir, 'issued.jsonl'), ambient.clock);
  closers.add(() => ledger.close());

  const services = loadServices();
  const counts: Counts = { acks: 0, nacks: 0, invalidConfigs: 0 };
  const snapshots = new SnapshotStore(authority.trustDomain, services.discovery.Stream);
  const registry = new Registry({
    policy: { ...MEMBERSHIP, grace },
    now: () => performance.now(),
    after: startTimer,
    // A start is no loss: that they are expected is said below.
    onMassLoss: (lost, all) => (servers === null ? undefined : sayMassLoss(log, lost, all)),
  });
  closers.add(() => registry.close());
  const views = new Views(
    viewSource(
      () => snapshots.snapshot,
      (cluster) => registry.endpointsOf(cluster),
    ),
  );
  let servers: Servers | null = null;
  const offers = new Offers({
    views,
    snapshot: () => snapshots.snapshot,
    server: () => servers?.discovery ?? null,
  });
  closers.add(() => offers.close());
  const changes = await openChanges(
    settings.stateDir,
    { snapshots, log, now: ambient.clock, onChange: () => offers.configurationChanged() },
    closers,
  );
  const intake = new ConfigIntake({ snapshots, changes, counts, log });
  await readConfig(settings.config, intake, closers);

  const { instances, remembered } = await openInstances(settings.stateDir, log, closers);
  registry.expect(remembered ?? [], Math.max(settle, (remembered?.length ?? 0) * RETURN));
  if (remembered !== null) log.info({ instances: remembered.length }, 'instances of the last run are expected back');
  let settled = settle === 0;
  servers = await openServers(
    {
      addresses: settings,
      stateDir: settings.stateDir,
      ...{ authority, ledger, services, clock: ambient.clock, log },
      viewOf: (account) => views.of(account),
      join: (instance, callable) => registry.join(instance, callable),
      after: startTimer,
      lost: () => registry.lost(),
      settled: () => settled,
      remembers: () => settled || remembered !== null,
      locate: (ruleId) => snapshots.locate(ruleId),
      onAnswer: (answer) => (answer === 'ack' ? counts.acks++ : counts.nacks++),
      hostsOfEdge: (edge) => hostsOfEdge(snapshots, edge),
    },
    closers,
  );
  registry.onChange((instance, callable) => {
    instances.note(instance, callable);
    offers.instanceChanged(instance.account);
  });
  const settling = startTimer(settle, () => {
    settled = true;
    // Whoever came back early waits for this one.
    offers.everybody();
  });
  closers.add(settling);
  const known = { snapshots, registry, counts, changes, authority, ledger, now: ambient.clock, log };
  const state = { ...known, certificateEnd: servers.certificateEnd, configTrouble: () => intake.trouble };
  const plane = await serveFacts(settings, servers, state, closers);
  changes.start();
  return plane;
}

async function openChanges(
  stateDir: string,
  options: Omit<ChangesOptions, 'history'>,
  closers: Closers,
): Promise<Changes> {
  const onDamage = (what: string) => options.log.error({ code: 'state-corrupt' }, what);
  const store = new FileStore(join(stateDir, 'store'), onDamage);
  closers.add(() => store.close());
  const history = new History({ store, onDamage });
  await history.load();
  const changes = new Changes({ ...options, history });
  closers.add(() => changes.close());
  return changes;
}

async function openInstances(stateDir: string, log: Log, closers: Closers) {
  const instances = new KnownInstances({ path: join(stateDir, INSTANCES_FILE), log, after: startTimer });
  closers.add(() => instances.close());
  return { instances, remembered: await instances.open() };
}

async function readConfig(files: readonly string[], intake: ConfigIntake, closers: Closers): Promise<void> {
  const source = new FileSource({
    files,
    onConfig: (parsed, texts) => intake.take(parsed, texts),
    onInvalid: (errors, texts) => intake.refuse(errors, files, texts),
  });
  closers.add(() => source.close());
  await source.start();
  intake.requireConfig();
}

interface State extends Omit<ApiFacts, 'proxies' | 'ask' | 'hold' | 'release' | 'authority'> {
  readonly authority: Authority;
  readonly snapshots: SnapshotStore;
  readonly registry: Registry;
  readonly counts: Counts;
}

async function serveFacts(
  settings: StartSettings,
  servers: Servers,
  state: State,
  closers: Closers,
): Promise<ControlPlane> {
  const { snapshots, registry, counts } = state;
  const facts: Facts = {
    ready: () => snapshots.snapshot !== null,
    snapshot: () => snapshots.snapshot?.hash ?? null,
    proxies: () => servers.discovery.states(),
    instances: () => registry.instances(),
    held: () => registry.held,
    counts,
  };
  const status = await startStatusServer(settings.status, statusPages(facts));
  closers.add(() => status.close());
  const admin = await startAdminServer(join(settings.stateDir, 'admin.sock'), adminPages(facts));
  closers.add(() => admin.close());
  const api = await serveApi(
    settings,
    {
      ...state,
      proxies: facts.proxies,
      ask: (instance, query) => servers.discovery.ask(instance, query),
      hold: (instance) => servers.discovery.hold(instance),
      release: (instance) => servers.discovery.release(instance),
    },
    closers,
  );
  return {
    ports: [
      { name: 'discovery', host: settings.discovery.host, port: servers.discoveryPort },
      { name: 'join', host: settings.join.host, port: servers.joinPort },
      { name: 'status', host: settings.status.host, port: status.port },
      ...api,
    ],
    facts,
    edges: () => new Map([...(snapshots.snapshot?.mesh.edges.values() ?? [])].map((edge) => [edge.name, edge.workers])),
    admin: admin.address,
    close: () => closers.close(),
  };
}

function hostsOfEdge(snapshots: SnapshotStore, name: string): readonly string[] {
  const listeners = snapshots.snapshot?.mesh.edges.get(name)?.listeners ?? [];
  return [...new Set(listeners.filter(({ tls }) => tls !== null).flatMap(({ hosts }) => hosts))];
}

function sayMassLoss(log: Log, lost: number, all: number): void {
  if (lost === 0) return log.info({ all }, 'most instances are back: who is still missing leaves after its grace time');
  log.error({ lost, all }, 'most instances were lost at once: none is taken out for now');
}

function startTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
