// Weft's standalone edge with the 100 routes that the peers have, as it is shipped: built, with its own flags.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROXY_NODE_FLAGS, proxyEnvironment } from '../../host/node-flags.ts';
import { BENCH } from '../results.ts';
import type { EdgeSpec } from './edge.ts';

export function weftEdgeCommand(work: string, file: string): { command: readonly string[]; env: NodeJS.ProcessEnv } {
  const main = [join(BENCH, '..', 'dist', 'proxy.js'), 'edge', '--standalone', file];
  const places = ['--state-dir', join(work, 'state'), '--ca-dir', join(work, 'ca'), '--status', '127.0.0.1:0'];
  const settings = [...places, '--access-log', 'off'];
  return { command: [process.execPath, ...PROXY_NODE_FLAGS, ...main, ...settings], env: proxyEnvironment({}) };
}

export function writeWeftEdge(file: string, spec: EdgeSpec): void {
  const { plain, secure } = spec.ports;
  const protocol = spec.protocol === 'http1' ? '' : `, protocol: ${spec.grpc ? 'grpc' : 'http2'}`;
  const services = spec.upstreams.map(({ name, port }) => `  ${name}: { endpoints: [127.0.0.1:${port}]${protocol} }`);
  const routes = Array.from(
    { length: 100 },
    (_, i) => `      - { match: { prefix: /service-${i} }, to: ${spec.upstreamOf(i)} }`,
  );
  const tls =
    secure === null ? '' : `\n      - { port: ${secure}, address: 127.0.0.1, hosts: [bench.test], tls: internal }`;
  writeFileSync(
    file,
    `version: 1
services:
${services.join('\n')}
edges:
  bench:
    listeners:
      - { port: ${plain}, address: 127.0.0.1 }${tls}
    routes:
${routes.join('\n')}
`,
  );
}
