// The mesh that is simulated: services that call each other by Zipf's law, and one edge with a route to each.

export interface WorldSpec {
  readonly services: number;
  /** Of each service. */
  readonly instances: number;
  /** Of each service, to others. */
  readonly calls: number;
  readonly seed: number;
}

export interface World {
  readonly spec: WorldSpec;
  /** Most called first. */
  readonly names: readonly string[];
  /** Service → what it calls. */
  readonly calls: ReadonlyMap<string, readonly string[]>;
  /** Service → who calls it, without the edge. */
  readonly callers: ReadonlyMap<string, readonly string[]>;
}

export const EDGE = 'main';
/** Of each service, to others. */
export const CALLS = 5;
/** The same mesh in every run. */
export const SEED = 20_261_122;

export function makeWorld(spec: WorldSpec): World {
  const names = Array.from({ length: spec.services }, (_, i) => `service-${String(i + 1).padStart(5, '0')}`);
  const random = randomOf(spec.seed);
  // Zipf with exponent 1: the n-th is called 1/n as often as the first.
  const cumulated: number[] = [];
  for (let i = 0; i < names.length; i++) cumulated.push((cumulated.at(-1) ?? 0) + 1 / (i + 1));
  const total = cumulated.at(-1) ?? 0;
  const calls = new Map<string, readonly string[]>();
  const callers = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const name of names) {
    const chosen = new Set<string>();
    while (chosen.size < Math.min(spec.calls, names.length - 1)) {
      const callee = names[firstAbove(cumulated, random() * total)] as string;
      if (callee !== name) chosen.add(callee);
    }
    calls.set(name, [...chosen]);
    for (const callee of chosen) callers.get(callee)?.push(name);
  }
  return { spec, names, calls, callers };
}

function firstAbove(cumulated: readonly number[], value: number): number {
  let [low, high] = [0, cumulated.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulated[middle] as number) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** mulberry32: the same run every time. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What an edit changes. */
export interface Edits {
  /** Service whose time-out is another one. */
  readonly service?: string;
  /** Service whose route at the edge is another one. */
  readonly route?: string;
}

/** A file holds 1 MiB at most. */
const SERVICES_PER_FILE = 2_500;

/** The configuration, in as many files as it needs; the last one is the edge. */
export function configOf(world: World, edits: Edits = {}): readonly string[] {
  const files: string[] = [];
  for (let from = 0; from < world.names.length; from += SERVICES_PER_FILE) {
    const lines = world.names.slice(from, from + SERVICES_PER_FILE).map((name) => {
      const timeout = name === edits.service ? ', timeout: 7s' : '';
      return `  ${name}: { port: 8080, calls: [${(world.calls.get(name) ?? []).join(', ')}]${timeout} }`;
    });
    files.push(`version: 1\nservices:\n${lines.join('\n')}\n`);
  }
  const routes = world.names.map((name) => {
    const timeout = name === edits.route ? ', timeout: 9s' : '';
    return `      - { match: { prefix: /${name} }, to: ${name}${timeout} }`;
  });
  const listeners = '    listeners:\n      - { port: 8000, address: 127.0.0.1 }';
  files.push(`version: 1\nedges:\n  ${EDGE}:\n${listeners}\n    routes:\n${routes.join('\n')}\n`);
  return files;
}
