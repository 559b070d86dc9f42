// Suites: bodies of 64 KiB and 10 MiB, down and up: what a second of CPU carries.
import { compare, type Comparison, estimateComparison } from '../compare.ts';
import { startEdges } from '../edges.ts';
import { runWrk } from '../load/wrk.ts';
import { startPairs } from '../pairs.ts';
import type { Suite } from '../suite.ts';
import { throughputTable } from './columns.ts';

const KIB = 1_024;
const SIZES = [
  { name: '64 KiB', bytes: 64 * KIB, connections: 32 },
  { name: '10 MiB', bytes: 10 * KIB * KIB, connections: 4 },
] as const;

const comparison: Comparison = {
  points: SIZES.flatMap(({ name, bytes, connections }) => [
    {
      name: `${name} down`,
      peers: false,
      bodyBytes: bytes,
      load: (to, seconds) =>
        runWrk({ url: `${to.urls['plain']}/service-57/bytes/${bytes}`, host: to.host, connections, seconds }),
    },
    {
      name: `${name} up`,
      peers: false,
      bodyBytes: bytes,
      load: (to, seconds) => {
        const url = `${to.urls['plain']}/service-57/upload`;
        return runWrk({ url, host: to.host, connections, seconds, upload: bytes });
      },
    },
  ]),
  fixed: [],
};
const ABOUT = '64 KiB on 32 connections, 10 MiB on 4, by wrk; HTTP/1.1 on both sides, with Content-Length.';

export const bodiesHttp1: Suite = {
  name: 'bodies-h1',
  title: 'Bodies, one proxy, plaintext HTTP/1.1',
  about: ABOUT,
  tables: [throughputTable('Envoy')],
  estimate: (effort) => estimateComparison(comparison, effort, { jit: 0, other: 0 }),
  async run(context) {
    await compare(context, await startEdges(context, { protocol: 'http1', tls: false, peers: false }), comparison);
  },
};

export const bodiesPair: Suite = {
  name: 'bodies-pair',
  title: 'Bodies, a pair of sidecars with mutual TLS',
  about: `${ABOUT} Both proxies together.`,
  tables: [throughputTable('Envoy pair')],
  estimate: (effort) => estimateComparison(comparison, effort, { jit: 0, other: 0 }),
  async run(context) {
    await compare(context, await startPairs(context, { protocol: 'http1', callees: 100 }), comparison);
  },
};
