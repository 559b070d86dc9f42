// How a proxy process is started: V8 flags and allocator settings that keep it small. One list, so that
// `weft sidecar`, `weft up` and the benchmark measure the same thing.

/** Only work on the command line, before V8 starts. */
export const PROXY_NODE_FLAGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--max-old-space-size=64',
  '--v8-pool-size=1',
];

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
 * `host:port`, as those of gRPC do. `address`: where its sidecar serves that callee.
 */
export function calleeVariables(service: string, address: string): Readonly<Record<string, string>> {
  const name = service.replaceAll(/[^A-Za-z0-9]/g, '_').toUpperCase();
  return { [`${name}_URL`]: `http://${address}`, [`${name}_ADDRESS`]: address };
}
