// `ports:` of a compose service, in its short and its long form.
// Source: docs.docker.com/reference/compose-file/services/#ports.
import { interpolate, type Variables } from './interpolate.ts';
import { isMapping, textOf } from './source.ts';

export interface PortEntry {
  /** As the file has it, variables and all: what goes on to the pod. */
  readonly raw: unknown;
  /** Ports of the container: one, or those of a range; empty: it could not be read. */
  readonly targets: readonly number[];
  readonly protocol: string;
  /** As written, `${PORT:-3000}` and all; null: the engine chooses. */
  readonly published: string | null;
  /** As written; null: every address. */
  readonly hostIp: string | null;
}

const MAX_RANGE = 1000;

export function readPort(raw: unknown, variables: Variables): PortEntry {
  if (isMapping(raw)) {
    const target = textOf(raw['target']);
    return {
      raw,
      targets: target === null ? [] : portsOf(interpolate(target, variables)),
      protocol: textOf(raw['protocol']) ?? 'tcp',
      published: textOf(raw['published']),
      hostIp: textOf(raw['host_ip']),
    };
  }
  return shortForm(raw, textOf(raw) ?? '', variables);
}

function shortForm(raw: unknown, text: string, variables: Variables): PortEntry {
  const whole = splitColons(text);
  // `${WEB_PORTS}` may stand for all of it.
  const parts = whole.length === 1 ? splitColons(interpolate(text, variables)) : whole;
  const [last = '', protocol = 'tcp'] = (parts.at(-1) ?? '').split('/');
  return {
    raw,
    targets: portsOf(interpolate(last, variables)),
    protocol: interpolate(protocol, variables),
    published: orNull(parts.at(-2)),
    hostIp: orNull(parts.slice(0, -2).join(':').replaceAll(/[[\]]/g, '')),
  };
}

function orNull(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

/** At the colons outside of `${…}` and `[…]`. */
function splitColons(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const char of text) {
    if (char === '{' || char === '[') depth++;
    if (char === '}' || char === ']') depth--;
    if (char === ':' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** `8080`, `8080-8082`, `8080/tcp` → port numbers. */
export function portsOf(text: string): number[] {
  const found = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/\w+)?$/.exec(text.trim());
  if (found === null) return [];
  const first = Number(found[1]);
  const last = Number(found[2] ?? found[1]);
  if (first < 1 || last > 65_535 || last < first || last - first > MAX_RANGE) return [];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
