// Routes that cannot mean what their author meant: one that is never reached, and two that meet in a way that only
// their order in the file decides. `weft validate` warns about both.
import type { NameValue, RouteMatch } from '../model/mesh.ts';
import type { Route } from '../model/view.ts';
import { compareSpecificity, hostMatches } from './match.ts';
import { type CompiledPath, compilePath, pathCovers, pathsOverlap } from './path.ts';

export interface Ambiguity {
  /** shadowed: `other` is never chosen, as `first` takes all of its requests. overlap: config order decides for some. */
  readonly kind: 'shadowed' | 'overlap';
  /** The route that is chosen where both match. */
  readonly first: Route;
  readonly other: Route;
}

interface Compiled {
  readonly route: Route;
  readonly path: CompiledPath;
}

/**
 * Every such pair, in config order; of a shadowed route only the first that shadows it. A narrower route before a wider
 * one (`POST /a` before `/a`) is how routes are meant to be written and is not reported.
 */
export function findAmbiguities(routes: readonly Route[]): Ambiguity[] {
  const earlier = new EarlierRoutes();
  const found: Ambiguity[] = [];
  const shadowed = new Set<Route>();
  for (const route of routes) {
    const later = { route, path: compilePath(route.match.path) };
    for (const one of earlier.thatMayMeet(later)) {
      const [first, other] = inOrder(one, later);
      const kind = relate(first, other);
      if (kind === null || (kind === 'shadowed' && shadowed.has(other.route))) continue;
      if (kind === 'shadowed') shadowed.add(other.route);
      found.push({ kind, first: first.route, other: other.route });
    }
    earlier.add(later);
  }
  return found;
}

/** Paths that begin with different words have nothing in common: of a thousand routes a few are worth a look. */
class EarlierRoutes {
  readonly #all: Compiled[] = [];
  /** By their first segment. Each list also has those that begin with any. */
  readonly #byFirst = new Map<string, Compiled[]>();
  readonly #any: Compiled[] = [];

  /** In config order. */
  thatMayMeet({ path }: Compiled): readonly Compiled[] {
    const first = path.segments[0] ?? null;
    return first === null ? this.#all : (this.#byFirst.get(first) ?? this.#any);
  }

  add(route: Compiled): void {
    const first = route.path.segments[0] ?? null;
    this.#all.push(route);
    if (first === null) {
      this.#any.push(route);
      for (const list of this.#byFirst.values()) list.push(route);
    } else {
      const list = this.#byFirst.get(first) ?? [...this.#any];
      list.push(route);
      this.#byFirst.set(first, list);
    }
  }
}

function inOrder(earlier: Compiled, later: Compiled): readonly [Compiled, Compiled] {
  return compareSpecificity(earlier.path, later.path) <= 0 ? [earlier, later] : [later, earlier];
}

function relate(first: Compiled, other: Compiled): Ambiguity['kind'] | null {
  if (pathCovers(first.path, other.path) && conditionsCover(first.route.match, other.route.match)) return 'shadowed';
  if (compareSpecificity(first.path, other.path) !== 0) return null;
  if (pathCovers(other.path, first.path) && conditionsCover(other.route.match, first.route.match)) return null;
  if (!pathsOverlap(first.path, other.path)) return null;
  return conditionsOverlap(first.route.match, other.route.match) ? 'overlap' : null;
}

function conditionsCover(outer: RouteMatch, inner: RouteMatch): boolean {
  return (
    listCovers(outer.methods, inner.methods, (outerOnes, one) => outerOnes.includes(one)) &&
    listCovers(outer.hosts, inner.hosts, hostMatches) &&
    outer.headers.every((wanted) => inner.headers.some((other) => same(wanted, other))) &&
    outer.query.every((wanted) => inner.query.some((other) => same(wanted, other)))
  );
}

type Covers = (outer: readonly string[], one: string) => boolean;

/** An empty list is every one. A host pattern is covered by another as a host would be: `*.a.test` by `*.test`. */
function listCovers(outer: readonly string[], inner: readonly string[], covers: Covers): boolean {
  if (outer.length === 0) return true;
  return inner.length > 0 && inner.every((one) => covers(outer, one));
}

function conditionsOverlap(a: RouteMatch, b: RouteMatch): boolean {
  return (
    listsOverlap(a.methods, b.methods, (list, one) => list.includes(one)) &&
    listsOverlap(a.hosts, b.hosts, hostMatches) &&
    !contradict(a.headers, b.headers) &&
    !contradict(a.query, b.query)
  );
}

function listsOverlap(a: readonly string[], b: readonly string[], covers: Covers): boolean {
  if (a.length === 0 || b.length === 0) return true;
  return a.some((one) => covers(b, one)) || b.some((one) => covers(a, one));
}

function same(a: NameValue, b: NameValue): boolean {
  return a.name === b.name && a.value === b.value;
}

function contradict(a: readonly NameValue[], b: readonly NameValue[]): boolean {
  return a.some((one) => b.some((other) => one.name === other.name && one.value !== other.value));
}
