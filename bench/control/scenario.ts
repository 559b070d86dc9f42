// One mesh from its start to a restart of its control plane, with everything that is measured on the way.
import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../load/load.ts';
import { freePort } from '../process.ts';
import { type Heard, makeChanges, type Mover, moversOf, subscribersIn } from './changes.ts';
import { ControlPlane } from './control-plane.ts';
import { issueIdentities, makeAuthority } from './identities.ts';
import { now } from './messages.ts';
import { Simulators } from './simulators.ts';
import { CALLS, configOf, makeWorld, SEED, type World } from './world.ts';

export interface ScenarioSpec {
  readonly services: number;
  readonly instances: number;
  /** Endpoint changes a second, and for how long. */
  readonly rate: number;
  readonly seconds: number;
  readonly idleSeconds: number;
  readonly source: boolean;
  readonly profile: string | null;
}

export interface Phase {
  readonly changes: number;
  readonly deliveries: number;
  readonly missing: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  /** CPU of the control plane for each change, what it takes when idle left out; ms. */
  readonly cpuPerChange: number;
  /** Responses to proxies that do not move, for each that had to hear. */
  readonly responsesPerDelivery: number;
  /** Longest that a process with proxies was away from its sockets; ms. */
  readonly stall: number;
}

export interface Outcome {
  readonly proxies: number;
  readonly services: number;
  /** From spawn to serving; ms. */
  readonly startMs: number;
  /** Proxies that have nothing come, a hundred at a time: until each has acknowledged its first view; ms. */
  readonly joinMs: number;
  readonly joinCpuMs: number;
  /** Milliseconds of CPU a second. */
  readonly idleCpu: number;
  readonly rssMiB: number;
  /** Of both processes, before the restart and after it. */
  readonly peakMiB: number;
  /** Changes of services by chance, every tenth of the most called one. */
  readonly mixed: Phase;
  /** Changes of services that few call. */
  readonly few: Phase;
  readonly route: Edit;
  readonly service: Edit;
  /** SIGKILL, started again: until all are current, from its spawn; ms. */
  readonly restartMs: number;
  readonly restartCpuMs: number;
  readonly restartBodies: number;
  /** Of the processes that hold the proxies, from start to end. */
  readonly simulatorsCpuMs: number;
  readonly simulatorsRssMiB: number;
}

/** An edited file: from its rename to the last proxy that it concerns. */
export interface Edit {
  readonly ms: number;
  readonly cpuMs: number;
  readonly responses: number;
  readonly bodies: number;
}

/** Beside the most called. */
const MOVERS = 60;
/** Called by so few that changes of them say what a change costs in itself. */
const FEW = 2;
const JOIN_TIMEOUT = 120_000;
const RESTART_TIMEOUT = 60_000;

export async function runScenario(spec: ScenarioSpec, work: string, say: (line: string) => void): Promise<Outcome> {
  mkdirSync(work, { recursive: true });
  const world = makeWorld({ services: spec.services, instances: spec.instances, calls: CALLS, seed: SEED });
  const folders = await makeAuthority(work);
  const identities = await issueIdentities(folders, world);
  say(`${identities.length} certificates issued`);
  const port = await freePort();
  const plane = new ControlPlane({ folders, work, port, source: spec.source, profile: spec.profile });
  const simulators = new Simulators(2);
  try {
    plane.configure(configOf(world));
    const spawned = now();
    await plane.start();
    const startMs = now() - spawned;
    const movers = chooseMovers(world);
    const connecting = now();
    const all = identities.length;
    simulators.start(
      { host: '127.0.0.1', port },
      identities,
      [...movers.mixed, ...movers.few].map(({ instance }) => instance),
    );
    const before = plane.cpuMs();
    const { ms: joinMs, seen: joined } = await simulators.allCurrent(all, connecting, JOIN_TIMEOUT);
    if (joinMs === Number.POSITIVE_INFINITY) throw new Error(`${joined.current} of ${all} proxies have joined`);
    await delay(2_000);
    const joinCpuMs = plane.cpuMs() - before;
    say(`all joined in ${(joinMs / 1_000).toFixed(1)} s, ${(joinCpuMs / 1_000).toFixed(1)} s of CPU`);
    const idleCpu = await idle(plane, spec.idleSeconds);
    const phase = (which: readonly Mover[], firstPort: number) =>
      changing({
        plane,
        simulators,
        spec,
        idleCpu,
        movers: which,
        all: [...movers.mixed, ...movers.few],
        world,
        firstPort,
      });
    const mixed = await phase(movers.mixed, 30_000);
    say(
      `changes: p50 ${mixed.p50.toFixed(0)}, p99 ${mixed.p99.toFixed(0)} ms, ${mixed.cpuPerChange.toFixed(1)} ms of CPU each, ${mixed.missing} of ${mixed.deliveries} missing, proxies late by ${mixed.stall.toFixed(0)} ms`,
    );
    const few = await phase(movers.few, 40_000);
    say(`changes that few hear: p99 ${few.p99.toFixed(0)} ms, ${few.cpuPerChange.toFixed(1)} ms of CPU each`);
    const rssMiB = plane.rssMiB();
    const [edited, rerouted] = [world.names[spec.services >> 1] ?? '', world.names[spec.services >> 2] ?? ''];
    const service = await edit(plane, simulators, configOf(world, { service: edited }));
    const route = await edit(plane, simulators, configOf(world, { service: edited, route: rerouted }));
    say(
      `edits: service ${service.ms.toFixed(0)} ms, ${service.bodies} bodies; route ${route.ms.toFixed(0)} ms, ${route.bodies} bodies`,
    );
    const peakMiB = plane.peakMiB();
    say(
      `RSS ${rssMiB.toFixed(0)} MiB, at most ${peakMiB.toFixed(0)} MiB; idle ${idleCpu.toFixed(0)} ms of CPU a second`,
    );
    await simulators.collect();
    // A process that is killed writes no profile.
    await plane.stop(spec.profile === null ? 'SIGKILL' : 'SIGTERM');
    await delay(1_000);
    const again = now();
    await plane.start();
    const { ms: restartMs, seen } = await simulators.allCurrent(all, again, RESTART_TIMEOUT);
    await delay(1_000);
    const late = await simulators.collect();
    say(
      `restart: ${late.current} current in ${(restartMs / 1_000).toFixed(1)} s, ${seen.bodies + late.bodies} bodies, ${seen.losses} losses, CPU ${(plane.cpuMs() / 1_000).toFixed(1)} s, proxies late by ${seen.stall.toFixed(0)} ms`,
    );
    return {
      proxies: all,
      services: spec.services,
      ...{ startMs, joinMs, joinCpuMs, idleCpu, rssMiB, mixed, few, route, service, restartMs },
      peakMiB: Math.max(peakMiB, plane.peakMiB()),
      restartCpuMs: plane.cpuMs(),
      restartBodies: seen.bodies + late.bodies,
      ...simulators.cost(),
    };
  } finally {
    await simulators.stop();
    await plane.stop();
  }
}

