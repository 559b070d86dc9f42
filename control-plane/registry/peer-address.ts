// The address of a peer as a socket names it, in the one spelling that goes into endpoints.
import { isIP } from 'node:net';

/** `127.0.0.1:4711`, `[::1]:4711`, `::ffff:10.0.0.1:4711` → host; null where there is none. Port ignored. */
export function hostOfPeer(peer: string): string | null {
  const colon = peer.lastIndexOf(':');
  if (colon === -1) return null;
  const host = peer.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const plain = plainAddress(host);
  return isIP(plain) === 0 ? null : plain;
}

/** An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) as the IPv4 address that it is; others as they are. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}
