// What a hop adds to and takes from the fields of a message: Via, X-Forwarded-*, and the names that only
// Weft itself may say.
import { addressBytes, compileCidrs, parseCidr } from '../../core/kit/cidr.ts';
import type { ForwardedFields } from '../../core/model/listener.ts';
import type { ConnectionInfo, RequestHead, ResponseHead } from '../exchange.ts';
import { isAuthority } from '../kit/authority.ts';
import type { HeaderList } from '../kit/header-list.ts';
import {
  addressOf,
  believed,
  forwardedElement,
  forwardedElements,
  forwardedNode,
  type IsTrusted,
  listElements,
} from './forwarded-field.ts';

export type RequestFilter = (head: RequestHead, connection: ConnectionInfo) => void;

/** Appends `Via: 1.1 <proxy>`, or 2 or 1.0 (RFC 9110 §7.6.3); the pseudonym is the proxy's name, never its host. */
export function viaFilter(proxy: string): RequestFilter {
  const modern = `1.1 ${proxy}`;
  const shared = `2 ${proxy}`;
  const old = `1.0 ${proxy}`;
  return (head) => {
    const { version } = head;
    head.headers.add('via', version === 11 ? modern : version === 20 ? shared : old);
  };
}

/**
 * At the edge: what a client says of where it comes from is believed where the connection comes from one of these
 * proxies, and nowhere else. `Forwarded` and X-Forwarded-* that are not asked for are taken out, whoever sent them: a
 * proxy that knows only one of the two passes on what its own client made up of the other.
 */
export function edgeRequestFilter(trustedProxies: readonly string[], fields: ForwardedFields): RequestFilter {
  const isTrusted = compileCidrs(trustedProxies.flatMap((block) => parseCidr(block) ?? []));
  const legacy = fields !== 'forwarded';
  const standard = fields !== 'x-forwarded';
  return (head, connection) => {
    const { headers } = head;
    const { remoteAddress } = connection;
    const told = isTrusted(remoteAddress) ? readOutside(headers, isTrusted) : NOTHING_TOLD;
    stripOutside(headers);
    if (legacy) addLegacy(head, connection, told);
    if (!standard) return;
    const element = forwardedElement(remoteAddress, connection.scheme, head.authority);
    headers.add('forwarded', [...told.forwarded, element].join(', '));
  };
}

/** The address of the client, by the same rule; '' where the connection comes from nobody that is trusted. */
export function clientReader(
  trustedProxies: readonly string[],
  fields: ForwardedFields,
): (headers: HeaderList, connection: ConnectionInfo) => string {
  const isTrusted = compileCidrs(trustedProxies.flatMap((block) => parseCidr(block) ?? []));
  return (headers, { remoteAddress }) => {
    if (!isTrusted(remoteAddress)) return '';
    const { chain, forwarded } = readOutside(headers, isTrusted);
    const [first] = fields === 'forwarded' ? forwarded.map(forwardedNode) : chain.map(addressOf);
    return first === undefined || addressBytes(first) === null ? '' : first;
  };
}

/** What a trusted proxy says of its client. */
interface Told {
  /** Addresses, from the client's on. */
  readonly chain: readonly string[];
  /** '' where it says none, or none that can be. */
  readonly proto: string;
  readonly host: string;
  readonly port: string;
  readonly forwarded: readonly string[];
}

const NOTHING_TOLD: Told = { chain: [], proto: '', host: '', port: '', forwarded: [] };

function readOutside(headers: HeaderList, isTrusted: IsTrusted): Told {
  const [proto, host, port] = [
    only(headers, 'x-forwarded-proto'),
    only(headers, 'x-forwarded-host'),
    only(headers, 'x-forwarded-port'),
  ];
  return {
    chain: believed(listElements(headers.getAll('x-forwarded-for')), addressOf, isTrusted),
    proto: proto === 'http' || proto === 'https' ? proto : '',
    host: isAuthority(host) ? host : '',
    port: /^\d{1,5}$/.test(port) ? port : '',
    forwarded: believed(forwardedElements(headers.getAll('forwarded')) ?? [], forwardedNode, isTrusted),
  };
}

/** Of a field that two hops filled in nobody knows whose value counts. */
function only(headers: HeaderList, lowerName: string): string {
  const values = headers.getAll(lowerName);
  return values.length === 1 ? (values[0] as string) : '';
}

function addLegacy(head: RequestHead, connection: ConnectionInfo, told: Told): void {
  const { headers } = head;
  const { remoteAddress, scheme } = connection;
  headers.add(
    'x-forwarded-for',
    told.chain.length === 0 ? remoteAddress : `${told.chain.join(', ')}, ${remoteAddress}`,
  );
  headers.add('x-forwarded-proto', told.proto === '' ? scheme : told.proto);
  const host = told.host === '' ? head.authority : told.host;
  if (host !== '') headers.add('x-forwarded-host', host);
  if (told.port !== '') headers.add('x-forwarded-port', told.port);
}

const OUTSIDE_NAMES = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-client-cert',
]);

function stripOutside(headers: HeaderList): void {
  const { fields } = headers;
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    const name = fields[i] as string;
    // All of these names begin with x or f; the rest of the work is for those alone.
    const first = name.charCodeAt(0) | 0x20;
    if (first !== 0x78 && first !== 0x66) continue;
    // Apps behind CGI and WSGI read both as one: `X_Forwarded_For` would be a way around.
    const lower = name.toLowerCase().replaceAll('_', '-');
    if (lower.startsWith('x-weft-') || lower.startsWith('x-envoy-') || OUTSIDE_NAMES.has(lower)) headers.removeAt(i);
  }
}

/** What one sidecar says to another is not for apps: `x-weft-*` of an answer from the mesh. */
export function meshResponseFilter(head: ResponseHead): void {
  const { headers } = head;
  const { fields } = headers;
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    const name = fields[i] as string;
    if (name.length >= 7 && (name.charCodeAt(0) | 0x20) === 0x78 && name.slice(0, 7).toLowerCase() === 'x-weft-') {
      headers.removeAt(i);
    }
  }
}

/** One function for all of them, made when config applies. */
export function composeRequestFilters(filters: readonly RequestFilter[]): RequestFilter {
  const [first, second, third] = filters;
  if (first === undefined) return () => {};
  if (second === undefined) return first;
  if (third === undefined) {
    return (head, connection) => {
      first(head, connection);
      second(head, connection);
    };
  }
  return (head, connection) => {
    for (let i = 0; i < filters.length; i++) (filters[i] as RequestFilter)(head, connection);
  };
}
