// The data path of one proxy, joined: accept → tls → http1 → forward (plan of a mode) → cluster → http1 →
// upstream. A new view is opened and warmed beside the old one, then swapped as a whole, or dropped.
import type { Log } from '../core/kit/log.ts';
import { describeError, MeshError } from '../core/kit/error.ts';
import { err, ok, type Result } from '../core/kit/result.ts';
import type { Cluster, Endpoint, View } from '../core/model/view.ts';
import { Acceptor, createPlainServer, type Serve, type ServerFactory } from './accept/acceptor.ts';
import { ListenerSet, type OpenedListeners, type Unbound, type WantedListener } from './accept/listener-set.ts';
import type { PortSharing } from './accept/port-sharing.ts';
import { createProxiedServer } from './accept/proxied-server.ts';
import type { Refusal } from './agent/agent.ts';
import { ClusterSet, type PreparedClusters } from './cluster/cluster-set.ts';
import type { DialDone } from './cluster/dial.ts';
import { dialPlain } from './cluster/plain-dial.ts';
import { POOL_LIMITS } from './cluster/pool.ts';
import { clientConnection, type CodecParts, type FindTunnel, type Served, serveConnection } from './codecs.ts';
import type { IdSource } from './filter/ids.ts';
import { DateSource } from './forward/date.ts';
import { Deadlines } from './forward/deadline.ts';
import { Forwarder } from './forward/forwarder.ts';
import { splice } from './forward/splice.ts';
import type { ExchangePlan } from './forward/plan.ts';
import { type FaultCount, Http2Faults } from './http2/faults.ts';
import { TimerWheel } from './kit/timer-wheel.ts';
import type { WantedRedirect } from './mode/callees.ts';
import type { ServerCertificates } from './mode/certificates.ts';
import { notReadyPlan, notReadyTcpPlan } from './mode/not-ready.ts';
import type { EarlyListener, ListenerPlan, Mode, PlanContext, TunnelPlan } from './mode/plan-context.ts';
import { TcpForwarder } from './tcp/forwarder.ts';
import type { DenialSink } from './telemetry/denials.ts';
import { createConnectionRecorder, createRecorder, type RecorderOptions } from './telemetry/recorder.ts';
import { EdgeCertificates, type ServerCertificate } from './tls/edge-tls.ts';
import { EDGE_PROTOCOLS } from './tls/material.ts';
import type { MeshDialer } from './tls/mesh-dial.ts';
import type { MeshTls } from './tls/mesh-tls.ts';

export interface ProxyOptions {
  readonly modes: readonly Mode[];
  readonly log: Log;
  readonly recorder: RecorderOptions;
  readonly denials: DenialSink;
  readonly ids: IdSource;
  /** In [0, 1). */
  readonly random: () => number;
  /** Null where the proxy has no identity: standalone. */
  readonly mesh: { readonly tls: MeshTls; readonly dialer: MeshDialer } | null;
  /** Null where no listener can have `tls: internal`. */
  readonly certificates: ServerCertificates | null;
  /** Milliseconds that exchanges may take to end when their listener goes. */
  readonly drain: number;
  /** With whom of ours places are shared; absent: with nobody. */
  readonly sharing?: PortSharing | null;
}

/** What stands behind a listening socket and is swapped by a view. */
interface Behind {
  readonly served: Served;
  /** By the names that its plan gives tunnels. */
  readonly tunnels: Map<string, Served>;
  /** Null where the socket is not an edge's with TLS. */
  readonly certificates: EdgeCertificates | null;
}

/** A listener of a view with the certificate that it needs. */
interface Ready {
  readonly listener: ListenerPlan;
  readonly certificate: ServerCertificate | null;
}

interface Opened {
  readonly ready: readonly Ready[];
  readonly listeners: OpenedListeners;
}

