// Which route an exchange takes. Compiled once when config applies: exact paths in a map, all others in a tree of
// segments, so that the cost of a look-up follows the length of the path and not the number of routes.
import type { RouteMatch } from '../model/mesh.ts';
import type { Route } from '../model/view.ts';
import { type CompiledPath, compilePath, type Segment } from './path.ts';

/** What is known of a request when its route is chosen. */
export interface MatchInput {
  /** Lower case, no port. */
  readonly host: string;
  /** As sent: methods are case-sensitive. */
  readonly method: string;
  /** In the form of `normalizePath`; no query. */
  readonly path: string;
  /** Without `?`; '' where there is none. */
  readonly query: string;
  /** The first value of a header field. */
  header(lowerName: string): string | undefined;
}

interface Candidate {
  readonly route: Route;
  readonly match: RouteMatch;
  readonly path: CompiledPath;
  /** Place in the order of specificity; the lowest that matches is chosen. */
  readonly rank: number;
}

interface Node {
  readonly literal: Map<string, Node>;
  wild: Node | null;
  /** Patterns that end exactly here, by rank. */
  readonly ends: Candidate[];
  /** Patterns that match here and everything below, by rank. */
  readonly subtrees: Candidate[];
}

const KIND_ORDER = { exact: 0, template: 1, prefix: 2, glob: 3 } as const;

/**
 * Orders routes by specificity: exact before template before prefix before glob; within a kind the longer text
 * before the first wildcard; then config order. Host, method, headers and query only filter. A path decides first,
 * so a route for one host does not go before a more specific path for every host.
 */
export function compileMatcher(routes: readonly Route[]): RouteMatcher {
  return new RouteMatcher(rankRoutes(routes));
}

function rankRoutes(routes: readonly Route[]): Candidate[] {
  const paths = routes.map((route) => compilePath(route.match.path));
  const order = routes.map((_, index) => index);
  order.sort((a, b) => compareSpecificity(paths[a] as CompiledPath, paths[b] as CompiledPath) || a - b);
  return order.map((index, rank) => {
    const route = routes[index] as Route;
    return { route, match: route.match, path: paths[index] as CompiledPath, rank };
  });
}

/** Negative where `a` is more specific, 0 where config order decides. */
export function compareSpecificity(a: CompiledPath, b: CompiledPath): number {
  return KIND_ORDER[a.kind] - KIND_ORDER[b.kind] || b.literalLength - a.literalLength;
}

export class RouteMatcher {
  readonly #exact = new Map<string, Candidate[]>();
  readonly #root: Node = emptyNode();

  /** Made by `compileMatcher`; `candidates` come in the order of their rank. */
  constructor(candidates: readonly Candidate[]) {
    for (const candidate of candidates) {
      if (candidate.path.kind === 'exact') {
        const same = this.#exact.get(candidate.path.path);
        if (same === undefined) this.#exact.set(candidate.path.path, [candidate]);
        else same.push(candidate);
      } else {
        const node = plant(this.#root, candidate.path.segments);
        (candidate.path.subtree ? node.subtrees : node.ends).push(candidate);
      }
    }
  }

  /** The most specific route that the request matches; null: none. */
  match(input: MatchInput): Route | null {
    const exact = this.#exact.get(input.path);
    const found = exact === undefined ? null : better(null, exact, input);
    if (found !== null) return found.route;
    if (input.path.charCodeAt(0) !== 0x2f) return null;
    return walk(this.#root, 1, input, null)?.route ?? null;
  }
}

function emptyNode(): Node {
  return { literal: new Map(), wild: null, ends: [], subtrees: [] };
}

function plant(root: Node, segments: readonly Segment[]): Node {
  let node = root;
  for (const segment of segments) {
    let next = segment === null ? node.wild : node.literal.get(segment);
    if (!next) {
      next = emptyNode();
      if (segment === null) node.wild = next;
      else node.literal.set(segment, next);
    }
    node = next;
  }
  return node;
}

/** Each node is reached by one way only, so a hostile path costs at most one visit to each of them. */
function walk(node: Node, start: number, input: MatchInput, best: Candidate | null): Candidate | null {
  let found = better(best, node.subtrees, input);
  const { path } = input;
  if (start > path.length) return better(found, node.ends, input);
  if (node.wild === null && node.literal.size === 0) return found;
  const slash = path.indexOf('/', start);
  const end = slash === -1 ? path.length : slash;
  if (node.literal.size > 0) {
    const next = node.literal.get(path.slice(start, end));
    if (next !== undefined) found = walk(next, end + 1, input, found);
  }
  if (node.wild !== null && end > start) found = walk(node.wild, end + 1, input, found);
  return found;
}

function better(best: Candidate | null, candidates: readonly Candidate[], input: MatchInput): Candidate | null {
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i] as Candidate;
    if (best !== null && candidate.rank > best.rank) return best;
    if (conditionsHold(candidate.match, input)) return candidate;
  }
  return best;
}

/** Everything of a match but its path. */
export function conditionsHold(match: RouteMatch, input: MatchInput): boolean {
  const { methods, headers, query, hosts } = match;
  if (methods.length > 0 && !methods.includes(input.method)) return false;
  if (!hostMatches(hosts, input.host)) return false;
  for (let i = 0; i < headers.length; i++) {
    const wanted = headers[i] as RouteMatch['headers'][number];
    if (input.header(wanted.name) !== wanted.value) return false;
  }
  for (let i = 0; i < query.length; i++) {
    const wanted = query[i] as RouteMatch['query'][number];
    if (queryValue(input.query, wanted.name) !== wanted.value) return false;
  }
  return true;
}

/** Whether a host (lower case, no port) is one of the patterns: exact, or `*.suffix` for one label or more under it. */
export function hostMatches(patterns: readonly string[], host: string): boolean {
  if (patterns.length === 0) return true;
  for (let i = 0; i < patterns.length; i++) {
    const pattern = patterns[i] as string;
    if (pattern === host) return true;
    if (pattern.charCodeAt(0) === 0x2a && host.length >= pattern.length && host.endsWith(pattern.slice(1))) return true;
  }
  return false;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** What an edge's listener serves beside its hosts: a check from the same machine must not need DNS. Empty: every host. */
export function servedHosts(hosts: readonly string[]): readonly string[] {
  return hosts.length === 0 ? [] : [...hosts, ...LOOPBACK_NAMES];
}

/** The first value of a query parameter, decoded (also `+`); undefined: it is not there. */
export function queryValue(query: string, name: string): string | undefined {
  let start = 0;
  while (start < query.length) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand === -1 ? query.length : ampersand;
    const equals = query.indexOf('=', start);
    const split = equals === -1 || equals > end ? end : equals;
    if (decodeComponent(query.slice(start, split)) === name) return decodeComponent(query.slice(split + 1, end));
    start = end + 1;
  }
  return undefined;
}

function decodeComponent(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return text;
  }
}
