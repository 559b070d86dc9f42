// The data path as the process around it sees it, whether it runs on the event loop of that process or on those of
// worker threads: what it is told, and what it can say about itself in plain data.
import { describeError } from '../../core/kit/error.ts';
import type { Result } from '../../core/kit/result.ts';
import type { View } from '../../core/model/view.ts';
import type { BoundPort } from '../../host/ipc.ts';
import { formatAddress } from '../../host/setting-kinds.ts';
import type { EndpointFacts } from '../admin/pages.ts';
import type { Refusal } from '../agent/agent.ts';
import type { Proxy } from '../assemble.ts';
import type { Series, Stats } from '../telemetry/stats.ts';
import { tcpGauges } from '../telemetry/tcp-stats.ts';
import type { MeshMaterial } from '../tls/material.ts';
import type { MeshTls } from '../tls/mesh-tls.ts';
import { type GaugeReport, proxyGauges, readGauge } from './gauges.ts';

export interface DataPath {
  /** In force; null before the first. */
  readonly view: View | null;
  /** As far as it is known here: see `refresh`. */
  readonly report: PathReport;
  /** Gets the report up to date; never rejects. */
  refresh(): Promise<void>;
  /** Binds what does not depend on a view. Throws MeshError `address-in-use`. */
  start(): Promise<void>;
  /** All of a view or none of it. Calls must not overlap. */
  apply(view: View, warmLimit?: number): Promise<Result<void, Refusal>>;
  /** A renewed SVID. */
  renewIdentity(material: MeshMaterial): void;
  /** New certificates for every edge listener with TLS. */
  renewCertificates(): Promise<void>;
  /** Leaves the mesh as a callee, for at most `cap` ms. */
  drainInbound(cap: number): Promise<void>;
  /** Takes no new connections and ends exchanges in order, for at most `cap` ms. */
  drain(cap: number): Promise<void>;
  /** Ends everything now. */
  close(): void;
}

/** Plain data, so that a thread can hand it to another. */
export interface PathReport {
  readonly listeners: readonly ListenerReport[];
  /** Sockets whose place another program has, and why. */
  readonly unbound: readonly { readonly name: string; readonly reason: string }[];
  readonly clusters: Readonly<Record<string, readonly EndpointFacts[]>>;
  /** What `weft netns --transparent` is asked to redirect. */
  readonly redirects: readonly string[];
  readonly series: readonly Series[];
  readonly gauges: readonly GaugeReport[];
  /** Open connections of each thread. */
  readonly threads: readonly number[];
}

export interface ListenerReport extends BoundPort {
  /** Open connections. */
  readonly open: number;
  /** It does not speak HTTP. */
  readonly bytes: boolean;
}

export function isInbound(listener: string): boolean {
  return listener === 'inbound';
}

/** On this thread. */
export class LocalPath implements DataPath {
  readonly #proxy: Proxy;
  readonly #stats: Stats;
  readonly #tls: MeshTls | null;

  constructor(proxy: Proxy, stats: Stats, tls: MeshTls | null) {
    this.#proxy = proxy;
    this.#stats = stats;
    this.#tls = tls;
  }

  get view(): View | null {
    return this.#proxy.view;
  }

  get report(): PathReport {
    const proxy = this.#proxy;
    const listeners = proxy.acceptors.map((acceptor) => {
      const { name, bound, counts } = acceptor;
      return { name, ...bound, open: counts.open, bytes: proxy.carriesBytes(acceptor) };
    });
    return {
      listeners,
      unbound: proxy.unbound.map(({ name, error }) => ({ name, reason: describeError(error) })),
      clusters: Object.fromEntries(
        [...proxy.clusters.states].map(([name, { pools }]) => [name, pools.map((pool) => pool.facts)]),
      ),
      redirects: proxy.redirects.map(({ from, to }) => `${from}=${formatAddress(to)}`),
      series: this.#stats.series,
      gauges: [...proxyGauges(proxy), ...tcpGauges(this.#stats.tcp)].map(readGauge),
      threads: [listeners.reduce((sum, { open }) => sum + open, 0)],
    };
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  start(): Promise<void> {
    return this.#proxy.start();
  }

  apply(view: View, warmLimit?: number): Promise<Result<void, Refusal>> {
    return this.#proxy.apply(view, warmLimit);
  }

  renewIdentity(material: MeshMaterial): void {
    this.#tls?.update(material);
  }

  renewCertificates(): Promise<void> {
    return this.#proxy.renewCertificates();
  }

  drainInbound(cap: number): Promise<void> {
    return this.#proxy.drainListeners(cap, isInbound);
  }

  drain(cap: number): Promise<void> {
    return this.#proxy.drain(cap);
  }

  close(): void {
    this.#proxy.close();
  }
}
