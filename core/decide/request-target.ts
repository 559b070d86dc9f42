// What is matched of a request: its host and its path in their one normal form. The same form goes to the
// upstream, so that nobody decides about one path and serves another.
import type { MatchInput } from './match.ts';
import { normalizePath } from './normalize-path.ts';

/** Header fields by name; the first value counts. */
export interface Fields {
  get(lowerName: string): string | undefined;
}

/** What of a request says where it goes. */
export interface TargetHead {
  readonly method: string;
  /** In origin-form (RFC 9112 §3.2.1), or `*`; put into normal form. */
  target: string;
  readonly authority: string;
  readonly headers: Fields;
}

const NO_FIELDS: Fields = { get: () => undefined };

/** One per plan, filled in anew for every request. */
export class RequestTarget implements MatchInput {
  host = '';
  method = '';
  path = '';
  query = '';
  #headers: Fields = NO_FIELDS;
  #authority = '';

  /** Reads a head and puts the normal form of its path into it; false: the path must be refused. */
  read(head: TargetHead): boolean {
    const { target } = head;
    const question = target.indexOf('?');
    const sent = question === -1 ? target : target.slice(0, question);
    const path = normalizePath(sent);
    if (path === null) return false;
    if (path !== sent) head.target = question === -1 ? path : path + target.slice(question);
    // `OPTIONS *` asks about the server as a whole: it goes where its root does, as it is.
    this.path = path === '*' ? '/' : path;
    this.query = question === -1 ? '' : target.slice(question + 1);
    this.method = head.method;
    this.#headers = head.headers;
    // A client rarely changes its mind about the host.
    if (head.authority !== this.#authority) {
      this.#authority = head.authority;
      this.host = hostOf(head.authority);
    }
    return true;
  }

  header(lowerName: string): string | undefined {
    return this.#headers.get(lowerName);
  }
}

/** Lower case, without port and last dot; an IPv6 address keeps its brackets. */
export function hostOf(authority: string): string {
  const bracket = authority.lastIndexOf(']');
  const colon = authority.indexOf(':', bracket + 1);
  const host = (colon === -1 ? authority : authority.slice(0, colon)).toLowerCase();
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