/** Nine by chance for each of the most called. */
function chooseMovers(world: World): { readonly mixed: readonly Mover[]; readonly few: readonly Mover[] } {
  const [top] = world.names;
  const byCallers = world.names.toSorted((a, b) => callersBeyond(world, a) - callersBeyond(world, b));
  const few = moversOf(byCallers.slice(0, world.names.length / 4), MOVERS / 3, SEED + 1);
  const others = world.names.filter((name) => name !== top && !few.some(({ service }) => service === name));
  const chance = moversOf(others, MOVERS, SEED);
  const hot = Array.from({ length: world.spec.instances }, (_, i) => ({ service: top ?? '', instance: `${top}-${i}` }));
  const mixed = chance.flatMap((mover, i) => (i % 9 === 0 ? [hot[(i / 9) % hot.length] ?? mover, mover] : [mover]));
  return { mixed, few };
}

function callersBeyond(world: World, name: string): number {
  return Math.abs((world.callers.get(name) ?? []).length - FEW);
}

async function idle(plane: ControlPlane, seconds: number): Promise<number> {
  const before = plane.cpuMs();
  await delay(seconds * 1_000);
  return (plane.cpuMs() - before) / seconds;
}

interface Changing {
  readonly plane: ControlPlane;
  readonly simulators: Simulators;
  readonly spec: ScenarioSpec;
  readonly idleCpu: number;
  readonly movers: readonly Mover[];
  readonly all: readonly Mover[];
  readonly world: World;
  readonly firstPort: number;
}

async function changing({ plane, simulators, spec, idleCpu, movers, all, world, firstPort }: Changing): Promise<Phase> {
  const [cpu, began] = [plane.cpuMs(), performance.now()];
  const unique = [...new Map(all.map((mover) => [mover.instance, mover])).values()];
  const effort = { rate: spec.rate, seconds: spec.seconds, firstPort };
  const heard = await makeChanges(simulators, movers, subscribersIn(world, unique), effort);
  const seconds = (performance.now() - began) / 1_000;
  return phaseOf(heard, plane.cpuMs() - cpu - idleCpu * seconds);
}

function phaseOf({ changes, deliveries, missing, latencies, responses, stall }: Heard, cpuMs: number): Phase {
  return {
    ...{ changes, deliveries, missing, stall },
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    most: latencies.at(-1) ?? Number.NaN,
    cpuPerChange: cpuMs / changes,
    responsesPerDelivery: responses / deliveries,
  };
}

async function edit(plane: ControlPlane, simulators: Simulators, texts: readonly string[]): Promise<Edit> {
  await simulators.collect();
  const [cpu, began] = [plane.cpuMs(), now()];
  plane.configure(texts);
  await delay(5_000);
  const { lastAt, responses, bodies } = await simulators.collect();
  return { ms: responses === 0 ? Number.NaN : lastAt - began, cpuMs: plane.cpuMs() - cpu, responses, bodies };
}
