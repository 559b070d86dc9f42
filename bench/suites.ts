// All suites, in the order in which they run.
import type { Suite } from './suite.ts';
import { bodiesHttp1, bodiesPair } from './suites/bodies.ts';
import { grpcUnary, h2 } from './suites/h2.ts';
import { idleConnections } from './suites/idle-connections.ts';
import { issuance } from './suites/issuance.ts';
import { memory } from './suites/memory.ts';
import { pairGrpc, pairHttp1, pairHttp2 } from './suites/mtls-pair.ts';
import { plaintextH1 } from './suites/plaintext-h1.ts';

export const SUITES: readonly Suite[] = [
  plaintextH1,
  h2,
  grpcUnary,
  pairHttp1,
  pairHttp2,
  pairGrpc,
  bodiesHttp1,
  bodiesPair,
  idleConnections,
  memory,
  issuance,
];
