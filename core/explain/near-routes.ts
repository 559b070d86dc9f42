// Routes that a request did not take: those it nearly takes where none matches, and those that a more specific one goes before.
import { conditionsHold, type MatchInput } from '../decide/match.ts';
import { compilePath, pathMatches } from '../decide/path.ts';
import type { RouteMatch } from '../model/mesh.ts';
import type { Route } from '../model/view.ts';
import { matchWords } from './item-words.ts';
import { type Locate, placed } from './place.ts';

const MOST = 3;
const ANY: Pick<RouteMatch, 'hosts' | 'methods' | 'headers' | 'query'> = {
  hosts: [],
  methods: [],
  headers: [],
  query: [],
};

/** Routes for this path that want something else of the request: what that is. */
export function nearlyTaken(routes: readonly Route[], input: MatchInput, locate: Locate): readonly string[] {
  const notes = forPath(routes, input)
    .filter((route) => !conditionsHold(route.match, input))
    .map((route) => `${matchWords(route)} wants ${missing(route.match, input)}${where(route, locate)}`);
  return bounded(notes);
}

/** Routes that match as well, behind the one that is taken. */
export function alsoMatching(
  routes: readonly Route[],
  taken: Route,
  input: MatchInput,
  locate: Locate,
): readonly string[] {
  const notes = forPath(routes, input)
    .filter((route) => route !== taken && conditionsHold(route.match, input))
    .map((route) => `${matchWords(route)} matches too, but goes behind it${where(route, locate)}`);
  return bounded(notes);
}

function forPath(routes: readonly Route[], { path }: MatchInput): readonly Route[] {
  return routes.filter(({ match }) => pathMatches(compilePath(match.path), path));
}

/** Each condition asked for itself. */
function missing(match: RouteMatch, input: MatchInput): string {
  const lacks = (part: Partial<RouteMatch>): boolean => !conditionsHold({ path: match.path, ...ANY, ...part }, input);
  const words = [
    ...(lacks({ methods: match.methods }) ? [`method ${match.methods.join(' or ')}`] : []),
    ...(lacks({ hosts: match.hosts }) ? [`host ${match.hosts.join(' or ')}`] : []),
    ...match.headers.flatMap((field) => (lacks({ headers: [field] }) ? [`header ${field.name}: ${field.value}`] : [])),
    ...match.query.flatMap((field) => (lacks({ query: [field] }) ? [`query ${field.name}=${field.value}`] : [])),
  ];
  return words.join(' and ');
}

function where({ ruleId }: Route, locate: Locate): string {
  const { at } = placed(locate, ruleId);
  return at === '' ? ` (${ruleId})` : ` (${at})`;
}

function bounded(notes: readonly string[]): readonly string[] {
  return notes.length <= MOST ? notes : [...notes.slice(0, MOST), `and ${notes.length - MOST} more`];
}
