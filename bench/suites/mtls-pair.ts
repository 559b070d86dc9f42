// Suites: a pair of sidecars with mutual TLS 1.3 between them, the cost of both together; HTTP/1.1, HTTP/2 and gRPC
// callers and apps.
import { compare, type Comparison, estimateComparison } from '../compare.ts';
import { runWrk } from '../load/wrk.ts';
import { startPairs } from '../pairs.ts';
import type { Suite } from '../suite.ts';
import { costTables } from './columns.ts';
import { grpcPoint, http2Point, type Shape, shapeName, writeGrpcMessage } from './h2.ts';

const PATH = '/items/42';
/** As many routes, by name, as edges have by prefix. */
const CALLEES = 100;
const CONNECTIONS = [32, 128, 8, 1] as const;
const SHAPES: readonly Shape[] = [
  { connections: 4, streams: 8 },
  { connections: 4, streams: 32 },
  { connections: 1, streams: 8 },
  { connections: 1, streams: 1 },
];
const COMMON =
  "CPU and memory of both proxies together. HTTP/2 inside, TLS 1.3, P-256 certificates with one intermediate, and the one identity that the peer must prove, on both sides of both; the caller knows 100 services by name. Weft's pair is a real `weft up`.";

const http1: Comparison = {
  points: CONNECTIONS.map((connections) => ({
    name: String(connections),
    peers: false,
    load: (to, seconds) => runWrk({ url: to.urls['plain'] + PATH, host: to.host, connections, seconds }),
  })),
  fixed: [32, 1].map((connections) => ({
    of: String(connections),
    protocol: 'http1',
    connections,
    streams: 1,
    url: 'plain',
    path: PATH,
  })),
};

const http2: Comparison = {
  points: SHAPES.map((shape) => http2Point(shapeName(shape), shape, PATH)),
  fixed: [{ of: '4 × 8', protocol: 'http2', connections: 4, streams: 100, url: 'plain', path: PATH }],
};

function grpc(file: () => string): Comparison {
  return {
    // Eight calls on one connection tell what eight requests do.
    points: SHAPES.filter(({ connections, streams }) => connections > 1 || streams === 1).map((shape) =>
      grpcPoint(shapeName(shape), shape, PATH, file),
    ),
    fixed: [{ of: '4 × 8', protocol: 'grpc', connections: 4, streams: 100, url: 'plain', path: PATH }],
  };
}

const NO_PEERS = { jit: 0, other: 0 };

export const pairHttp1: Suite = {
  name: 'mtls-pair-h1',
  title: 'A pair of sidecars with mutual TLS, HTTP/1.1 callers and app',
  about: `Keep-alive connections of wrk. ${COMMON}`,
  tables: costTables('Envoy pair', 'in flight'),
  estimate: (effort) => estimateComparison(http1, effort, NO_PEERS),
  async run(context) {
    await compare(context, await startPairs(context, { protocol: 'http1', callees: CALLEES }), http1);
  },
};

export const pairHttp2: Suite = {
  name: 'mtls-pair-h2',
  title: 'A pair of sidecars with mutual TLS, HTTP/2 callers and app',
  about: `\`N × M\`: N connections (h2c) of h2load with M requests in flight on each. ${COMMON}`,
  tables: costTables('Envoy pair', 'connections × streams'),
  estimate: (effort) => estimateComparison(http2, effort, NO_PEERS),
  async run(context) {
    await compare(context, await startPairs(context, { protocol: 'http2', callees: CALLEES }), http2);
  },
};

export const pairGrpc: Suite = {
  name: 'mtls-pair-grpc',
  title: 'A pair of sidecars with mutual TLS, gRPC callers and app',
  about: `Unary calls; \`N × M\`: N connections (h2c) of h2load with M calls in flight on each. ${COMMON}`,
  tables: costTables('Envoy pair', 'connections × calls'),
  estimate: (effort) =>
    estimateComparison(
      grpc(() => ''),
      effort,
      NO_PEERS,
    ),
  async run(context) {
    const file = writeGrpcMessage(context.work);
    await compare(
      context,
      await startPairs(context, { protocol: 'grpc', callees: CALLEES }),
      grpc(() => file),
    );
  },
};
