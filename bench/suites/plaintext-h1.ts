// Suite: one proxy, plaintext HTTP/1.1 in and out.
import { compare, type Comparison, estimateComparison } from '../compare.ts';
import { PATH, startEdges } from '../edges.ts';
import { MANY_REQUEST_FIELDS } from '../load/headers.ts';
import { runWrk } from '../load/wrk.ts';
import type { Suite } from '../suite.ts';
import { costTables } from './columns.ts';

const CONNECTIONS = [32, 256, 1] as const;

const comparison: Comparison = {
  points: [
    ...CONNECTIONS.map((connections) => ({
      name: `${connections} × bare`,
      peers: connections > 1,
      load: (to: { urls: Readonly<Record<string, string>>; host: string }, seconds: number) =>
        runWrk({ url: `${to.urls['plain']}${PATH}`, host: to.host, connections, seconds }),
    })),
    ...CONNECTIONS.map((connections) => ({
      name: `${connections} × 18/12 headers`,
      peers: false,
      load: (to: { urls: Readonly<Record<string, string>>; host: string }, seconds: number) => {
        const url = `${to.urls['plain']}/service-58/items/42`;
        return runWrk({ url, host: to.host, connections, seconds, fields: MANY_REQUEST_FIELDS });
      },
    })),
  ],
  fixed: CONNECTIONS.map((connections) => ({
    of: `${connections} × bare`,
    protocol: 'http1',
    connections,
    streams: 1,
    url: 'plain',
    path: PATH,
  })),
};

export const plaintextH1: Suite = {
  name: 'plaintext-h1',
  title: 'One proxy, plaintext HTTP/1.1',
  about:
    '`N × bare`: N keep-alive connections of wrk with Host alone, 4 response headers; `N × 18/12 headers`: a browser-like request of 18 headers, 12 response headers. About 200 bytes of JSON.',
  tables: costTables('Envoy', 'connections'),
  estimate: (effort) => estimateComparison(comparison, effort, { jit: 2, other: 3 }),
  async run(context) {
    await compare(context, await startEdges(context, { protocol: 'http1', tls: false, peers: true }), comparison);
  },
};
