// `health` of a service: a path, `none`, or a mapping. Without it a TCP connection to the app is enough.
import type { Milliseconds } from '../model/brand.ts';
import { DEFAULT_HEALTH, HEALTH_BOUNDS, type HealthCheck } from '../model/health.ts';
import type { WorkloadService } from '../model/mesh.ts';
import { parseDuration } from './duration.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';
import type { ServiceFile } from './schema.ts';

/** null: nobody asks the app. */
export function readHealth(
  reader: Reader,
  path: Path,
  file: ServiceFile['health'],
  { port, protocol }: Pick<WorkloadService, 'port' | 'protocol'>,
): HealthCheck | null {
  if (port === null) {
    if (file !== undefined) {
      reader.error(path, 'found health, but this service has no port on which to ask', 'remove health', 'key');
    }
    return null;
  }
  if (file === undefined) return DEFAULT_HEALTH;
  if (file === 'none') return null;
  if (typeof file === 'string') return { ...DEFAULT_HEALTH, path: readTarget(reader, path, file, protocol) };
  const { interval, timeout } = HEALTH_BOUNDS;
  return {
    path: readTarget(reader, [...path, 'path'], file.path, protocol),
    interval: readTime(reader, [...path, 'interval'], file.interval, interval, DEFAULT_HEALTH.interval),
    timeout: readTime(reader, [...path, 'timeout'], file.timeout, timeout, DEFAULT_HEALTH.timeout),
    healthy: file.healthy ?? DEFAULT_HEALTH.healthy,
    unhealthy: file.unhealthy ?? DEFAULT_HEALTH.unhealthy,
  };
}

function readTarget(
  reader: Reader,
  path: Path,
  text: string | undefined,
  protocol: WorkloadService['protocol'],
): string | null {
  if (text === undefined) return null;
  if (protocol === 'tcp' || protocol === 'grpc') {
    const message = `found the path ${quote(text)}, but the app speaks ${protocol}`;
    reader.error(path, message, 'leave the path out: a TCP connection is enough');
  } else if (!HEALTH_BOUNDS.path.test(text)) {
    reader.error(path, `found ${quote(text)}, expected a path such as /healthz`, hintFor(text));
  }
  return text;
}

function hintFor(text: string): string {
  if (/^(?:off|false|no|never)$/i.test(text)) return 'write none';
  return text.startsWith('/') ? 'no spaces and no #' : `write /${text.replace(/^.*\//, '')}`;
}

function readTime(
  reader: Reader,
  path: Path,
  text: string | undefined,
  { least, most }: { readonly least: number; readonly most: number },
  fallback: Milliseconds,
): Milliseconds {
  if (text === undefined) return fallback;
  const value = parseDuration(text);
  if (value !== null && value >= least && value <= most) return value;
  reader.error(path, `found ${quote(text)}, expected ${words(least)} to ${words(most)}`, '');
  return fallback;
}

function words(ms: number): string {
  if (ms >= 60_000) return `${ms / 60_000}m`;
  return ms >= 1_000 ? `${ms / 1_000}s` : `${ms}ms`;
}
