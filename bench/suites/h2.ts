// Suites: one proxy, HTTP/2 or gRPC unary in and out.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare, type Comparison, estimateComparison, type Point } from '../compare.ts';
import { PATH, startEdges } from '../edges.ts';
import { runH2load } from '../load/h2load.ts';
import { MANY_REQUEST_FIELDS } from '../load/headers.ts';
import type { Suite } from '../suite.ts';
import { GRPC_MESSAGE } from '../upstream/answer.ts';
import type { Fields } from '../wire/messages.ts';
import { costTables } from './columns.ts';

const GRPC_FIELDS: Fields = [
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
];

export interface Shape {
  readonly connections: number;
  readonly streams: number;
}

const SHAPES: readonly Shape[] = [
  { connections: 4, streams: 8 },
  { connections: 16, streams: 16 },
  { connections: 1, streams: 1 },
];

export function shapeName({ connections, streams }: Shape): string {
  return `${connections} × ${streams}`;
}

export function http2Point(name: string, shape: Shape, path: string, url = 'plain', fields: Fields = []): Point {
  return {
    name,
    peers: false,
    load: (to, seconds) => runH2load({ ...shape, url: to.urls[url] + path, host: to.host, seconds, fields }),
  };
}

/** `file`: gives the path of a file that holds the call's message. */
export function grpcPoint(name: string, shape: Shape, path: string, file: () => string): Point {
  return {
    name,
    peers: false,
    load: (to, seconds) => {
      const job = { ...shape, url: to.urls['plain'] + path, host: to.host, seconds, fields: GRPC_FIELDS };
      return runH2load({ ...job, uploadFile: file() });
    },
  };
}

export function writeGrpcMessage(folder: string): string {
  const file = join(folder, 'message');
  writeFileSync(file, GRPC_MESSAGE);
  return file;
}

const HEADERS_PATH = '/service-58/items/42';

const http2: Comparison = {
  points: [
    ...SHAPES.map((shape) => http2Point(`h2c, ${shapeName(shape)}`, shape, PATH)),
    http2Point(
      'h2c, 4 × 8, 18/12 headers',
      { connections: 4, streams: 8 },
      HEADERS_PATH,
      'plain',
      lowered(MANY_REQUEST_FIELDS),
    ),
    http2Point('TLS, 4 × 8', { connections: 4, streams: 8 }, PATH, 'secure'),
  ],
  fixed: [{ of: 'h2c, 4 × 8', protocol: 'http2', connections: 4, streams: 100, url: 'plain', path: PATH }],
};

function lowered(fields: Fields): Fields {
  return fields.map(([name, value]) => [name.toLowerCase(), value]);
}

export const h2: Suite = {
  name: 'h2',
  title: 'One proxy, HTTP/2 to HTTP/2',
  about:
    '`N × M`: N connections with M requests in flight on each, by h2load; h2c to the service always. Clients speak h2c with prior knowledge, or TLS 1.3 (AES-128-GCM, P-256 certificate) with ALPN.',
  tables: costTables('Envoy', 'connections × streams'),
  estimate: (effort) => estimateComparison(http2, effort, { jit: 0, other: 0 }),
  async run(context) {
    await compare(context, await startEdges(context, { protocol: 'http2', tls: true, peers: false }), http2);
  },
};

function grpcComparison(file: () => string): Comparison {
  return {
    points: SHAPES.map((shape) => grpcPoint(shapeName(shape), shape, PATH, file)),
    fixed: [{ of: '4 × 8', protocol: 'grpc', connections: 4, streams: 100, url: 'plain', path: PATH }],
  };
}

export const grpcUnary: Suite = {
  name: 'grpc-unary',
  title: 'One proxy, gRPC unary calls',
  about:
    '`N × M`: N connections with M calls in flight on each, by h2load; h2c on both sides, about 200 bytes in each direction, `grpc-status` in trailers.',
  tables: costTables('Envoy', 'connections × calls'),
  estimate: (effort) =>
    estimateComparison(
      grpcComparison(() => ''),
      effort,
      { jit: 0, other: 0 },
    ),
  async run(context) {
    const file = writeGrpcMessage(context.work);
    const contenders = await startEdges(context, { protocol: 'grpc', tls: false, peers: false });
    await compare(
      context,
      contenders,
      grpcComparison(() => file),
    );
  },
};
