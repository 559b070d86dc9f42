// The edges section: one entry of the file → one Edge of the model, with its targets resolved.
import type { Edge, EdgeListener, PassthroughRule, PrefixRewrite, RouteMatch, RouteRule } from '../model/mesh.ts';
import { addressesOverlap, hostIsCovered, isIpAddress } from './address.ts';
import type { Directory, EdgeEntry } from './directory.ts';
import { readLimits, readTrustedProxies } from './listener-limits.ts';
import { suggestName } from './nearest.ts';
import { alwaysHasPrefix } from './path-pattern.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';
import { readHosts, readMatch, readPrefix } from './route-match.ts';
import type { EdgeFile, RouteFile } from './schema.ts';
import { checkPassthrough, readPassthrough, readTcpListener, readTrusted } from './tcp-edges.ts';
import { readTargets } from './targets.ts';
import { readTimeouts } from './timeouts.ts';

/** `edge-<name>` is a DNS label too. */
const LONGEST_EDGE_NAME = 58;

export function readEdge({ name, reader, file }: EdgeEntry, directory: Directory): Edge {
  const path: Path = ['edges', name];
  if (name.length > LONGEST_EDGE_NAME) {
    reader.error(path, `found ${quote(name)}, expected at most ${LONGEST_EDGE_NAME} characters`, '', 'key');
  }
  const listeners = readListeners(reader, [...path, 'listeners'], file.listeners, directory);
  const routes: RouteRule[] = [];
  const passthrough: PassthroughRule[] = [];
  (file.routes ?? []).forEach((route: RouteFile | undefined, index) => {
    if (route === undefined) return;
    const at = [...path, 'routes', index];
    if (typeof route.match !== 'string' && route.match.sni !== undefined) {
      passthrough.push(readPassthrough(reader, at, route, directory));
      return;
    }
    const rule = readRoute(reader, at, route, directory);
    if (rule !== null) routes.push(rule);
  });
  checkHosts(reader, routes, listeners);
  checkPassthrough(reader, path, passthrough, listeners, routes);
  return { name, workers: file.workers ?? 1, listeners, routes, passthrough };
}

function readListeners(
  reader: Reader,
  path: Path,
  files: EdgeFile['listeners'],
  directory: Directory,
): readonly EdgeListener[] {
  const listeners: EdgeListener[] = [];
  files.forEach((file: EdgeFile['listeners'][number] | undefined, index) => {
    if (file === undefined) return;
    const at = [...path, index];
    const address = file.address ?? '0.0.0.0';
    if (!isIpAddress(address)) reader.error([...at, 'address'], `found ${quote(address)}, expected an IP address`, '');
    const listener: EdgeListener = {
      address,
      port: file.port,
      hosts: readHosts(reader, [...at, 'hosts'], file.hosts ?? []),
      tls: file.tls ?? null,
      limits: readLimits(reader, [...at, 'limits'], file.limits),
      trustedProxies: readTrustedProxies(reader, [...at, 'trustedProxies'], file.trustedProxies ?? []),
      forwarded: file.forwarded ?? 'x-forwarded',
      ...readTcpListener(reader, at, file, directory),
      proxyProtocol: readTrusted(reader, [...at, 'proxyProtocol', 'from'], file.proxyProtocol?.from),
      ruleId: reader.rule(at),
    };
    const other = listeners.find((each) => listenersClash(each, listener));
    if (other !== undefined) {
      const message = `${address} port ${file.port} is taken by ${other.ruleId}`;
      reader.error([...at, 'port'], message, 'choose another port, or put the hosts into one listener');
    }
    listeners.push(listener);
  });
  return listeners;
}

export function listenersClash(a: EdgeListener, b: EdgeListener): boolean {
  return a.port !== 0 && a.port === b.port && addressesOverlap(a.address, b.address);
}

function readRoute(reader: Reader, path: Path, file: RouteFile, directory: Directory): RouteRule | null {
  const match = readMatch(reader, [...path, 'match'], file.match);
  const to = readTargets(reader, [...path, 'to'], file.to, directory, 'http');
  const rewrite = readRewrite(reader, [...path, 'rewrite'], file.rewrite, match);
  const { request, perTry, idle } = readTimeouts(reader, [...path, 'timeout'], file.timeout);
  const id = reader.rule(path);
  const timeouts = { timeout: request, perTryTimeout: perTry, idleTimeout: idle };
  return match === null ? null : { match, to, rewrite, ...timeouts, ruleId: id };
}

function readRewrite(
  reader: Reader,
  path: Path,
  file: RouteFile['rewrite'],
  match: RouteMatch | null,
): PrefixRewrite | null {
  if (file === undefined) return null;
  reader.rule(path);
  const prefix = readPrefix(reader, [...path, 'prefix'], file.prefix);
  const to = readPrefix(reader, [...path, 'to'], file.to);
  if (prefix === null || to === null) return null;
  if (match !== null && !alwaysHasPrefix(match.path, prefix)) {
    const message = `found ${quote(prefix)}, expected a prefix of every path that ${quote(match.path.path)} matches`;
    reader.error([...path, 'prefix'], message, 'make the match or the prefix fit');
  }
  return { prefix, to };
}

/** A host that no listener serves makes a dead route: most likely a misspelling. */
function checkHosts(reader: Reader, routes: readonly RouteRule[], all: readonly EdgeListener[]): void {
  const listeners = all.filter(({ tls, protocol }) => tls !== 'passthrough' && protocol === 'http');
  if (listeners.some((listener) => listener.hosts.length === 0)) return;
  const served = listeners.flatMap((listener) => listener.hosts);
  for (const route of routes) {
    for (const host of route.match.hosts) {
      if (hostIsCovered(host, served) || served.some((each) => hostIsCovered(each, [host]))) continue;
      const message = `no listener of this edge serves the host ${quote(host)}`;
      reader.warnRule(route.ruleId, message, suggestName(host, served));
    }
  }
}
