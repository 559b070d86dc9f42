// A proxy of a mesh as a process: it joins, binds, takes views from the control plane, renews its
// certificate and stops in order. Sidecar and edge differ in the modes that they give it.
import { describeError, MeshError } from '../../core/kit/error.ts';
import type { Result } from '../../core/kit/result.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { View } from '../../core/model/view.ts';
import { parseSpiffeId, workloadOf } from '../../certs/spiffe/spiffe-id.ts';
import { loadServices, type Services } from '../../proto/codec/services.ts';
import type { Addresses } from '../../host/setting-kinds.ts';
import { reportToParent } from '../../host/ipc.ts';
import { VERSION } from '../../host/version.ts';
import { Agent, type Refusal, systemClock, type ViewOrigin } from '../agent/agent.ts';
import type { Identity } from '../agent/identity-folder.ts';
import { obtainIdentity } from '../agent/identity.ts';
import { CertificateKeeper } from '../agent/certificate-keeper.ts';
import { renewIdentity, requestServerCertificate } from '../agent/identity-renewal.ts';
import { ViewFile } from '../agent/view-file.ts';
import { AppHealth } from '../health/app-health.ts';
import { probe, type ProbeTarget } from '../health/probe.ts';
import { CertificateFile } from './certificate-file.ts';
import type { MeshIdentity } from './build-proxy.ts';
import { ServerCertificates } from './certificates.ts';
import { type DataPath, isInbound } from './data-path.ts';
import { pause, unlessAborted, untilGone } from './departure.ts';
import { factSource } from './facts.ts';
import type { Configuration } from './gauges.ts';
import type { Shell } from './shell.ts';
import { ViewRunner } from './view-runner.ts';

export interface MeshProcessOptions {
  readonly shell: Shell;
  readonly controlPlane: Addresses;
  /** Null: the control plane's hosts, port 15013. */
  readonly join: Addresses | null;
  readonly token: string | null;
  readonly stateDir: string;
  readonly drain: number;
  /** The app beside this proxy, as a view has it; default: there is none to ask. */
  readonly app?: (view: View) => ProbeTarget | null;
  /** Made once it is known who this is. */
  path(parts: PathParts): DataPath;
}

/** What a data path in a mesh is made from. */
export interface PathParts {
  readonly self: Self;
  readonly identity: Identity;
  readonly certificates: ServerCertificates;
}

/** Who this proxy is, from its certificate. */
export interface Self {
  readonly trustDomain: string;
  readonly namespace: string;
  /** A service, or `edge-<name>`. */
  readonly account: string;
}

const JOIN_PORT = 15_013;
/** Longest that callers are given to hear that this instance goes where the control plane does not say that they did, in ms. */
const LEAVING = 500;
/** Longest that the control plane is waited for to say it, in ms: it waits for 5 s itself. */
const TELLING = 5_500;

export class MeshProcess {
  readonly #options: MeshProcessOptions;
  readonly #services: Services = loadServices();
  readonly #firstView = Promise.withResolvers<void>();
  #identity: Identity | null = null;
  #path: DataPath | null = null;
  #runner: ViewRunner | null = null;
  #agent: Agent | null = null;
  #keeper: CertificateKeeper<Identity> | null = null;
  readonly #health: AppHealth;
  /** Callers know that this instance takes no calls. */
  #told = false;

