// Where an app's request or tunnel goes: what it names is looked up among the callees of this workload, and never resolved
// or dialled. So whatever is written, nothing but a callee can be reached.
import type { HostPort } from '../model/mesh.ts';
import { type HostKind, hostKind, isPlainIpv4, parseIpv6 } from './address-kind.ts';

/** Ports that a client leaves out of what it writes. */
const HTTP_PORT = '80';

/** One callee at one of its ports. */
export interface Callee<T> {
  readonly service: string;
  /** 0: it has none, and is named without. */
  readonly port: number;
  /** Its plain name's address. */
  readonly loopback: string;
  /** Where its instances are, if somebody calls them as such; those of this machine are left out. */
  readonly addresses: readonly HostPort[];
  /** Whether it can be meant by a request that names no port. */
  readonly http: boolean;
  readonly value: T;
}

/** Why nothing is reached; `hint` is for operators. */
export interface NoDestination {
  readonly reason: 'this-machine' | 'other-port' | 'not-called';
  readonly hint: string;
}

export type Destination<T> = { readonly found: true; readonly value: T } | ({ readonly found: false } & NoDestination);

export interface Destinations<T> {
  /** `authority`: Host, `:authority`, or that of absolute-form. Undefined: ask `why`. */
  request(authority: string): T | undefined;
  /** `authority`: of CONNECT, always with a port (RFC 9110 §9.3.6). */
  tunnel(authority: string): Destination<T>;
  why(authority: string): NoDestination;
}

/** Every way in which a name may be written, with its port and, for requests, without. */
export function compileDestinations<T>(
  callees: readonly Callee<T>[],
  options: { readonly namespace: string; readonly self: string },
): Destinations<T> {
  const exact = new Map<string, T>();
  const bare = new Map<string, T>();
  for (const callee of callees) {
    for (const host of namesOf(callee, options.namespace)) {
      if (callee.port !== 0) setOnce(exact, `${host}:${callee.port}`, callee.value);
      if (callee.http || callee.port === 0) setOnce(bare, host, callee.value);
    }
  }
  for (const [place, value] of instancePlaces(callees)) setOnce(exact, place, value);
  const ports = portsByName(callees, options.namespace);
  const lookUp = (authority: string): T | undefined => {
    const { host, port } = splitAuthority(authority);
    if (port !== '' && exact.has(`${host}:${port}`)) return exact.get(`${host}:${port}`);
    if (port !== '' && port !== HTTP_PORT) return undefined;
    return bare.get(host) ?? exact.get(`${host}:${HTTP_PORT}`);
  };
  const why = (authority: string): NoDestination => explain(authority, ports, options.self);
  return {
    // What clients write as a rule is in a map as it is.
    request: (authority) => bare.get(authority) ?? exact.get(authority) ?? lookUp(authority),
    tunnel: (authority) => {
      const { host, port } = splitAuthority(authority);
      const value = exact.get(`${host}:${port}`);
      return value === undefined ? { found: false, ...why(authority) } : { found: true, value };
    },
    why,
  };
}

/** Every way in which an app may write the service's name; it may look the name up itself. */
function namesOf({ service, loopback }: Callee<unknown>, namespace: string): readonly string[] {
  const names = [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
    loopback,
  ];
  // A service may be called `localhost`; whoever asks for that means this machine.
  return names.filter((name) => name === loopback || hostKind(name) !== 'loopback');
}

/**
 * `host:port` of every instance on another machine → whose it is. Of two callees at one place neither: calls of one must never
 * reach the other.
 */
export function instancePlaces<T>(callees: readonly Callee<T>[]): ReadonlyMap<string, T> {
  const owners = new Map<string, T | null>();
  for (const { addresses, value } of callees) {
    for (const { host, port } of addresses) {
      const normal = normalHost(host);
      if (!isElsewhere(normal)) continue;
      const place = `${normal}:${port}`;
      owners.set(place, owners.has(place) && owners.get(place) !== value ? null : value);
    }
  }
  return new Map([...owners].flatMap(([place, value]) => (value === null ? [] : [[place, value]])));
}

/** Another machine, in the one notation that everybody reads alike. */
function isElsewhere(host: string): boolean {
  const kind = hostKind(host);
  return kind === 'name' || (kind === 'address' && (isPlainIpv4(host) || host.startsWith('[')));
}

function explain(authority: string, ports: ReadonlyMap<string, readonly number[]>, self: string): NoDestination {
  const { host } = splitAuthority(authority);
  const known = ports.get(host);
  if (known !== undefined) {
    const places = known.map((port) => `${host}:${port}`).join(' or ');
    return { reason: 'other-port', hint: `\`${host}\` is called as ${places}` };
  }
  if (THIS_MACHINE.has(hostKind(host))) {
    return { reason: 'this-machine', hint: `\`${host}\` is this machine's own; put it into NO_PROXY` };
  }
  return { reason: 'not-called', hint: `add what \`${host}\` means to services.${self}.calls` };
}

const THIS_MACHINE: ReadonlySet<HostKind> = new Set(['loopback', 'link-local', 'unspecified']);

function portsByName(callees: readonly Callee<unknown>[], namespace: string): ReadonlyMap<string, readonly number[]> {
  const ports = new Map<string, number[]>();
  for (const callee of callees) {
    if (callee.port === 0) continue;
    for (const name of namesOf(callee, namespace)) ports.set(name, [...(ports.get(name) ?? []), callee.port]);
  }
  return ports;
}

/** Host in lower case, without its last dot, IPv6 in one notation and brackets; port without leading zeros. */
function splitAuthority(authority: string): { readonly host: string; readonly port: string } {
  const colon = authority.indexOf(':', authority.lastIndexOf(']') + 1);
  const host = colon === -1 ? authority : authority.slice(0, colon);
  const port = colon === -1 ? '' : authority.slice(colon + 1).replace(/^0+(?=.)/, '');
  return { host: normalHost(host), port };
}

function normalHost(host: string): string {
  const lower = host.toLowerCase();
  const inner = lower.replace(/^\[(.*)\]$/, '$1');
  const groups = inner.includes(':') ? parseIpv6(inner) : null;
  if (groups !== null) return `[${groups.map((group) => group.toString(16)).join(':')}]`;
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

function setOnce<T>(map: Map<string, T>, key: string, value: T): void {
  if (!map.has(key)) map.set(key, value);
}
