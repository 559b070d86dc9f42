// Endpoint changes at a fixed rate: instances leave and come back with another port, and every proxy that calls them and
// does not move itself has to hear of each.
import { setTimeout as delay } from 'node:timers/promises';
import type { Seen, Simulators } from './simulators.ts';
import { randomOf, type World } from './world.ts';

export interface Mover {
  readonly instance: string;
  readonly service: string;
}

export interface Heard {
  /** Endpoint changes: a leave is one, a return another. */
  readonly changes: number;
  /** Those who had to hear, over all changes. */
  readonly deliveries: number;
  /** Of them, how many did not. */
  readonly missing: number;
  /** Milliseconds from the change to its arrival, sorted. */
  readonly latencies: Float64Array;
  /** To proxies that do not move. */
  readonly responses: number;
  readonly stall: number;
}

/** How long an instance is away, in ms. */
const AWAY = 1_000;
/** What has not arrived by then never will, in ms. */
const PATIENCE = 3_000;

/** The first instance of services that are drawn by chance. */
export function moversOf(services: readonly string[], count: number, seed: number): readonly Mover[] {
  const random = randomOf(seed);
  const chosen = new Set<string>();
  while (chosen.size < Math.min(count, services.length)) {
    chosen.add(services[Math.floor(random() * services.length)] as string);
  }
  return [...chosen].map((service) => ({ service, instance: `${service}-0` }));
}

/** Moves them in turn. `subscribers`: proxies that do not move and have the service in view. */
export async function makeChanges(
  simulators: Simulators,
  movers: readonly Mover[],
  subscribers: (service: string) => number,
  { rate, seconds, firstPort }: { readonly rate: number; readonly seconds: number; readonly firstPort: number },
): Promise<Heard> {
  await simulators.collect();
  const begin = performance.now();
  const returns: { readonly at: number; readonly mover: Mover }[] = [];
  // Every leave has its return: half of the changes are leaves.
  const leaves = Math.round((rate * seconds) / 2);
  let port = firstPort;
  for (let made = 0; made < leaves || returns.length > 0; ) {
    const next = made < leaves ? begin + (made * 2_000) / rate : Number.POSITIVE_INFINITY;
    const back = returns[0]?.at ?? Number.POSITIVE_INFINITY;
    await delay(Math.max(0, Math.min(next, back) - performance.now()));
    if (back <= next) {
      simulators.join((returns.shift() as { readonly mover: Mover }).mover.instance, port++);
    } else {
      const mover = movers[made++ % movers.length] as Mover;
      simulators.leave(mover.instance);
      returns.push({ at: performance.now() + AWAY, mover });
    }
  }
  await delay(PATIENCE);
  return heardOf(await simulators.collect(), movers, subscribers);
}

function heardOf(seen: Seen, movers: readonly Mover[], subscribers: (service: string) => number): Heard {
  const begun = new Map(seen.begun);
  const services = new Map(movers.map(({ instance, service }) => [instance, service]));
  let expected = 0;
  for (const id of begun.keys()) expected += subscribers(services.get(id.slice(0, id.lastIndexOf(':'))) ?? '');
  const latencies = seen.arrived.flatMap(([id, at]) => {
    const since = begun.get(id);
    return since === undefined ? [] : [at - since];
  });
  return {
    changes: begun.size,
    deliveries: expected,
    missing: expected - latencies.length,
    latencies: Float64Array.from(latencies).sort(),
    responses: seen.stillResponses,
    stall: seen.stall,
  };
}

/** Proxies that have a service in view and do not move: instances of its callers, and the edge. */
export function subscribersIn(world: World, movers: readonly Mover[]): (service: string) => number {
  const moving = Map.groupBy(movers, ({ service }) => service);
  return (service) => {
    let count = 1;
    for (const caller of world.callers.get(service) ?? []) {
      count += world.spec.instances - (moving.get(caller)?.length ?? 0);
    }
    return count;
  };
}
