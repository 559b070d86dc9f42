// Two Envoys as sidecars of a caller and an app: plaintext → mutual TLS 1.3 with HTTP/2 inside → plaintext. At the
// caller's the callees are told apart by Host, as Weft's sidecar does, each a cluster of its own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IssuedFiles } from './certificates.ts';
import {
  type AppProtocol,
  cluster,
  collector,
  connectionManager,
  hostRoutes,
  listener,
  mutualTls,
} from './envoy-parts.ts';

export interface PairSpec {
  readonly app: number;
  readonly inbound: number;
  readonly outbound: number;
  /** The app's. */
  readonly protocol: AppProtocol;
  /** Services that the caller calls; the first is the one behind the other Envoy. */
  readonly callees: readonly string[];
}

export function writeEnvoyPair(
  folder: string,
  files: IssuedFiles,
  spec: PairSpec,
): { readonly inbound: string; readonly outbound: string } {
  const out = mutualTls('UpstreamTlsContext', files.bundle, files.caller, files.upstream.identity);
  const into = mutualTls('DownstreamTlsContext', files.bundle, files.upstream, files.caller.identity);
  const outbound = {
    static_resources: {
      listeners: [listener('outbound', spec.outbound, connectionManager(hostRoutes(spec.callees), false))],
      clusters: [...spec.callees.map((name) => cluster(name, spec.inbound, 'http2', out)), collector()],
    },
  };
  const app = { name: 'app', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }] };
  const inbound = {
    static_resources: {
      listeners: [listener('inbound', spec.inbound, connectionManager([app], false), into)],
      clusters: [cluster('app', spec.app, spec.protocol), collector()],
    },
  };
  const paths = { inbound: join(folder, 'inbound.json'), outbound: join(folder, 'outbound.json') };
  writeFileSync(paths.inbound, JSON.stringify(inbound, null, 2));
  writeFileSync(paths.outbound, JSON.stringify(outbound, null, 2));
  return paths;
}
