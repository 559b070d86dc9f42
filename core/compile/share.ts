// What did not change between two configurations is the same object in both: then whatever was made of it can be kept
// too. Plain data only, as the model is.
import type { Edge, Mesh } from '../model/mesh.ts';

/** Deep equality of plain data; the order of keys means nothing, that of lists does. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && sameList(a, b, sameValue);
  return !Array.isArray(b) && sameFields(a, b);
}

type Fields = Readonly<Record<string, unknown>>;

function sameFields(a: object, b: object): boolean {
  // Plain data, so that for…in finds its fields and nothing else; lists of names, made for thousands of objects at every
  // edit, would cost more than the comparison.
  let more = 0;
  for (const name in a) {
    const other = (b as Fields)[name];
    if (!sameValue((a as Fields)[name], other) || (other === undefined && !Object.hasOwn(b, name))) return false;
    more++;
  }
  for (const _ in b) more--;
  return more === 0;
}

export function sameList<T>(
  a: readonly T[],
  b: readonly T[],
  same: (a: T, b: T) => boolean = (one, other) => one === other,
): boolean {
  return a.length === b.length && a.every((item, index) => same(item, b[index] as T));
}

/** The older of the two where they say the same. */
export function older<T>(before: T | undefined, now: T): T {
  return before !== undefined && sameValue(before, now) ? before : now;
}

/** Means the same as `mesh`, with the services, edges and routes of `before` wherever they did not change. */
export function shareMesh(before: Mesh, mesh: Mesh): Mesh {
  const services = new Map(
    [...mesh.services].map(([name, service]) => [name, older(before.services.get(name), service)]),
  );
  const edges = new Map([...mesh.edges].map(([name, edge]) => [name, shareEdge(before.edges.get(name), edge)]));
  return { ...mesh, services, edges };
}

function shareEdge(before: Edge | undefined, edge: Edge): Edge {
  if (before === undefined) return edge;
  const routes = edge.routes.map((route, index) => older(before.routes[index], route));
  return older(before, { ...edge, routes });
}
