// Which packet rules a network namespace gets, whatever program sets them.
import type { HostPort } from '../../../core/model/mesh.ts';

export interface NetnsPlan {
  /** The app listens here; only its own namespace may connect, so that everybody else comes by the sidecar. */
  readonly appPorts: readonly number[];
  readonly redirects: readonly Redirect[];
  /** Addresses of its own, IPv4, at which nothing but the sidecar is reached: those in a network of sidecars. */
  readonly sealed?: readonly string[];
  /** The sidecar's user: what it sends itself is never redirected or refused. Default: that of Weft's images. */
  readonly proxyUser?: number;
  /** Whoever else begins a connection out of the namespace is refused; DNS is not. Default false. */
  readonly denyEgress?: boolean;
}

/**
 * What is sent to `from` goes to the sidecar at `to`, a loopback address of the same family. `from` on loopback is an address of
 * a callee's name; elsewhere it is an instance of the callee, to which the sidecar itself goes on talking.
 */
export interface Redirect {
  readonly from: HostPort;
  readonly to: HostPort;
}

/** User and group of everything that Weft runs in containers; the image's own. */
export const WEFT_USER = 15_001;

/** The sidecar's inbound and status ports. */
export const SIDECAR_PORTS: readonly number[] = [15_006, 15_020];

export function isIpv6({ host }: HostPort): boolean {
  return host.includes(':');
}

/** Those whose destination is a name's address: nobody but apps sends there. */
export function namesIn({ redirects }: NetnsPlan): readonly Redirect[] {
  return redirects.filter(({ from }) => isName(from));
}

/** Those whose destination is another machine, in one family. */
export function instancesIn({ redirects }: NetnsPlan, ipv6: boolean): readonly Redirect[] {
  return redirects.filter(({ from }) => !isName(from) && isIpv6(from) === ipv6);
}

function isName({ host }: HostPort): boolean {
  return host.startsWith('127.');
}

export function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
