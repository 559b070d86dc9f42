// Keys and values of the design that this version of Weft cannot do yet: an error that says so, and not
// the "unknown key" of a misspelling. Whoever builds one takes its line out of here (ARCHITECTURE.md,
// "add a config field").
import type { Path } from './problem.ts';

/** `*` stands for one name or list position. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': ['consumers', 'auth', 'plans', 'plugins', 'tenants', 'stores', 'telemetry', 'federation', 'discovery'],
  mesh: ['permissive', 'namespace', 'tracing', 'retry', 'timeout', 'balance', 'workers'],
  'services.*': [
    'ports',
    'health',
    'retry',
    'circuitBreaker',
    'bulkhead',
    'outlier',
    'external',
    'tls',
    'rateLimit',
    'cache',
    'auth',
    'mirror',
    'fault',
    'discovery',
    'workers',
    'namespace',
    'labels',
  ],
  'services.*.versions.*': ['endpoints', 'run', 'port', 'weight', 'labels'],
  'services.*.allow[*]': ['ports', 'headers', 'when', 'audit'],
  'edges.*': [
    'auth',
    'rateLimit',
    'cors',
    'cache',
    'headers',
    'waf',
    'consumers',
    'tls',
    'workers',
    'errors',
    'filters',
  ],
  'edges.*.listeners[*]': ['protocol', 'proxyProtocol', 'clientAuth', 'http2', 'tcp', 'limits'],
  'edges.*.routes[*]': [
    'auth',
    'rateLimit',
    'quota',
    'retry',
    'cache',
    'cors',
    'validate',
    'transform',
    'aggregate',
    'mirror',
    'fault',
    'redirect',
    'respond',
    'headers',
    'requestHeaders',
    'responseHeaders',
    'consumers',
    'graphql',
    'grpc',
    'balance',
    'limits',
  ],
  'edges.*.routes[*].match': ['cookies', 'consumer', 'regex', 'body', 'grpc'],
};

type IsUnbuilt = (value: unknown) => boolean;
const oneOf =
  (...values: readonly string[]): IsUnbuilt =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const isMapping: IsUnbuilt = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

const VALUES: Readonly<Record<string, IsUnbuilt>> = {
  'mesh.mtls': oneOf('permissive', 'off', 'disabled'),
  'mesh.egress': oneOf('allow', 'external'),
  'services.*.protocol': oneOf('grpc', 'http2', 'h2', 'h2c', 'tcp', 'tls', 'udp', 'websocket'),
  'services.*.balance': (value) =>
    isMapping(value) || oneOf('random', 'weighted', 'ring-hash', 'maglev', 'peak-ewma', 'hash', 'sticky')(value),
  'edges.*.listeners[*].tls': (value) => isMapping(value) || oneOf('acme', 'file', 'passthrough')(value),
  'services.*.timeout': isMapping,
  'edges.*.routes[*].timeout': isMapping,
  'services.*.endpoints[*]': isMapping,
};

/** The keys that may stand at a path one day: they are offered nowhere, but recognised. */
export function unbuiltKeys(path: Path): readonly string[] {
  return KEYS[patternOf(path)] ?? [];
}

export function isUnbuiltValue(path: Path, value: unknown): boolean {
  return VALUES[patternOf(path)]?.(value) ?? false;
}

/** The path with the names of services, edges and versions and all list positions replaced by `*`. */
function patternOf(path: Path): string {
  const named = path[0] === 'services' || path[0] === 'edges';
  let text = '';
  path.forEach((step, index) => {
    if (typeof step === 'number') text += '[*]';
    else if (named && (index === 1 || (index === 3 && path[2] === 'versions'))) text += '.*';
    else text += text === '' ? step : `.${step}`;
  });
  return text;
}
