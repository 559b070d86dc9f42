// What surrounds every proxy process: log, status port, admin socket, readiness, reports to a parent,
// signals and the drain. The modes fill it with a data path.
import { join } from 'node:path';
import { describeError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import type { SpiffeId } from '../../core/model/brand.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import { type RunningServer, startAdminServer, startStatusServer } from '../../host/admin.ts';
import { type BoundPort, onParentGone, reportToParent } from '../../host/ipc.ts';
import { metricsPage } from '../../host/metrics.ts';
import { formatAddress } from '../../host/setting-kinds.ts';
import { type StopSignals, watchStopSignals } from '../../host/signals.ts';
import { adminPages, statusPages } from '../admin/pages.ts';
import type { Proxy } from '../assemble.ts';
import { IdSource } from '../filter/ids.ts';
import { DecisionRing } from '../telemetry/decisions.ts';
import { Denials } from '../telemetry/denials.ts';
import { type Gauge, registerMetrics } from '../telemetry/metrics.ts';
import type { RecorderOptions } from '../telemetry/recorder.ts';
import { Stats } from '../telemetry/stats.ts';
import { type Configuration, configAge, proxyGauges } from './gauges.ts';

export interface ShellOptions {
  readonly log: Log;
  readonly status: HostPort;
  readonly stateDir: string;
  readonly accessLog: boolean;
  /** Milliseconds that a stop may take. */
  readonly drain: number;
}

export class Shell {
  readonly log: Log;
  readonly stats = new Stats();
  readonly ring = new DecisionRing();
  readonly denials: Denials;
  readonly ids = new IdSource();
  readonly signals: StopSignals;
  readonly #options: ShellOptions;
  readonly #missing = new Set(['certificate', 'configuration']);
  #servers: RunningServer[] = [];
  #proxy: Proxy | null = null;
  #facts: () => Readonly<Record<string, unknown>> = () => ({});
  #configuration: () => Configuration | null = () => null;
  #gauges: () => readonly Gauge[] = () => [];
  #stopping = false;

  constructor(options: ShellOptions) {
    this.#options = options;
    this.log = options.log;
    this.denials = new Denials(this.ring, options.log, Date.now);
    this.signals = watchStopSignals();
  }

  recorder(identity: SpiffeId | null): RecorderOptions {
    return { stats: this.stats, log: this.log, accessLog: this.#options.accessLog, identity };
  }

  /** Opens status port and admin socket; from here on a probe gets an answer. */
  async start(): Promise<void> {
    onParentGone(() => this.signals.requestStop('the parent is gone'));
    const metrics = metricsPage((_prom, registry) => registerMetrics(registry, this.stats, this.#gauges()));
    const unready = (): readonly string[] => this.#unready();
    const notes = (): Readonly<Record<string, unknown>> => this.#notes();
    this.#servers.push(
      await startStatusServer(this.#options.status, { ...statusPages(unready, notes), '/metrics': metrics }),
      await startAdminServer(
        join(this.#options.stateDir, 'admin.sock'),
        adminPages({
          unready,
          notes,
          view: () => this.#proxy?.view ?? null,
          clusters: () => this.#clusterFacts(),
          decisions: (limit) => this.ring.list(limit),
          decision: (id) => this.ring.find(id),
          redirects: () => this.#proxy?.redirects.map(({ from, to }) => `${from}=${formatAddress(to)}`) ?? [],
          stats: () => ({ series: this.stats.series.map(readable), gauges: gaugeValues(this.#gauges()) }),
          facts: () => ({ listeners: this.#ports(), ...this.#facts() }),
        }),
      ),
    );
  }

  /** The data path whose state the pages show, and where its configuration comes from if that is the control plane. */
  attach(
    proxy: Proxy,
    facts: () => Readonly<Record<string, unknown>>,
    configuration: () => Configuration | null = () => null,
  ): void {
    this.#proxy = proxy;
    this.#facts = facts;
    this.#configuration = configuration;
    this.#gauges = () => [...proxyGauges(proxy), configAge(configuration)];
  }

  /** One of the things that were missing is there; with the last one the process is ready. */
  has(what: 'certificate' | 'configuration'): void {
    if (!this.#missing.delete(what) || this.#missing.size > 0) return;
    this.log.info({ listeners: this.#ports() }, 'ready');
    reportToParent({ kind: 'ready' });
  }

  /** After sockets were bound or a view was applied. */
  report(): void {
    reportToParent({ kind: 'listening', ports: this.#ports() });
    const proxy = this.#proxy;
    if (proxy?.view) {
      reportToParent({ kind: 'state', snapshot: proxy.view.snapshot, clusters: proxy.clusters.usable() });
    }
  }

  /** Waits for a signal, then ends in order: exchanges get `drain` ms, a second signal ends them at once. */
  async stopped(): Promise<string> {
    const { stop } = this.signals;
    if (!stop.aborted) await new Promise((done) => stop.addEventListener('abort', done, { once: true }));
    return String(stop.reason);
  }

  async close(): Promise<void> {
    this.#stopping = true;
    const proxy = this.#proxy;
    if (proxy !== null) {
      const { now } = this.signals;
      if (now.aborted) proxy.close();
      else now.addEventListener('abort', () => proxy.close(), { once: true });
      await proxy.drain(this.#options.drain);
    }
    await Promise.all(this.#servers.map((server) => server.close()));
    this.signals.close();
  }

  #unready(): readonly string[] {
    if (this.#stopping) return ['it is stopping'];
    const unbound = this.#proxy?.unbound ?? [];
    return [...this.#missing, ...unbound.map(({ name, error }) => `${name}: ${describeError(error)}`)];
  }

  #notes(): Readonly<Record<string, unknown>> {
    const configuration = this.#configuration();
    return configuration === null ? {} : { configuration };
  }

  #ports(): BoundPort[] {
    const [status] = this.#servers;
    const own = status === undefined ? [] : [{ name: 'status', host: status.address, port: status.port }];
    const acceptors = this.#proxy?.acceptors ?? [];
    return [...acceptors.map((acceptor) => ({ name: acceptor.name, ...acceptor.bound })), ...own];
  }

  #clusterFacts(): Record<string, { id: string; address: string; active: number; idle: number }[]> {
    const states = this.#proxy?.clusters.states ?? new Map<string, never>();
    return Object.fromEntries(
      [...states].map(([name, state]) => [
        name,
        state.pools.map(({ id, address, active, idle }) => ({ id, address, active, idle })),
      ]),
    );
  }
}

function readable(series: Stats['series'][number]): object {
  const { listener, route, cluster, byStatusClass, byGrpcStatus, errors, retries } = series;
  const calls = byGrpcStatus === null ? {} : { byGrpcStatus: [...byGrpcStatus] };
  const answers = { byStatusClass: [...byStatusClass], ...calls };
  return { listener, route, cluster, ...answers, errors: Object.fromEntries(errors), retries };
}

function gaugeValues(gauges: readonly Gauge[]): Record<string, unknown> {
  return Object.fromEntries(gauges.map((gauge) => [gauge.name, gauge.values()]));
}
