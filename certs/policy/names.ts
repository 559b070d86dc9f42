// Which names go into a certificate: always from here, never from the request.
import { isIP } from 'node:net';
import { spiffeId, type SpiffeId } from '../../core/model/brand.ts';
import type { GeneralName } from '../x509/general-name.ts';

/** The account of the control plane itself; no token may name it. */
export const CONTROL_PLANE_ACCOUNT = 'weft-control-plane';
/** The one namespace until configuration knows more. */
const NAMESPACE = 'default';
const EDGE_PREFIX = 'edge-';

/** Service accounts and instance names: a DNS label, so that they fit into ids, files and host names. */
export function isAccount(text: string): boolean {
  return text.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text);
}

export function identityOf(trustDomain: string, account: string): SpiffeId {
  return spiffeId(trustDomain, NAMESPACE, account);
}

export function controlPlaneId(trustDomain: string): SpiffeId {
  return identityOf(trustDomain, CONTROL_PLANE_ACCOUNT);
}

export function edgeAccount(edge: string): string {
  return `${EDGE_PREFIX}${edge}`;
}

/** The edge that an account belongs to; null for a service. */
export function edgeOf(account: string): string | null {
  return account.startsWith(EDGE_PREFIX) ? account.slice(EDGE_PREFIX.length) : null;
}

/** Exactly one URI name. Source: SPIFFE X509-SVID §2. */
export function svidNames(identity: SpiffeId, hosts: readonly string[]): readonly GeneralName[] {
  return [{ kind: 'uri', value: identity }, ...hosts.map((value): GeneralName => ({ kind: 'dns', value }))];
}

/** No URI name: an edge's public certificate proves no workload. Loopback is always there, for trying things out. */
export function serverNames(hosts: readonly string[]): readonly GeneralName[] {
  return hostNames([...hosts, 'localhost', '127.0.0.1', '::1']);
}

/** DNS names and addresses, each once; `*`, which is any host, is none. */
export function hostNames(hosts: readonly string[]): readonly GeneralName[] {
  const all = new Set(hosts.filter((host) => host !== '*'));
  return [...all].map((value): GeneralName => ({ kind: isIP(value) === 0 ? 'dns' : 'ip', value }));
}

/** What a client's certificate says beside its common name: its email address, where the name is one. */
export function clientNames(name: string): readonly GeneralName[] {
  return isEmail(name) ? [{ kind: 'email', value: name }] : [];
}

/** A DNS name of a server, `*.` before it included, or an IP address. */
export function isServerHost(text: string): boolean {
  if (isIP(text) !== 0) return !text.includes('%');
  return (
    text.length <= 253 &&
    /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(text)
  );
}

/** A common name of at most 64 characters without control characters. Source: RFC 5280, ub-common-name. */
export function isClientName(text: string): boolean {
  return /^[^\p{C}]{1,64}$/u.test(text) && text.trim() === text;
}

function isEmail(text: string): boolean {
  return /^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+$/.test(text);
}
