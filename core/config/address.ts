// Host names, `host:port` and listener addresses as written in config.
import type { HostPort } from '../model/mesh.ts';

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const HOST = new RegExp(`^(\\*\\.)?${LABEL}(\\.${LABEL})*$`);
const ENDPOINT = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\d{1,5})$/i;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** `orders.shop.test` or `*.shop.test`, lower case without a final dot; null where it is no host name. */
export function parseHostPattern(text: string): string | null {
  const host = text.toLowerCase().replace(/\.$/, '');
  return host.length <= 253 && (HOST.test(host) || IPV4.test(host)) ? host : null;
}

/** `127.0.0.1:9000`, `[::1]:9000` or `db.internal:9000`. */
export function parseHostPort(text: string): HostPort | null {
  const match = ENDPOINT.exec(text);
  if (match === null) return null;
  const host = match[1] ?? match[2] ?? '';
  const port = Number(match[3]);
  const valid = match[1] === undefined ? isIpv4(host) || isDnsName(host) : isIpv6(host);
  return valid && port >= 1 && port <= 65535 ? { host: host.toLowerCase(), port } : null;
}

export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

/** Whether two sockets on the same port would collide. The IPv6 wildcard takes IPv4 too (dual stack). */
export function addressesOverlap(a: string, b: string): boolean {
  const [first, second] = [a.toLowerCase(), b.toLowerCase()];
  if (first === second || first === '::' || second === '::') return true;
  if (first === '0.0.0.0') return isIpv4(second);
  return second === '0.0.0.0' && isIpv4(first);
}

/** Whether every host that matches `inner` matches one of `outer`; an empty `outer` is every host. */
export function hostIsCovered(inner: string, outer: readonly string[]): boolean {
  return (
    outer.length === 0 ||
    outer.some((each) => each === inner || (each.startsWith('*.') && inner.endsWith(each.slice(1))))
  );
}

function isIpv4(text: string): boolean {
  const match = IPV4.exec(text);
  return match !== null && match.slice(1).every((part) => Number(part) <= 255);
}

/** Source: RFC 4291 §2.2. */
function isIpv6(text: string): boolean {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(':')) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const count = groups.length + (isIpv4(last) ? 1 : 0);
  const valid = groups.every(
    (group, index) => /^[0-9a-f]{1,4}$/i.test(group) || (index === groups.length - 1 && isIpv4(group)),
  );
  return valid && (halves.length === 2 ? count < 8 : count === 8);
}

function isDnsName(text: string): boolean {
  // Underscores are no host names by RFC 1123, but container networks have them.
  return (
    !IPV4.test(text) &&
    text.length <= 253 &&
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(text)
  );
}
