// What surrounds every proxy process: log, status port, admin socket, readiness, reports to a parent,
// signals and the drain. The modes fill it with a data path.
import { join } from 'node:path';
import { describeError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import type { AppFacts } from '../../core/model/health.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import {
  type Handlers,
  json,
  type Reply,
  type RunningServer,
  startAdminServer,
  startStatusServer,
  text,
} from '../../host/admin.ts';
import { compactWhenQuiet } from '../../host/compact-heap.ts';
import { type BoundPort, onParentGone, reportToParent } from '../../host/ipc.ts';
import { metricsPage } from '../../host/metrics.ts';
import { CAN_SHARE_PORTS } from '../../host/shared-port.ts';
import { type StopSignals, watchStopSignals } from '../../host/signals.ts';
import { adminPages, statusPages } from '../admin/pages.ts';
import { DecisionRing } from '../telemetry/decisions.ts';
import { Denials } from '../telemetry/denials.ts';
import { type Gauge, registerMetrics } from '../telemetry/metrics.ts';
import type { Series } from '../telemetry/stats.ts';
import type { DataPath, PathReport } from './data-path.ts';
import { appUp, type Configuration, configAge, type GaugeReport, readGauge } from './gauges.ts';
import type { Predecessor, TakeoverOffer } from './takeover.ts';

export interface ShellOptions {
  readonly log: Log;
  readonly status: HostPort;
  readonly stateDir: string;
  /** Milliseconds that a stop may take. */
  readonly drain: number;
  /** Whom this process takes over from. */
  readonly predecessor?: Predecessor | null;
  /** Why nobody may take over from this one; '' where somebody may. */
  readonly staysFor?: string;
}

export class Shell {
  readonly log: Log;
  readonly ring = new DecisionRing();
  readonly denials: Denials;
  readonly signals: StopSignals;
  readonly #options: ShellOptions;
  readonly #missing = new Set(['certificate', 'configuration']);
  #servers: RunningServer[] = [];
  #path: DataPath | null = null;
  /** What the metrics page shows: one moment, not several. */
  #scraped: PathReport | null = null;
  #facts: () => Readonly<Record<string, unknown>> = () => ({});
  #configuration: () => Configuration | null = () => null;
  #app: () => AppFacts | null = () => null;
  #stopping = false;
  #replaced = false;
  #admin: RunningServer | null = null;
  #startAdmin: () => Promise<void> = () => Promise.resolve();

  constructor(options: ShellOptions) {
    this.#options = options;
    this.log = options.log;
    this.denials = new Denials(this.ring, options.log, Date.now);
    this.signals = watchStopSignals();
  }

