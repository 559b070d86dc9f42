// What the control plane says about itself: health, readiness and metrics on the status port, more for operators
// on the admin socket.
import { json, text, type Handlers } from '../host/admin.ts';
import { metricsPage } from '../host/metrics.ts';
import type { Instance } from './registry/registry.ts';
import type { StreamState } from './server/proxy-stream.ts';

export interface Facts {
  readonly ready: () => boolean;
  /** Hash of the snapshot in force; null before the first. */
  readonly snapshot: () => string | null;
  readonly proxies: () => readonly StreamState[];
  readonly instances: () => readonly Instance[];
  /** Instances that are lost and kept because most were lost at once. */
  readonly held: () => number;
  readonly counts: Counts;
}

/** Since the start of the process. */
export interface Counts {
  acks: number;
  nacks: number;
  /** Configurations that were read and not put in force. */
  invalidConfigs: number;
}

export function statusPages(facts: Facts): Handlers {
  return {
    '/healthz': () => text('ok'),
    '/readyz': () => (facts.ready() ? text('ready') : text('not ready', 503)),
    '/metrics': metricsPage((prom, registry) => {
      const registers = [registry];
      const gauge = (name: string, help: string, read: () => number) =>
        new prom.Gauge({
          name,
          help,
          registers,
          collect() {
            this.set(read());
          },
        });
      gauge('weft_control_plane_proxies', 'Proxies with an open discovery stream', () => facts.proxies().length);
      gauge('weft_control_plane_instances', 'Instances in the registry', () => facts.instances().length);
      gauge('weft_control_plane_instances_held', 'Lost instances that are kept: most were lost at once', facts.held);
      countersOf(facts.counts).forEach(([name, help, read]) => {
        new prom.Counter({
          name,
          help,
          registers,
          collect() {
            this.reset();
            this.inc(read());
          },
        });
      });
      new prom.Gauge({
        name: 'weft_control_plane_snapshot_info',
        help: 'The snapshot in force, as a label; always 1',
        labelNames: ['snapshot'],
        registers,
        collect() {
          this.reset();
          this.set({ snapshot: facts.snapshot() ?? '' }, 1);
        },
      });
    }),
  };
}

function countersOf(counts: Counts): [name: string, help: string, read: () => number][] {
  return [
    ['weft_discovery_acks_total', 'Views that proxies took', () => counts.acks],
    ['weft_discovery_nacks_total', 'Views that proxies refused', () => counts.nacks],
    ['weft_config_invalid_total', 'Configurations that were refused', () => counts.invalidConfigs],
  ];
}

export function adminPages(facts: Facts): Handlers {
  return {
    '/ready': () => json({ ready: facts.ready() }, facts.ready() ? 200 : 503),
    '/snapshot': () => json({ snapshot: facts.snapshot() }),
    '/proxies': () => json({ proxies: facts.proxies() }),
    '/instances': () => json({ instances: facts.instances() }),
  };
}