  constructor(options: MeshProcessOptions) {
    this.#options = options;
    this.#health = new AppHealth({
      probe,
      after: systemClock.after,
      log: options.shell.log,
      onChange: () => this.#agent?.factsChanged(),
    });
  }

  /** Returns when its sockets are bound, those apart that it takes over; views come later. Throws MeshError where it cannot join or bind. */
  async start(): Promise<void> {
    const { shell } = this.#options;
    await shell.start();
    const identity = await this.#join();
    shell.has('certificate');
    const path = this.#assemble(identity);
    await path.start();
    shell.attach(
      path,
      () => this.#facts(),
      () => this.#configuration(),
      () => this.#health.facts,
    );
    shell.report();
    // Where another process serves still, this one does with the first view.
    const inbound = path.report.listeners.find(({ name }) => name === 'inbound')?.port ?? shell.heldPort('inbound');
    const runner = new ViewRunner({
      path,
      clock: systemClock,
      onApplied: () => {
        shell.report();
        shell.has('configuration');
        this.#firstView.resolve();
      },
    });
    this.#runner = runner;
    this.#agent = new Agent({
      addresses: this.#options.controlPlane,
      identity,
      version: VERSION,
      inboundPort: inbound,
      apply: (view, origin) => this.#apply(runner, view, origin),
      store: new ViewFile({
        stateDir: this.#options.stateDir,
        owner: identity,
        program: VERSION,
        codec: this.#services.discovery.Stream,
        log: shell.log,
      }),
      facts: factSource({ path, identity: () => this.#identity ?? identity, app: () => this.#health.facts }),
      decisions: shell.ring,
      log: shell.log,
      clock: systemClock,
    });
    this.#agent.start();
    this.#keeper = this.#keep(identity);
    this.#keeper.start();
  }

  /** Certificate and first view are in. */
  get ready(): Promise<void> {
    return this.#firstView.promise;
  }

  get path(): DataPath | null {
    return this.#path;
  }

  /**
   * Leaves the mesh as a callee: callers are told and look elsewhere, then exchanges under way end, for at most `cap` ms.
   * As a caller it stays what it is.
   */
  async drainInbound(cap: number): Promise<void> {
    this.#options.shell.leaving();
    await this.#tellCallers();
    await this.#path?.drainInbound(cap);
    reportToParent({ kind: 'left' });
  }

  /** Resolves when nobody listens where the app did, or after `cap` ms: until then it may call others. */
  async appEnded(cap: number): Promise<void> {
    const { log, signals } = this.#options.shell;
    await untilGone(this.#health, cap, log, signals.now);
  }

  async close(): Promise<void> {
    this.#options.shell.leaving();
    this.#keeper?.close();
    this.#runner?.close();
    this.#health.close();
    await this.#leave();
    await this.#options.shell.close();
  }

  /** What is said with the ACK is what the app answered: callers come with it. */
  async #apply(runner: ViewRunner, view: View, origin: ViewOrigin): Promise<Result<void, Refusal>> {
    const applied = await runner.apply(view, origin);
    if (applied.ok) await this.#health.follow(this.#options.app?.(view) ?? null);
    return applied;
  }

  /** The stream stays open: the app may still call, and its callees may change. */
  async #tellCallers(): Promise<void> {
    const { drain, shell } = this.#options;
    const limit = Math.min(TELLING, Math.max(LEAVING, drain));
    const outcome = await unlessAborted(this.#agent?.drain(limit), shell.signals.now);
    shell.log.info({ callers: outcome ?? 'not waited for' }, 'taking no more calls');
    this.#told = outcome === 'told';
    // A control plane of an older version never says so.
    if (outcome === 'late') await this.#leave();
  }

  /**
   * Tells the control plane, then gives callers a moment to hear of it: a POST that meets a connection which
   * is just being closed could not be tried again.
   */
  async #leave(): Promise<void> {
    const agent = this.#agent;
    if (agent === null) return;
    this.#agent = null;
    await agent.close();
    if (this.#told) return;
    await this.#path?.refresh();
    const called = this.#path?.report.listeners.some(({ name, open }) => isInbound(name) && open > 0) ?? false;
    const { drain, shell } = this.#options;
    if (called) await pause(Math.min(LEAVING, drain / 4), shell.signals.now);
  }

  #join(): Promise<Identity> {
    const { controlPlane, join, token, stateDir, shell } = this.#options;
    return obtainIdentity({
      joinAddresses: join ?? joinPorts(controlPlane),
      token,
      stateDir,
      services: this.#services,
      log: shell.log,
      signal: shell.signals.stop,
      clock: systemClock,
    });
  }

  #assemble(identity: Identity): DataPath {
    this.#identity = identity;
    const certificates = this.#serverCertificates(identity);
    this.#path = this.#options.path({ self: selfOf(identity), identity, certificates });
    return this.#path;
  }

  #serverCertificates(first: Identity): ServerCertificates {
    const { stateDir, shell } = this.#options;
    const ask = () =>
      requestServerCertificate({
        address: this.#address,
        identity: this.#identity ?? first,
        services: this.#services,
      });
    return new ServerCertificates(ask, new CertificateFile(stateDir, shell.log, Date.now));
  }

  #keep(first: Identity): CertificateKeeper<Identity> {
    const { shell, stateDir } = this.#options;
    const { log } = shell;
    return new CertificateKeeper({
      name: 'SVID',
      first,
      renew: (identity, signal) =>
        renewIdentity({ address: this.#address, identity, services: this.#services, stateDir, signal }),
      onRenewal: (identity) => {
        this.#identity = identity;
        this.#path?.renewIdentity(identity);
        this.#agent?.setIdentity(identity);
        // Server certificates live as long as an SVID: the same rhythm keeps them fresh.
        this.#path
          ?.renewCertificates()
          .catch((error: unknown) => log.warn({ error: describeError(error) }, 'server certificate not renewed'));
      },
      log,
      clock: systemClock,
    });
  }

  /** Where the stream is. */
  get #address(): HostPort {
    return this.#agent?.address ?? this.#options.controlPlane[0];
  }

  #configuration(): Configuration | null {
    const { origin, snapshot, age } = this.#agent?.state ?? { origin: null, snapshot: null, age: null };
    if (origin === null || snapshot === null || age === null) return null;
    return { origin, snapshot, ageSeconds: Math.round(age / 1_000) };
  }

  #facts(): Record<string, unknown> {
    const identity = this.#identity;
    return {
      identity: identity?.spiffeId ?? null,
      instance: identity?.instance ?? null,
      notAfter: identity === null ? null : new Date(identity.notAfter).toISOString(),
      controlPlane: this.#agent?.state ?? null,
    };
  }
}

/** What a data path needs of it, and nothing else. */
export function meshIdentity(identity: Identity, trustDomain: string): MeshIdentity {
  const { spiffeId, keyPem, chainPem, bundlePem } = identity;
  return { spiffeId, trustDomain, keyPem, chainPem, bundlePem };
}

function joinPorts([first, ...more]: Addresses): Addresses {
  const at = ({ host }: HostPort): HostPort => ({ host, port: JOIN_PORT });
  return [at(first), ...more.map(at)];
}

function selfOf(identity: Identity): Self {
  const parts = parseSpiffeId(identity.spiffeId);
  const workload = parts.ok ? workloadOf(parts.value) : null;
  if (!parts.ok || workload === null) {
    throw new MeshError('state-corrupt', {
      detail: `${identity.spiffeId} names no workload`,
      hint: 'remove the state folder and join with a new token',
    });
  }
  return { ...workload, trustDomain: parts.value.trustDomain };
}