export class Proxy {
  readonly #options: ProxyOptions;
  readonly #timers = new TimerWheel({ now });
  readonly #deadlines = new Deadlines(this.#timers);
  readonly #date = new DateSource(Date.now);
  readonly #codecs: CodecParts = { timers: this.#timers, faults: new Http2Faults() };
  readonly #clusters: ClusterSet;
  readonly #listeners = new ListenerSet();
  readonly #behind = new WeakMap<Acceptor, Behind>();
  #view: View | null = null;
  #unbound: readonly Unbound[] = [];

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#clusters = new ClusterSet({
      dial: (cluster, endpoint, done, http1Only) => this.#dial(cluster, endpoint, done, http1Only),
      createConnection: (cluster, socket, events) => clientConnection(cluster, socket, events, this.#codecs),
      limits: POOL_LIMITS,
      now,
      random: options.random,
    });
  }

  get view(): View | null {
    return this.#view;
  }

  get clusters(): ClusterSet {
    return this.#clusters;
  }

  get refusedPeers(): number {
    return this.#options.mesh?.tls.refusedPeers ?? 0;
  }

  get wrongIdentities(): number {
    return this.#options.mesh?.dialer.wrongIdentities ?? 0;
  }

  /** Connections of HTTP/2 that ended by their peer's fault. */
  get http2Faults(): readonly FaultCount[] {
    return this.#codecs.faults.values();
  }

  get acceptors(): readonly Acceptor[] {
    return this.#listeners.acceptors;
  }

  /** Whether what comes in there is not HTTP. */
  carriesBytes(acceptor: Acceptor): boolean {
    return this.#behind.get(acceptor)?.served.tcp.kind !== 'none';
  }

  /** What `weft netns --transparent` is asked to redirect: only to what listens. */
  get redirects(): readonly WantedRedirect[] {
    const view = this.#view;
    if (view === null) return [];
    const bound = new Set(this.acceptors.map(({ name }) => name));
    const wanted = this.#options.modes.flatMap((mode) => mode.redirects?.(view) ?? []);
    return wanted.filter(({ listener }) => bound.has(listener));
  }

  /** Sockets of the view in force whose place another program has; applying the view again tries them again. */
  get unbound(): readonly Unbound[] {
    return this.#unbound;
  }

  /**
   * Binds what does not depend on a view, but for places where another of ours serves, who can do more as yet than refuse:
   * they are for the first view. Throws MeshError `address-in-use`.
   */
  async start(): Promise<void> {
    this.#timers.start();
    this.#clusters.start();
    const early = this.#options.modes
      .flatMap((mode) => mode.early())
      .filter(({ name, address }) => this.#options.sharing?.isHeld(name, address) !== true);
    const opened = await this.#listeners.open(early.map((listener) => this.#wanted({ listener, certificate: null })));
    if (!opened.ok) throw opened.error;
    this.#listeners.commit(opened.value, this.#options.drain);
  }

  /** All of a view or none of it. Calls must not overlap. `warmLimit`: how long new endpoints are waited for, in ms. */
  async apply(view: View, warmLimit?: number): Promise<Result<void, Refusal>> {
    const prepared = this.#clusters.prepare(this.#clusterView(view));
    const warmed = await this.#clusters.warm(prepared, warmLimit);
    // Without a view yet one dead callee would keep a proxy from ever starting.
    if (!warmed.ok && this.#view !== null) {
      this.#clusters.abandon(prepared);
      const { cluster, error } = warmed.error;
      const failure = new MeshError('warm-failed', { detail: error.detail, cause: error });
      return err(refusal(failure, `cluster/${cluster.name}`, cluster.ruleId));
    }
    const opened = await this.#open(this.#plans(view, prepared));
    if (!opened.ok) {
      this.#clusters.abandon(prepared);
      return err(refusal(opened.error, '', ''));
    }
    this.#swap(view, prepared, opened.value);
    return ok(undefined);
  }

  /** New certificates for every edge listener with TLS. */
  async renewCertificates(): Promise<void> {
    for (const acceptor of this.#listeners.acceptors) {
      const certificates = this.#behind.get(acceptor)?.certificates ?? null;
      const source = this.#options.certificates;
      if (certificates !== null && source !== null) certificates.update([await source.renew(certificates.hosts)]);
    }
  }

  async drainListeners(cap: number, chosen: (name: string) => boolean): Promise<void> {
    await this.#listeners.drain(cap, chosen);
  }

  /** Takes no new connections and ends exchanges in order, for at most `cap` ms. */
  async drain(cap: number): Promise<void> {
    await this.#listeners.drain(cap);
    this.close();
  }

  close(): void {
    this.#listeners.close();
    this.#clusters.close();
    this.#timers.close();
  }

  #swap(view: View, prepared: PreparedClusters, { ready, listeners }: Opened): void {
    this.#clusters.commit(prepared);
    const byName = new Map(ready.map((one) => [one.listener.name, one]));
    for (const { name, acceptor } of listeners.acceptors.values()) {
      const one = byName.get(name);
      if (one === undefined) continue;
      this.#swapPlans(acceptor, one.listener);
      if (one.certificate !== null) this.#behind.get(acceptor)?.certificates?.update([one.certificate]);
    }
    this.#listeners.commit(listeners, this.#options.drain);
    this.#view = view;
    this.#sayUnbound(listeners.unbound);
  }

  #swapPlans(acceptor: Acceptor, listener: ListenerPlan): void {
    const behind = this.#behind.get(acceptor);
    if (behind === undefined) return;
    swapPlans(behind.served, listener);
    this.#swapTunnels(behind.tunnels, listener);
  }

  /** A tunnel that is open goes on, with what the view says now. */
  #swapTunnels(tunnels: Map<string, Served>, listener: ListenerPlan): void {
    const plans = listener.tunnels ?? new Map<string, TunnelPlan>();
    for (const [name, served] of tunnels) swapPlans(served, plans.get(name) ?? { plan: this.#idlePlan(listener) });
    for (const [name, plan] of plans) {
      if (tunnels.has(name)) continue;
      const served = this.#served(listener);
      swapPlans(served, plan);
      tunnels.set(name, served);
    }
  }

  /** Once each, however often they are tried. */
  #sayUnbound(unbound: readonly Unbound[]): void {
    const { log } = this.#options;
    const before = new Set(this.#unbound.map(({ name }) => name));
    for (const { name, error } of unbound) {
      if (before.delete(name)) continue;
      const { code, hint } = error;
      log.warn({ code, listener: name, hint }, `${name} is not bound, trying again: ${describeError(error)}`);
    }
    for (const name of before) log.info({ listener: name }, `${name} is bound, or no longer asked for`);
    this.#unbound = unbound;
  }

  #clusterView(view: View): View {
    return this.#options.modes.reduce((merged, mode) => ({ ...merged, ...mode.clusters(merged) }), view);
  }

  #plans(view: View, prepared: PreparedClusters): readonly ListenerPlan[] {
    const { ids, random, denials, recorder } = this.#options;
    const context: PlanContext = {
      snapshot: view.snapshot,
      self: recorder.identity,
      find: (name) => prepared.states.get(name) ?? null,
      ids,
      random,
      denials,
      record: createRecorder(recorder, view.snapshot),
      recordConnection: createConnectionRecorder(recorder, view.snapshot),
    };
    return this.#options.modes.flatMap((mode) => mode.listeners(view, context));
  }

  async #open(plans: readonly ListenerPlan[]): Promise<Result<Opened, MeshError>> {
    try {
      const ready = await Promise.all(
        plans.map(async (listener) => ({ listener, certificate: await this.#certificateFor(listener) })),
      );
      const listeners = await this.#listeners.open(ready.map((one) => this.#wanted(one)));
      return listeners.ok ? ok({ ready, listeners: listeners.value }) : listeners;
    } catch (error) {
      return err(error instanceof MeshError ? error : new MeshError('internal', { cause: error }));
    }
  }

  async #certificateFor(listener: ListenerPlan): Promise<ServerCertificate | null> {
    if (listener.tls !== 'edge') return null;
    const { certificates } = this.#options;
    if (certificates === null) throw new MeshError('authority-missing', { detail: `listener ${listener.name}` });
    return certificates.for(listener.hosts);
  }

  #wanted({
    listener,
    certificate,
  }: {
    listener: EarlyListener | ListenerPlan;
    certificate: ServerCertificate | null;
  }): WantedListener {
    const { name, optional = false } = listener;
    const address = this.#options.sharing?.placeOf(name, listener.address) ?? listener.address;
    const make = (): Acceptor => {
      const acceptor = this.#acceptor({ ...listener, address }, certificate);
      // Before the first view is in force as a whole its sockets serve already what they are bound for: beside another of
      // ours the system hands them connections at once.
      if (this.#view === null && 'plan' in listener) this.#swapPlans(acceptor, listener);
      return acceptor;
    };
    return { name, address, kind: kindOf(listener), optional, make };
  }

  #acceptor(listener: EarlyListener, certificate: ServerCertificate | null): Acceptor {
    const served = this.#served(listener);
    const tunnels = new Map<string, Served>();
    const serving = (by: Served, find: FindTunnel | null): Serve => {
      return (socket, info, onClose) => serveConnection(socket, info, onClose, by, this.#codecs, find);
    };
    const find: FindTunnel = (name) => {
      const through = tunnels.get(name);
      return through === undefined ? undefined : serving(through, null);
    };
    const certificates = certificate === null ? null : new EdgeCertificates([certificate]);
    const acceptor = new Acceptor({
      name: listener.name,
      address: listener.address,
      scheme: listener.tls === 'none' ? 'http' : 'https',
      sharing: this.#options.sharing ?? null,
      createServer: this.#serverFactory(listener, certificates),
      serve: serving(served, listener.connect === true ? find : null),
    });
    this.#behind.set(acceptor, { served, tunnels, certificates });
    return acceptor;
  }

  #served(listener: EarlyListener): Served {
    const timers = this.#timers;
    const plan = this.#idlePlan(listener);
    const { stats } = this.#options.recorder;
    return {
      http: new Forwarder({ deadlines: this.#deadlines, now, date: this.#date }, plan),
      tcp: new TcpForwarder(
        { timers, now, splice },
        notReadyTcpPlan((record) => stats.tcp.record(record)),
        listener.tls === 'passthrough' ? 'passthrough' : 'plain',
      ),
    };
  }

  #serverFactory(listener: EarlyListener, certificates: EdgeCertificates | null): ServerFactory {
    const { name, proxyProtocol: from } = listener;
    const inner = this.#innerServer(listener, certificates);
    return from === undefined ? inner : createProxiedServer({ from, name, log: this.#options.log, inner });
  }

  #innerServer(listener: EarlyListener, certificates: EdgeCertificates | null): ServerFactory {
    const { mesh, log } = this.#options;
    const { name, tls } = listener;
    if (tls === 'none' || tls === 'passthrough') return createPlainServer;
    const protocols = 'tcp' in listener ? [] : EDGE_PROTOCOLS;
    if (certificates !== null) return (onSocket) => certificates.createServer(name, log, protocols, onSocket);
    if (mesh === null) throw new MeshError('no-identity', { detail: `listener ${name}` });
    return (onSocket) => mesh.tls.createServer(name, onSocket);
  }

  #idlePlan(listener: EarlyListener): ExchangePlan {
    const { ids, recorder } = this.#options;
    return notReadyPlan(ids, (record) => recorder.stats.record(record), listener.tls === 'mesh');
  }

  #dial(cluster: Cluster, endpoint: Endpoint, done: DialDone, http1Only: boolean): () => void {
    if (cluster.kind === 'static') return dialPlain(cluster, endpoint, done, true);
    const { mesh } = this.#options;
    if (mesh !== null) return mesh.dialer.dial(cluster, endpoint, done, http1Only);
    const refused = setImmediate(() => done(new MeshError('no-identity', { unprocessed: true }), null));
    return () => clearImmediate(refused);
  }
}

/** What makes two sockets at one place different ones; by plans alone, they are the same. */
function kindOf(listener: EarlyListener): string {
  const { tls, proxyProtocol } = listener;
  const bytes = tls === 'edge' && 'tcp' in listener ? ['bytes'] : [];
  return [tls, ...bytes, ...(proxyProtocol === undefined ? [] : ['proxied', ...proxyProtocol])].join(' ');
}

function swapPlans(served: Served, { plan, tcp }: TunnelPlan): void {
  served.http.swap(plan);
  served.tcp.swap(tcp ?? null);
}

function refusal(error: MeshError, resource: string, ruleId: string): Refusal {
  const detail = error.detail === '' ? error.message : `${error.message}: ${error.detail}`;
  return { code: error.code, resource, ruleId, message: error.hint === '' ? detail : `${detail} (${error.hint})` };
}

/** Looked up once: the global is a getter. */
const clock = performance;

function now(): number {
  return clock.now();
}
