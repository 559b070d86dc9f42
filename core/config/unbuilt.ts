// Keys and values of the design that this version of Weft cannot do yet: an error that says so, and not
// the "unknown key" of a misspelling. Whoever builds one takes its line out of here (ARCHITECTURE.md,
// "add a config field").
import { patternOf, type Path } from './problem.ts';

/** `*` stands for one name or list position. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': ['consumers', 'auth'],
  'services.*': ['retry', 'circuitBreaker', 'outlier', 'external', 'tls', 'rateLimit', 'cache', 'mirror', 'fault'],
  'edges.*': ['auth', 'rateLimit', 'cors', 'cache'],
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
  ],
};

type IsUnbuilt = (value: unknown) => boolean;
const oneOf =
  (...values: readonly string[]): IsUnbuilt =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const isMapping: IsUnbuilt = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

const VALUES: Readonly<Record<string, IsUnbuilt>> = {
  'mesh.mtls': oneOf('permissive'),
  'mesh.egress': oneOf('allow'),
  'services.*.balance': (value) => isMapping(value) || oneOf('random', 'ring-hash', 'maglev', 'peak-ewma')(value),
  'edges.*.listeners[*].tls': (value) => isMapping(value) || oneOf('acme')(value),
  'services.*.endpoints[*]': isMapping,
};

/** The keys that may stand at a path one day: they are offered nowhere, but recognised. */
export function unbuiltKeys(path: Path): readonly string[] {
  return KEYS[patternOf(path)] ?? [];
}

export function isUnbuiltValue(path: Path, value: unknown): boolean {
  return VALUES[patternOf(path)]?.(value) ?? false;
}
