// The two ways to write a match: `POST /api/v2/orders/**`, or a mapping of path, host, method, headers
// and query.
import type { NameValue, PathPattern, RouteMatch } from '../model/mesh.ts';
import { parseHostPattern } from './address.ts';
import { nearestName } from './nearest.ts';
import { parsePathPattern, parsePathPrefix } from './path-pattern.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';
import type { MatchFile } from './schema.ts';

type MatchMapping = Exclude<MatchFile, string>;

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'QUERY'];
/** The wire takes no longer names (proto/codec). */
const LONGEST_NAME = 256;
const EVERY_PATH: PathPattern = { kind: 'prefix', path: '/' };

/** null: the faults are reported. */
export function readMatch(reader: Reader, path: Path, match: MatchFile): RouteMatch | null {
  return typeof match === 'string' ? readText(reader, path, match) : readMapping(reader, path, match);
}

/** Upper-case methods; what is no method is reported and left out. */
export function readMethods(reader: Reader, path: Path, methods: readonly (string | undefined)[]): readonly string[] {
  const valid: string[] = [];
  methods.forEach((method, index) => {
    if (method !== undefined && checkMethod(reader, [...path, index], method)) valid.push(method);
  });
  return valid;
}

/** null: the fault is reported. */
export function readPattern(reader: Reader, path: Path, text: string): PathPattern | null {
  const pattern = parsePathPattern(text);
  if (pattern.ok) return pattern.value;
  reader.error(path, `found ${quote(text)}, expected ${pattern.error.expected}`, pattern.error.hint);
  return null;
}

/** null: the fault is reported. */
export function readPrefix(reader: Reader, path: Path, text: string): string | null {
  const prefix = parsePathPrefix(text);
  if (prefix.ok) return prefix.value;
  reader.error(path, `found ${quote(text)}, expected ${prefix.error.expected}`, prefix.error.hint);
  return null;
}

/** Host names in lower case; what is none is reported and left out. */
export function readHosts(reader: Reader, path: Path, hosts: readonly (string | undefined)[]): readonly string[] {
  const valid: string[] = [];
  hosts.forEach((text, index) => {
    const host = text === undefined ? undefined : readHost(reader, [...path, index], text);
    if (host === null || host === undefined) return;
    if (valid.includes(host)) reader.error([...path, index], `the host ${quote(host)} is here twice`, 'remove one');
    else valid.push(host);
  });
  return valid;
}

function readText(reader: Reader, path: Path, text: string): RouteMatch | null {
  const words = text.trim().split(/\s+/);
  const [first = '', second] = words;
  if (words.length > 2 || (second !== undefined && first.startsWith('/'))) {
    reader.error(path, `found ${quote(text)}, expected [METHOD[,METHOD]] PATTERN`, 'for example POST /api/orders/**');
    return null;
  }
  const methods = second === undefined ? [] : first.split(',');
  const fine = methods.filter((method) => checkMethod(reader, path, method)).length === methods.length;
  const pattern = readPattern(reader, path, second ?? first);
  if (pattern === null || !fine) return null;
  return { hosts: [], path: pattern, methods, headers: [], query: [] };
}

function readMapping(reader: Reader, path: Path, match: MatchMapping): RouteMatch | null {
  if (match.path !== undefined && match.prefix !== undefined) {
    reader.error([...path, 'prefix'], 'found path and prefix, expected one of them', 'remove one', 'key');
  }
  if (match.host !== undefined && match.hosts !== undefined) {
    reader.error([...path, 'hosts'], 'found host and hosts, expected one of them', 'remove one', 'key');
  }
  if (match.method !== undefined && match.methods !== undefined) {
    reader.error([...path, 'methods'], 'found method and methods, expected one of them', 'remove one', 'key');
  }
  const pattern = readPathKeys(reader, path, match);
  if (pattern === null) return null;
  return {
    hosts:
      match.host === undefined
        ? readHosts(reader, [...path, 'hosts'], match.hosts ?? [])
        : one(readHost(reader, [...path, 'host'], match.host)),
    path: pattern,
    methods:
      match.method === undefined
        ? readMethods(reader, [...path, 'methods'], match.methods ?? [])
        : readMethodText(reader, [...path, 'method'], match.method),
    headers: readHeaders(reader, [...path, 'headers'], match.headers ?? {}),
    query: readQuery(reader, [...path, 'query'], match.query ?? {}),
  };
}

function readPathKeys(reader: Reader, path: Path, match: MatchMapping): PathPattern | null {
  if (match.path !== undefined) return readPattern(reader, [...path, 'path'], match.path);
  if (match.prefix === undefined) return EVERY_PATH;
  const prefix = readPrefix(reader, [...path, 'prefix'], match.prefix);
  return prefix === null ? null : { kind: 'prefix', path: prefix };
}

function readMethodText(reader: Reader, path: Path, text: string): readonly string[] {
  return text
    .split(',')
    .map((method) => method.trim())
    .filter((method) => checkMethod(reader, path, method));
}

function readHeaders(reader: Reader, path: Path, headers: Readonly<Record<string, string>>): readonly NameValue[] {
  const read: NameValue[] = [];
  for (const [key, value] of Object.entries(headers)) {
    const name = key.toLowerCase();
    const at = [...path, key];
    if (!TOKEN.test(name) || name.length > LONGEST_NAME)
      reader.error(at, `found ${quote(key)}, expected the name of a header field`, '', 'key');
    else if (name === 'host') reader.error(at, 'found the header field host', 'match it by the key host', 'key');
    else if (read.some((each) => each.name === name))
      reader.error(at, `the header field ${quote(name)} is here twice`, 'remove one', 'key');
    else if (value !== value.trim() || /[\r\n\0]/.test(value))
      reader.error(at, `found ${quote(value)}, expected a value without space around it`, '');
    else read.push({ name, value });
  }
  return byName(read);
}

function readQuery(reader: Reader, path: Path, query: Readonly<Record<string, string>>): readonly NameValue[] {
  const read = Object.entries(query).map(([name, value]) => ({ name, value }));
  for (const { name } of read.filter((each) => each.name === '' || each.name.length > LONGEST_NAME)) {
    reader.error([...path, name], `found ${quote(name)}, expected the name of a query parameter`, '', 'key');
  }
  return byName(read);
}

function readHost(reader: Reader, path: Path, text: string): string | null {
  const host = parseHostPattern(text);
  if (host !== null) return host;
  reader.error(path, `found ${quote(text)}, expected a host name or *.suffix`, hostHint(text));
  return null;
}

function hostHint(text: string): string {
  if (text === '*') return 'leave it out to serve every host';
  const port = /^([^:]+):\d+$/.exec(text);
  if (port !== null) return `without the port: ${port[1]}`;
  return text.includes('://') ? 'without the scheme' : '';
}

function checkMethod(reader: Reader, path: Path, method: string): boolean {
  if (TOKEN.test(method) && method === method.toUpperCase()) {
    const meant = METHODS.includes(method) ? null : nearestName(method, METHODS);
    if (meant !== null) reader.warning(path, `${method} is not a registered HTTP method`, `did you mean ${meant}?`);
    return true;
  }
  const upper = method.toUpperCase();
  reader.error(
    path,
    `found ${quote(method)}, expected an HTTP method in capitals`,
    METHODS.includes(upper) ? `write ${upper}` : '',
  );
  return false;
}

function one(host: string | null): readonly string[] {
  return host === null ? [] : [host];
}

/** Order means nothing here, so it must not change the hash. */
function byName(pairs: readonly NameValue[]): readonly NameValue[] {
  return pairs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