  /** Opens status port and admin socket; from here on a probe gets an answer. */
  async start(): Promise<void> {
    onParentGone(() => this.signals.requestStop('the parent is gone'));
    const metrics = metricsPage((_prom, registry) =>
      registerMetrics(registry, () => this.#scraped?.series ?? [], this.#gauges()),
    );
    const scrape: Handlers = {
      '/metrics': (query) => {
        this.#scraped = this.#path?.report ?? null;
        return metrics(query);
      },
    };
    const unready = (of: 'proxy' | 'all'): readonly string[] => this.#unready(of);
    const notes = (): Readonly<Record<string, unknown>> => this.#notes();
    const admin = adminPages({
      unready,
      notes,
      view: () => this.#path?.view ?? null,
      clusters: () => this.#path?.report.clusters ?? {},
      decisions: (limit) => this.ring.list(limit),
      decision: (id) => this.ring.find(id),
      redirects: () => this.#path?.report.redirects ?? [],
      stats: () => this.#stats(),
      facts: () => ({ listeners: this.#ports(), ...this.#facts() }),
    });
    const { status, stateDir, predecessor = null } = this.#options;
    const pages = { ...statusPages(unready, notes), ...this.#fresh(scrape) };
    this.#servers.push(await this.#startStatus(status, pages));
    this.#startAdmin = async () => {
      const handlers = { ...this.#fresh(admin), '/takeover': () => json(this.#offer()) };
      this.#admin = await startAdminServer(join(stateDir, 'admin.sock'), handlers, { '/leave': () => this.#leave() });
      this.#servers.push(this.#admin);
    };
    // The place is taken until that one leaves.
    if (predecessor === null) await this.#startAdmin();
  }

  /** The data path whose state the pages show, where its configuration comes from if that is the control plane, and its app. */
  attach(
    path: DataPath,
    facts: () => Readonly<Record<string, unknown>>,
    configuration: () => Configuration | null = () => null,
    app: () => AppFacts | null = () => null,
  ): void {
    this.#path = path;
    this.#facts = facts;
    this.#configuration = configuration;
    this.#app = app;
  }

  /** What the process before this one listens on under this name; 0: nothing. */
  heldPort(name: string): number {
    return this.#options.predecessor?.ports.find((held) => held.name === name)?.port ?? 0;
  }

  /** One of the things that were missing is there; with the last one the process is ready. */
  has(what: 'certificate' | 'configuration'): void {
    if (!this.#missing.delete(what) || this.#missing.size > 0) return;
    const { predecessor = null } = this.#options;
    if (predecessor === null) this.#sayReady();
    else void this.#replace(predecessor);
  }

  /** After sockets were bound or a view was applied. */
  report(): void {
    reportToParent({ kind: 'listening', ports: this.#ports() });
    const path = this.#path;
    if (path?.view) {
      const clusters = Object.entries(path.report.clusters).map(
        ([name, endpoints]) => [name, endpoints.length] as const,
      );
      reportToParent({ kind: 'state', snapshot: path.view.snapshot, clusters: Object.fromEntries(clusters) });
    }
  }

  /** No longer ready, though everything goes on. */
  leaving(): void {
    this.#stopping = true;
  }

  /** Another process took over from this one. */
  get replaced(): boolean {
    return this.#replaced;
  }

  /** Waits for a signal, then ends in order: exchanges get `drain` ms, a second signal ends them at once. */
  async stopped(): Promise<string> {
    const { stop } = this.signals;
    if (!stop.aborted) await new Promise((done) => stop.addEventListener('abort', done, { once: true }));
    return String(stop.reason);
  }

  async close(): Promise<void> {
    this.#stopping = true;
    const path = this.#path;
    if (path !== null) {
      const { now } = this.signals;
      if (now.aborted) path.close();
      else now.addEventListener('abort', () => path.close(), { once: true });
      await path.drain(this.#options.drain);
    }
    await Promise.all(this.#servers.map((server) => server.close()));
    this.signals.close();
  }

  #sayReady(): void {
    this.log.info({ listeners: this.#ports() }, 'ready');
    reportToParent({ kind: 'ready' });
    compactWhenQuiet();
  }

  async #replace(predecessor: Predecessor): Promise<void> {
    const { pid } = predecessor;
    try {
      await predecessor.leave();
      await this.#startAdmin();
      this.log.info({ pid }, 'took over');
    } catch (error) {
      // Both serve, until somebody stops one.
      this.log.error({ pid, error: describeError(error) }, 'the process before this one does not leave');
    }
    this.#sayReady();
  }

  #startStatus(status: HostPort, pages: Handlers): Promise<RunningServer> {
    const held = this.#options.predecessor?.ports.find(({ name }) => name === 'status');
    const same = held !== undefined && (status.port === 0 || status.port === held.port);
    if (same) return startStatusServer({ host: status.host, port: held.port }, pages, 'beside');
    return startStatusServer(status, pages, CAN_SHARE_PORTS ? 'first' : 'alone');
  }

  #offer(): TakeoverOffer {
    const { staysFor = '' } = this.#options;
    const unable = CAN_SHARE_PORTS ? '' : `ports cannot be shared on ${process.platform}`;
    return { pid: process.pid, ports: this.#ports(), refusal: staysFor || unable };
  }

  /** The successor is ready: its admin socket comes to the place of this one. */
  #leave(): Reply {
    const { refusal } = this.#offer();
    if (refusal !== '') return text(refusal, 409);
    this.#admin?.free();
    this.#replaced = true;
    setImmediate(() => this.signals.requestStop('another process took over'));
    return text('leaving', 202);
  }

  #unready(of: 'proxy' | 'all'): readonly string[] {
    if (this.#stopping) return ['it is stopping'];
    const unbound = this.#path?.report.unbound ?? [];
    const app = of === 'all' ? this.#app() : null;
    const down = app?.health === 'down' ? [`the app at ${app.reason}`] : [];
    return [...this.#missing, ...unbound.map(({ name, reason }) => `${name}: ${reason}`), ...down];
  }

  #notes(): Readonly<Record<string, unknown>> {
    const configuration = this.#configuration();
    return configuration === null ? {} : { configuration };
  }

  #ports(): BoundPort[] {
    const [status] = this.#servers;
    const own = status === undefined ? [] : [{ name: 'status', host: status.address, port: status.port }];
    const listeners = this.#path?.report.listeners ?? [];
    return [...listeners.map(({ name, host, port }) => ({ name, host, port })), ...own];
  }

  #stats(): object {
    const report = this.#path?.report;
    if (report === undefined) return { series: [], gauges: {}, threads: [] };
    const gauges = [...report.gauges, ...this.#ownGauges().map(readGauge)];
    const values = gauges.map((gauge: GaugeReport) => [gauge.name, gauge.values] as const);
    return { series: report.series.map(readable), gauges: Object.fromEntries(values), threads: report.threads };
  }

  /** Those of the data path read what was scraped. */
  #gauges(): readonly Gauge[] {
    const own = (this.#scraped?.gauges ?? []).map((gauge) => ({
      ...gauge,
      values: () => this.#scraped?.gauges.find(({ name }) => name === gauge.name)?.values ?? [],
    }));
    return [...own, ...this.#ownGauges()];
  }

  /** Of the process, whatever its threads. */
  #ownGauges(): readonly Gauge[] {
    return [configAge(() => this.#configuration()), appUp(() => this.#app())];
  }

  /** Pages that tell what the data path says now. */
  #fresh(handlers: Handlers): Handlers {
    const pages = Object.entries(handlers).map(([path, handler]) => {
      const page: Handlers[string] = async (query) => {
        await this.#path?.refresh();
        return handler(query);
      };
      return [path, page] as const;
    });
    return Object.fromEntries(pages);
  }
}

function readable(series: Series): object {
  const { listener, route, cluster, byStatusClass, byGrpcStatus, errors, retries } = series;
  const calls = byGrpcStatus === null ? {} : { byGrpcStatus: [...byGrpcStatus] };
  const answers = { byStatusClass: [...byStatusClass], ...calls };
  return { listener, route, cluster, ...answers, errors: Object.fromEntries(errors), retries };
}
