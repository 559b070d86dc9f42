// The metrics page. prom-client is loaded at the first scrape: a sidecar that nobody scrapes does not pay for it.
import type * as PromClientModule from 'prom-client';
import type { Registry } from 'prom-client';
import type { Handler } from './admin.ts';

export type PromClient = typeof PromClientModule;

/**
 * A handler for `/metrics`. `describe` is called once, at the first scrape, to register metrics whose `collect`
 * reads the hot path's plain arrays; it must register on this registry only (`registers: [registry]`).
 */
export function metricsPage(describe: (prom: PromClient, registry: Registry) => void): Handler {
  let loaded: Promise<Registry> | null = null;
  return async () => {
    loaded ??= load(describe);
    const registry = await loaded;
    return { status: 200, contentType: registry.contentType, body: await registry.metrics() };
  };
}

async function load(describe: (prom: PromClient, registry: Registry) => void): Promise<Registry> {
  const prom = await import('prom-client');
  const registry = new prom.Registry();
  describe(prom, registry);
  return registry;
}
