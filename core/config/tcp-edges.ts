// The parts of an edge that are not HTTP: TLS that is passed through by SNI, listeners with one target, and load
// balancers in front that speak the PROXY protocol.
import { parseCidr } from '../kit/cidr.ts';
import type { EdgeListener, PassthroughRule, RouteRule } from '../model/mesh.ts';
import { isIpAddress } from './address.ts';
import type { Directory } from './directory.ts';
import { quote, type Path } from './problem.ts';
import type { Reader } from './reader.ts';
import { readHosts } from './route-match.ts';
import type { EdgeFile, RouteFile } from './schema.ts';
import { readTargets } from './targets.ts';

type ListenerFile = EdgeFile['listeners'][number];

/** `protocol` and `to` of a listener, and the keys that cannot stand beside them. */
export function readTcpListener(
  reader: Reader,
  path: Path,
  file: ListenerFile,
  directory: Directory,
): Pick<EdgeListener, 'protocol' | 'to'> {
  const protocol = file.protocol ?? 'http';
  if (file.tls === 'passthrough') {
    for (const key of ['protocol', 'to'] as const) {
      if (file[key] === undefined) continue;
      const message = `found ${key} beside tls: passthrough, which chooses by SNI`;
      reader.error([...path, key], message, 'use routes with match: { sni: … }, or leave out tls', 'key');
    }
    refuseHosts(reader, path, file, 'routes choose by match: { sni: … }');
    return { protocol: 'http', to: [] };
  }
  if (protocol === 'http') {
    if (file.to === undefined) return { protocol, to: [] };
    const message = 'found to, but this listener speaks HTTP, where routes say what goes where';
    reader.error([...path, 'to'], message, 'write routes, or protocol: tcp', 'key');
    return { protocol, to: [] };
  }
  // A certificate is for names; without TLS nobody says any.
  if (file.tls === undefined) refuseHosts(reader, path, file, 'without TLS no client says a name');
  if (file.to === undefined) {
    reader.error(path, 'a listener with protocol: tcp needs to', 'name the service: to: kv');
    return { protocol, to: [] };
  }
  return { protocol, to: readTargets(reader, [...path, 'to'], file.to, directory, 'tcp') };
}

function refuseHosts(reader: Reader, path: Path, file: ListenerFile, hint: string): void {
  if (file.hosts === undefined) return;
  reader.error([...path, 'hosts'], 'found hosts, but nothing of HTTP is read here', hint, 'key');
}

/** null: nobody's connections begin with a PROXY header. */
export function readTrusted(
  reader: Reader,
  path: Path,
  networks: readonly (string | undefined)[] | undefined,
): readonly string[] | null {
  if (networks === undefined) return null;
  const valid: string[] = [];
  networks.forEach((text, index) => {
    if (text === undefined) return;
    const at = [...path, index];
    if (parseCidr(text) === null) {
      const [address = ''] = text.split('/');
      const hint = isIpAddress(address)
        ? 'at most /32 or, IPv6, /128, and the bits behind it are 0'
        : 'for example 10.0.0.0/8 or fd00::/8';
      reader.error(at, `found ${quote(text)}, expected a network`, hint);
    } else if (valid.includes(text)) reader.error(at, `the network ${quote(text)} is here twice`, 'remove one');
    else valid.push(text);
  });
  return valid;
}

/** A route with `match: { sni }`. */
export function readPassthrough(reader: Reader, path: Path, file: RouteFile, directory: Directory): PassthroughRule {
  const match = typeof file.match === 'string' ? {} : file.match;
  const sni = match.sni ?? [];
  for (const key of Object.keys(match).filter((each) => each !== 'sni')) {
    const message = `found ${key} beside sni: what is inside of TLS is not seen here`;
    reader.error([...path, 'match', key], message, 'remove one of the two', 'key');
  }
  for (const key of ['rewrite', 'timeout'] as const) {
    if (file[key] === undefined) continue;
    const hint = key === 'timeout' ? 'timeout.idle of the service holds' : 'remove it';
    reader.error([...path, key], `found ${key}, but a route by sni leads on bytes`, hint, 'key');
  }
  const at = [...path, 'match', 'sni'];
  return {
    // A single name is no list: its place is the key's own.
    sni: readHosts(reader, at, typeof sni === 'string' ? [sni] : sni),
    to: readTargets(reader, [...path, 'to'], file.to, directory, 'tcp'),
    ruleId: reader.rule(path),
  };
}

/** Each of the two is of no use without the other. */
export function checkPassthrough(
  reader: Reader,
  path: Path,
  rules: readonly PassthroughRule[],
  listeners: readonly EdgeListener[],
  routes: readonly RouteRule[],
): void {
  const passing = listeners.filter(({ tls }) => tls === 'passthrough');
  if (rules.length > 0 && passing.length === 0) {
    const message = 'there are routes by sni, but no listener with tls: passthrough';
    reader.error([...path, 'listeners'], message, 'add tls: passthrough to one', 'key');
  }
  if (passing.length > 0 && rules.length === 0) {
    const message = 'a listener has tls: passthrough, but no route has match: { sni: … }';
    reader.error([...path, 'listeners'], message, 'add one: { match: { sni: db.shop.test }, to: db }', 'key');
  }
  const served = listeners.some(({ tls, protocol }) => tls !== 'passthrough' && protocol === 'http');
  if (routes.length > 0 && !served) {
    const message = 'there are routes for HTTP, but no listener that speaks it';
    reader.error([...path, 'routes'], message, 'add a listener, or match by sni', 'key');
  }
  const seen = new Set<string>();
  for (const { sni, ruleId } of rules) {
    for (const name of sni) {
      if (seen.has(name)) reader.warnRule(ruleId, `${quote(name)} has a route already, which goes first`, 'remove one');
      seen.add(name);
    }
  }
}
