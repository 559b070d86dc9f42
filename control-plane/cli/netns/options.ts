// The options of `weft netns` and `weft pod`: ports, redirects and the like as text → the plan.
import { isPlainIpv4, hostKind, parseIpv6 } from '../../../core/decide/address-kind.ts';
import { MeshError } from '../../../core/kit/error.ts';
import type { HostPort } from '../../../core/model/mesh.ts';
import { type Backend, BACKENDS } from './netns.ts';
import { isIpv6, type NetnsPlan, type Redirect } from './plan.ts';

export interface NetnsFlags {
  readonly appPort: readonly string[];
  readonly redirect: readonly string[];
  readonly proxyUser?: string;
  readonly denyEgress?: boolean;
  readonly backend?: string;
}

/** Throws MeshError `usage`. */
export function planOf(flags: NetnsFlags): NetnsPlan {
  return {
    appPorts: flags.appPort.map(readPort),
    redirects: flags.redirect.map(redirectOf),
    ...(flags.proxyUser === undefined ? {} : { proxyUser: readUser(flags.proxyUser) }),
    ...(flags.denyEgress === true ? { denyEgress: true } : {}),
  };
}

/** Null: whatever is installed. Throws MeshError `usage`. */
export function backendOf({ backend }: NetnsFlags): Backend | null {
  if (backend === undefined) return null;
  const found = BACKENDS.find((each) => each === backend);
  if (found !== undefined) return found;
  throw usage(`--backend knows no '${backend}'`, `it is ${BACKENDS.join(' or ')}`);
}

function redirectOf(text: string): Redirect {
  const redirect = readRedirect(text);
  if (redirect !== null) return redirect;
  throw usage(
    `--redirect needs FROM=TO, and TO on loopback in the family of FROM, found '${text}'`,
    'as in 127.15.3.7:8080=127.0.0.1:15101, 10.0.0.9:5432=127.15.3.7:5432 or [fd00::9]:5432=[::1]:15102',
  );
}

/** From a name's address or from another machine; never from what this machine has for itself. */
export function readRedirect(text: string): Redirect | null {
  const [from, to, more] = text.split('=').map(readPlace);
  if (!from || !to || more !== undefined || isIpv6(from) !== isIpv6(to)) return null;
  if (hostKind(to.host) !== 'loopback') return null;
  const isName = from.host.startsWith('127.');
  return isName || hostKind(from.host) === 'address' ? { from, to } : null;
}

/** Only notations that every program reads alike; IPv6 comes out in one. */
function readPlace(text: string): HostPort | null {
  const [, ipv6, ipv4, digits = ''] = /^(?:\[([\da-f:.]{2,45})\]|([\d.]{7,15})):([1-9]\d{0,4})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535) return null;
  if (ipv4 !== undefined) return isPlainIpv4(ipv4) ? { host: ipv4, port } : null;
  const groups = parseIpv6(ipv6 ?? '');
  return groups === null ? null : { host: ipv6Text(groups), port };
}

function ipv6Text(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(':');
  return text === '0:0:0:0:0:0:0:1' ? '::1' : text;
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^[1-9]\d{0,4}$/.test(text) && port <= 65_535) return port;
  throw usage(`--app-port needs a port, found '${text}'`, 'as in 8080');
}

function readUser(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  const hint = 'as in 15001; not 0: the app would have to be another user than root';
  throw usage(`--proxy-user needs the number of a user, found '${text}'`, hint);
}

function usage(detail: string, hint: string): MeshError {
  return new MeshError('usage', { detail, hint });
}
