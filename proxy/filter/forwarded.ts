// What a hop adds to and takes from the fields of a message: Via, X-Forwarded-*, and the names that only
// Weft itself may say.
import type { ConnectionInfo, RequestHead, ResponseHead } from '../exchange.ts';
import type { HeaderList } from '../kit/header-list.ts';

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

/** At the edge: nothing that an outside client says of where it comes from is believed. */
export function edgeRequestFilter(head: RequestHead, connection: ConnectionInfo): void {
  stripOutside(head.headers);
  head.headers.add('x-forwarded-for', connection.remoteAddress);
  head.headers.add('x-forwarded-proto', connection.scheme);
  if (head.authority !== '') head.headers.add('x-forwarded-host', head.authority);
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
    const lower = name.toLowerCase();
    if (lower.startsWith('x-weft-') || lower.startsWith('x-envoy-') || OUTSIDE_NAMES.has(lower)) fields.splice(i, 2);
  }
}

/** What one sidecar says to another is not for apps: `x-weft-*` of an answer from the mesh. */
export function meshResponseFilter(head: ResponseHead): void {
  const { fields } = head.headers;
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    const name = fields[i] as string;
    if (name.length >= 7 && (name.charCodeAt(0) | 0x20) === 0x78 && name.slice(0, 7).toLowerCase() === 'x-weft-') {
      fields.splice(i, 2);
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
