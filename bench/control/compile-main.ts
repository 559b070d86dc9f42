// What a configuration costs without anybody connected: reading, compiling and proving it, and an edit of it. The same
// functions as in the control plane. Usage: node bench/control/compile-main.ts SERVICES; prints JSON (CompileCost).
import { createConfigParser, type ConfigText, type ParsedConfig } from '../../core/config/parse.ts';
import { SnapshotStore } from '../../control-plane/snapshot/snapshot-store.ts';
import { loadServices } from '../../proto/codec/services.ts';
import type { CompileCost } from './compile.ts';
import { CALLS, configOf, type Edits, makeWorld, SEED } from './world.ts';

const services = Number(process.argv[2] ?? '1000');
const world = makeWorld({ services, instances: 2, calls: CALLS, seed: SEED });
const parse = createConfigParser();
const store = new SnapshotStore('weft.local', loadServices().discovery.Stream);

function read(edits: Edits): { readonly parsed: ParsedConfig; readonly ms: number } {
  const texts: readonly ConfigText[] = configOf(world, edits).map((text, i) => ({ name: `weft-${i}.yaml`, text }));
  const began = performance.now();
  const parsed = parse(texts);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error[0]));
  return { parsed: parsed.value, ms: performance.now() - began };
}

function compile(parsed: ParsedConfig): number {
  const began = performance.now();
  const applied = store.apply(parsed);
  if (!applied.ok) throw new Error(JSON.stringify(applied.error[0]));
  if (!applied.value.changed) throw new Error('the edit changed nothing');
  return performance.now() - began;
}

const first = read({});
const firstMs = compile(first.parsed);
// Every edit is another one; the first of each kind finds code that never ran.
const ROUNDS = services > 1_000 ? 3 : 9;
const route: number[] = [];
const service: number[] = [];
const parses: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const [edited, rerouted] = [world.names[round + 3], world.names[services - round - 1]];
  const one = read(edited === undefined ? {} : { service: edited });
  service.push(compile(one.parsed));
  const other = read({
    ...(edited === undefined ? {} : { service: edited }),
    ...(rerouted === undefined ? {} : { route: rerouted }),
  });
  route.push(compile(other.parsed));
  parses.push(one.ms, other.ms);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const cost: CompileCost = {
  services,
  readMs: first.ms,
  compileMs: firstMs,
  readAgainMs: median(parses),
  routeMs: median(route),
  serviceMs: median(service),
  heapMiB: process.memoryUsage().heapUsed / 1024 / 1024,
};
process.stdout.write(`${JSON.stringify(cost)}\n`);
