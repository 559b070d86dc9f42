// Values of the model in the words of the file: how an entry of a list is called, and how a setting reads.
import { canonicalText } from '../compile/canonical.ts';
import type { HealthCheck } from '../model/health.ts';
import type { AllowRule, EdgeListener, PathPattern, RouteRule, WeightedTarget } from '../model/mesh.ts';

/** How a scalar setting reads: times with their unit, null as nothing. */
export function valueWords(field: string, value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'number' && /timeout|interval/i.test(field)) return durationWords(value);
  if (isHealthCheck(value)) return `${value.path ?? 'a TCP connection'} every ${durationWords(value.interval)}`;
  return typeof value === 'string' ? value : canonicalText(value);
}

function isHealthCheck(value: unknown): value is HealthCheck {
  return typeof value === 'object' && value !== null && 'interval' in value && 'unhealthy' in value;
}

/** What an entry of a list is recognised by in another configuration. */
export function itemKey(item: unknown): string {
  if (isRoute(item)) return matchWords(item);
  if (isListener(item)) return placeWords(item);
  if (isNamed(item)) return item.name ?? 'no version';
  return itemWords(item);
}

/** All of an entry of a list. */
export function itemWords(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  if (isRoute(item)) return `${matchWords(item)} → ${targetWords(item.to)}`;
  if (isListener(item)) return placeWords(item);
  if (isAllow(item)) return allowWords(item);
  if ('sni' in item && 'to' in item) return `${canonicalText(item.sni)} → ${canonicalText(item.to)}`;
  if ('service' in item && 'weight' in item) return targetWords([item as WeightedTarget]);
  if ('service' in item && typeof item.service === 'string') return item.service;
  if (isNamed(item) && 'instances' in item) return `${item.name ?? 'no version'} × ${String(item.instances)}`;
  if (isNamed(item) && 'value' in item) return `${item.name}: ${String(item.value)}`;
  if ('host' in item && 'port' in item) return `${String(item.host)}:${String(item.port)}`;
  return canonicalText({ ...item, ruleId: undefined });
}

/** 0 is none. */
export function durationWords(ms: number): string {
  if (ms === 0) return 'none';
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

/** `POST /api/**`. */
export function matchWords({ match }: Pick<RouteRule, 'match'>): string {
  const parts = [match.methods.join(','), match.hosts.join(','), pathWords(match.path)];
  const fields = [...match.headers, ...match.query].map(({ name, value }) => `${name}=${value}`);
  return [...parts, ...fields].filter((part) => part !== '').join(' ');
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** How long something was or will be, roughly: `3d`, `90m`. */
export function agoWords(ms: number): string {
  const unit = UNITS.find(([, size]) => ms >= 2 * size);
  return unit === undefined ? `${Math.round(ms)}ms` : `${Math.floor(ms / unit[1])}${unit[0]}`;
}

/** `/static (prefix)`. */
export function pathWords({ kind, path }: PathPattern): string {
  return kind === 'prefix' ? `${path} (prefix)` : path;
}

function targetWords(targets: readonly WeightedTarget[]): string {
  const many = targets.length > 1;
  return targets
    .map(({ service, version, port, weight }) => {
      const name = `${service}${version === null ? '' : `@${version}`}${port === '' ? '' : `:${port}`}`;
      return many ? `${name} ${weight}` : name;
    })
    .join(', ');
}

function allowWords({ from, methods, paths }: AllowRule): string {
  const rest = [...methods, ...paths.map(pathWords)].join(' ');
  return `from ${from.join(', ')}${rest === '' ? '' : ` ${rest}`}`;
}

function placeWords({ address, port }: EdgeListener): string {
  return `${address}:${port}`;
}

function isRoute(item: unknown): item is RouteRule {
  return typeof item === 'object' && item !== null && 'match' in item && 'to' in item;
}

function isListener(item: unknown): item is EdgeListener {
  return typeof item === 'object' && item !== null && 'address' in item && 'limits' in item;
}

function isAllow(item: unknown): item is AllowRule {
  return typeof item === 'object' && item !== null && 'from' in item && 'methods' in item;
}

function isNamed(item: unknown): item is { readonly name: string | null } {
  if (typeof item !== 'object' || item === null || !('name' in item)) return false;
  return typeof item.name === 'string' || item.name === null;
}
