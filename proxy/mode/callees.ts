// The places of its own at which a sidecar serves each of them: the address of its name, and for
// calls that were redirected from an instance's IPv6 address a port of ::1, as names have IPv4 addresses alone.
import { standInPort } from '../../core/compile/loopback.ts';
import { calleesOf, outboundListeners } from '../../core/decide/callees.ts';
import { instancePlaces } from '../../core/decide/destination.ts';
import type { HostPort } from '../../core/model/mesh.ts';
import type { View } from '../../core/model/view.ts';

/** Where one callee is served beside the port by Host. */
export interface Place {
  /** Of the listening socket. */
  readonly name: string;
  /** Of the listener in the view. */
  readonly callee: string;
  readonly address: HostPort;
}

/** Calls of `from`, an instance of a callee, are to come to `to`; `listener` has to be bound for that. */
export interface WantedRedirect {
  readonly listener: string;
  readonly from: string;
  readonly to: HostPort;
}

/**
 * The addresses of names. Not on a port of the own service: the app binds that on every address, and whichever of the two
 * came second could not. There another port stands in for it, to which `weft netns` sends the calls.
 *
 * @param taken `host port` of sockets that are there already; added to
 */
export function namedPlaces(view: View, appPort: number | null, taken: Set<string>): readonly Place[] {
  const own = new Set([appPort, ...inboundPorts(view)]);
  return outboundListeners(view).flatMap(({ name, port: usual, loopback: host }) => {
    const port = own.has(usual) ? standInPort(usual) : usual;
    const place = `${host} ${port}`;
    if (usual === 0 || taken.has(place)) return [];
    // Two callees at one place: calls of one must never reach the other.
    taken.add(place);
    return [{ name: name.replace('outbound', 'names'), callee: name, address: { host, port } }];
  });
}

/** First port of ::1 that is tried, and how many follow. Below the ports that systems give out themselves. */
const [FIRST_PORT, PORTS] = [20_000, 12_000];

/** Ports of ::1 for callees that have an IPv6 instance. From the name, so that rules outlive a restart of the sidecar. */
export function ipv6Places(view: View): readonly Place[] {
  const wanted = new Set([...placesOf(view)].flatMap(([from, callee]) => (from.startsWith('[') ? [callee] : [])));
  const taken = new Set<number>();
  return outboundListeners(view).flatMap(({ name, loopback, port: usual }) => {
    if (!wanted.has(name)) return [];
    let port = slotOf(loopback, usual);
    while (taken.has(port)) port = FIRST_PORT + ((port - FIRST_PORT + 1) % PORTS);
    taken.add(port);
    return [{ name: name.replace('outbound', 'names6'), callee: name, address: { host: '::1', port } }];
  });
}

/** Which calls of instances by their own address should come here. */
export function wantedRedirects(view: View, places: readonly Place[]): readonly WantedRedirect[] {
  const byCallee = (callee: string, ipv6: boolean): Place | undefined =>
    places.find((place) => place.callee === callee && place.address.host.includes(':') === ipv6);
  return [...placesOf(view)].flatMap(([from, callee]) => {
    const place = byCallee(callee, from.startsWith('['));
    return place === undefined ? [] : [{ listener: place.name, from, to: place.address }];
  });
}

function placesOf(view: View): ReadonlyMap<string, string> {
  const places = instancePlaces(calleesOf(view, ({ name }) => name));
  return new Map([...places].filter(([from]) => /^(?:\[|[\d.]+:\d+$)/.test(from)));
}

function slotOf(loopback: string, port: number): number {
  const [, , third = 0, fourth = 0] = loopback.split('.').map(Number);
  return FIRST_PORT + ((third * 256 + fourth + port) % PORTS);
}

function inboundPorts(view: View): number[] {
  return [...view.listeners.values()].flatMap((listener) =>
    listener.kind === 'inbound' ? [listener.appPort, ...listener.ports.map(({ port }) => port)] : [],
  );
}
