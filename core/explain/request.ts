// A request as somebody writes it who asks what would become of it: `POST https://api.shop.test/api/v2/orders`.
import type { TargetHead } from '../decide/request-target.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { NameValue } from '../model/mesh.ts';

/** tcp: bytes. tls: bytes inside of TLS, whose name (SNI) is that of the URL. */
export type Scheme = 'http' | 'https' | 'tcp' | 'tls';

export interface AskedRequest {
  readonly method: string;
  /** As written. */
  readonly url: string;
  readonly scheme: Scheme;
  /** Where a client connects to: lower case, an IPv6 address in its brackets. */
  readonly host: string;
  /** 0: the URL names none. */
  readonly port: number;
  /** The Host field: that of the URL, unless the header fields have one. */
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: readonly NameValue[];
}

export interface RequestProblem {
  readonly message: string;
  readonly hint: string;
}

const MOST = { text: 16_384, headers: 100, header: 8_192 } as const;
const EXAMPLE = "for example 'POST https://api.shop.test/api/orders'";
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const URL_FORM = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)/;
const AUTHORITY = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]@\s]+)(?::(\d{1,5}))?$/;

/** `text`: method and URL; GET where there is none. `fields`: each `name: value`. */
export function readRequest(text: string, fields: readonly string[]): Result<AskedRequest, RequestProblem> {
  if (text.length > MOST.text) return problem(`a request of more than ${MOST.text} characters`, EXAMPLE);
  const words = text.trim();
  const space = words.search(/\s/);
  const method = space === -1 ? 'GET' : words.slice(0, space);
  const url = space === -1 ? words : words.slice(space).trim();
  if (!TOKEN.test(method)) return problem(`found ${quote(method)}, expected a method`, EXAMPLE);
  const headers = readFields(fields);
  if (!headers.ok) return headers;
  if (method === 'CONNECT') return readTunnel(url, headers.value);
  const parts = URL_FORM.exec(url);
  if (parts === null) return problem(`found ${quote(url)}, expected a URL with scheme and host`, EXAMPLE);
  const [, scheme = '', authority = '', rest = ''] = parts;
  const known = schemeOf(scheme.toLowerCase());
  if (known === null) return problem(`found ${scheme}://, expected http, https, tcp or tls`, EXAMPLE);
  const place = readAuthority(authority);
  if (!place.ok) return place;
  const said = headers.value.find(({ name }) => name === 'host')?.value;
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  return ok({
    method,
    url,
    scheme: known,
    ...place.value,
    authority: said ?? authority,
    target,
    headers: headers.value,
  });
}

/** As the proxies read it; a new one each time, as reading it puts its path into normal form. */
export function headOf({ method, authority, headers }: AskedRequest, target: string): TargetHead {
  return {
    method,
    target,
    authority,
    headers: { get: (lowerName) => headers.find(({ name }) => name === lowerName)?.value },
  };
}

function readTunnel(url: string, headers: readonly NameValue[]): Result<AskedRequest, RequestProblem> {
  const place = readAuthority(url);
  if (!place.ok) return place;
  if (place.value.port === 0) return problem(`found ${quote(url)}, expected host:port after CONNECT`, '');
  return ok({ method: 'CONNECT', url, scheme: 'http', ...place.value, authority: url, target: '', headers });
}

function readAuthority(authority: string): Result<Pick<AskedRequest, 'host' | 'port'>, RequestProblem> {
  const parts = AUTHORITY.exec(authority);
  const [, host = '', port = '0'] = parts ?? [];
  if (parts === null || Number(port) > 65_535) {
    return problem(`found ${quote(authority)}, expected host or host:port`, EXAMPLE);
  }
  return ok({ host: host.toLowerCase().replace(/\.$/, ''), port: Number(port) });
}

function readFields(fields: readonly string[]): Result<readonly NameValue[], RequestProblem> {
  const read: NameValue[] = [];
  if (fields.length > MOST.headers) return problem(`more than ${MOST.headers} header fields`, 'leave some out');
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, Math.max(colon, 0));
    if (field.length > MOST.header || !TOKEN.test(name)) {
      return problem(`found ${quote(field)}, expected a header field`, "for example -H 'x-beta: 1'");
    }
    read.push({ name: name.toLowerCase(), value: field.slice(colon + 1).trim() });
  }
  return ok(read);
}

function schemeOf(text: string): Scheme | null {
  return text === 'http' || text === 'https' || text === 'tcp' || text === 'tls' ? text : null;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function problem(message: string, hint: string): Result<never, RequestProblem> {
  return err({ message, hint });
}
