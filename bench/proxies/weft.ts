// Weft's standalone edge with the 100 routes that the peers have.
import { writeFileSync } from 'node:fs';

export function writeWeftConfig(file: string, port: number, upstreamPort: number): void {
  const routes = Array.from(
    { length: 100 },
    (_, i) => `      - { match: { prefix: /service-${i} }, to: upstream }`,
  ).join('\n');
  writeFileSync(
    file,
    `version: 1
services:
  upstream: { endpoints: [127.0.0.1:${upstreamPort}] }
edges:
  bench:
    listeners: [{ port: ${port}, address: 127.0.0.1 }]
    routes:
${routes}
`,
  );
}
