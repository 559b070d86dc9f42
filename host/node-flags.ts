// How a process is started: V8 flags and allocator settings that keep it small. One list for each program, so that
// `weft sidecar`, `weft up` and the benchmark measure the same thing.

import type { HostPort } from '../core/model/mesh.ts';
import { formatAddress } from './setting-kinds.ts';

/**
 * Only work on the command line, before V8 starts. Its optimizing compilers are off until there is something to
 * optimize: what they bring into memory an idle proxy never needs.
 */
export const PROXY_NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=2',
  '--max-old-space-size=64',
  '--v8-pool-size=1',
  '--no-opt',
  '--no-maglev',
  '--no-sparkplug',
  // What a head is made of is short-lived, whatever V8 learns from a moment in which it was not: what it then makes old at
  // once keeps all that it points to alive until a major collection (bench/PROFILE.md).
  '--no-allocation-site-pretenuring',
  // For compact-heap.ts.
  '--expose-gc',
];

/**
 * Only work on the command line, too. V8's young generation would grow to 128 MiB and more under a load that it serves as
 * well with 16.
 */
export const CONTROL_PLANE_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=8'];

let optimizing = false;

/** From the first connection on; without the flags above it changes nothing. */
export function startOptimizing(): void {
  if (optimizing) return;
  optimizing = true;
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  for (const compiler of ['--sparkplug', '--maglev', '--opt']) setFlagsFromString(compiler);
}

const PROXY_ENV: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2' };
const ADDED = 'WEFT_ADDED_ENV';

/** The environment of a proxy: `env` plus the allocator's settings, unless the user set those. */
export function proxyEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const missing = Object.keys(PROXY_ENV).filter((name) => env[name] === undefined);
  const added: NodeJS.ProcessEnv = {};
  for (const name of missing) added[name] = PROXY_ENV[name];
  return { ...env, ...added, [ADDED]: missing.join(',') };
}

/** The environment of an app: without what is Weft's own (its settings, its token, its allocator settings). */
export function appEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = new Set((env[ADDED] ?? '').split(','));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('WEFT_') && !ours.has(name)));
}

/**
 * How an app finds its callee: `payments-api` → `PAYMENTS_API_URL`, and `PAYMENTS_API_ADDRESS` for clients that want
 * `host:port`, as those of gRPC do. A further port has its name behind: `orders:grpc` → `ORDERS_GRPC_URL`. Where `bytes` are
 * spoken the URL is `tcp://…`, and there are `KV_HOST` and `KV_PORT`, which clients of databases ask for.
 */
export function calleeVariables(callee: string, address: HostPort, bytes: boolean): Readonly<Record<string, string>> {
  const name = variableName(callee);
  const text = formatAddress(address);
  const common = { [`${name}_URL`]: `${bytes ? 'tcp' : 'http'}://${text}`, [`${name}_ADDRESS`]: text };
  return bytes ? { ...common, [`${name}_HOST`]: address.host, [`${name}_PORT`]: String(address.port) } : common;
}

/** Where an app is to listen: `PORT`, and `PORT_GRPC` for a further port called `grpc`. */
export function portVariable(port: string): string {
  return port === '' ? 'PORT' : `PORT_${variableName(port)}`;
}

function variableName(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]/g, '_').toUpperCase();
}
