// Everything at once, on real processes and under constant traffic: the control plane is killed and comes back, the
// configuration is edited, instances are rolled. Seeded: WEFT_STORM_SEED and WEFT_STORM_SECONDS make another or a longer one.
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { seededRandom } from '../../core/kit/random.ts';
import { eventually } from '../support/eventually.ts';
import type { ProxyProcess } from '../support/proxy-process.ts';
import { StormConfig } from '../support/storm-config.ts';
import { type Instance, makeStormMesh, type StormMesh } from '../support/storm-mesh.ts';
import { startTraffic, type Traffic } from '../support/storm-traffic.ts';

const SECONDS = Number(process.env['WEFT_STORM_SECONDS'] ?? 25);
const SEED = Number(process.env['WEFT_STORM_SEED'] ?? 1);
const PATHS = ['/front', '/back/a', '/via/b', '/split/c', '/moved/d', '/via/e'];

/** What was done and when, to read beside a failure. */
class Diary {
  readonly #began = performance.now();
  readonly lines: string[] = [];

  write(line: string): void {
    const seconds = ((performance.now() - this.#began) / 1_000).toFixed(2);
    this.lines.push(`${new Date().toISOString().slice(11)} +${seconds}s ${line}`);
  }
}

interface Outage {
  readonly from: number;
  /** Infinity: not over. */
  to: number;
}

/** The control plane, killed and started again, with when it was away; `performance.now`. */
class Plane {
  readonly #mesh: StormMesh;
  readonly #diary: Diary;
  #process: ProxyProcess;
  readonly outages: Outage[] = [];

  constructor(mesh: StormMesh, diary: Diary) {
    this.#mesh = mesh;
    this.#diary = diary;
    this.#process = mesh.startPlane();
  }

  get ready(): Promise<void> {
    return this.#process.ready;
  }

  async killAndReturn(signal: NodeJS.Signals, pause: number): Promise<void> {
    this.#diary.write(`control plane: ${signal}, back after ${Math.round(pause)} ms`);
    const outage = { from: performance.now(), to: Number.POSITIVE_INFINITY };
    this.outages.push(outage);
    this.#process.child.kill(signal);
    await this.#process.exited;
    await delay(pause);
    this.#process = this.#mesh.startPlane();
    await this.ready;
    outage.to = performance.now();
    this.#diary.write('control plane: ready');
  }
}

interface Storm {
  readonly mesh: StormMesh;
  readonly plane: Plane;
  readonly diary: Diary;
  readonly random: () => number;
  readonly traffic: Traffic;
  over(): boolean;
}

async function killThePlane({ plane, random, over }: Storm): Promise<void> {
  while (!over()) {
    await delay(1_500 + random() * 2_500);
    const signal = random() < 0.8 ? 'SIGKILL' : 'SIGTERM';
    if (!over()) await plane.killAndReturn(signal, random() < 0.5 ? 0 : random() * 1_500);
  }
}

async function editTheConfig({ mesh, diary, random, over }: Storm, config: StormConfig): Promise<void> {
  while (!over()) {
    await delay(200 + random() * 600);
    const broken = random() < 0.15;
    diary.write(broken ? 'config: broken' : `config: ${config.edit(random)}`);
    await mesh.writeConfig(broken ? config.broken(random) : config.text());
  }
  await mesh.writeConfig(config.text());
}

interface Roll {
  readonly name: string;
  /** From its registration, or the return of the control plane, to its first answer; ms. */
  readonly usedAfter: number;
}

/** The new one first; the old one is told to stop once the new one is used. */
async function roll(storm: Storm, old: Instance, name: string, version?: string): Promise<[Instance, Roll]> {
  const { mesh, diary, traffic, plane } = storm;
  const service = old.name.startsWith('front') ? 'front' : 'back';
  const next = await mesh.startInstance(service, name, version);
  await next.proxy.ready;
  // `weft run` starts its app once there is a view: before it listens nobody calls it.
  if (service === 'front') await eventually(() => next.proxy.output().includes(`${name} listens`), 20_000);
  const ready = performance.now();
  diary.write(`${name}: ready`);
  const used = await eventually(() => traffic.firstAnswers.get(name), 20_000).catch((cause: unknown) => {
    throw new Error(`${name} is not used`, { cause });
  });
  // Who is used before the control plane says that it is back is early.
  const since = Math.max(ready, ...plane.outages.map(({ from, to }) => (from < used ? Math.min(to, used) : 0)));
  const usedAfter = Math.max(0, used - since);
  diary.write(`${name}: used ${Math.round(usedAfter)} ms after its registration or the control plane's return`);
  diary.write(`${old.name}: SIGTERM`);
  old.proxy.child.kill('SIGTERM');
  // An app beside its sidecar may call others until it ends, and its sidecar waits for that.
  const over = Promise.race([old.proxy.exited, eventually(() => /until it ends/.test(old.proxy.output()), 20_000)]);
  await over.catch(() => {});
  old.endApp();
  const code = await old.proxy.exited;
  diary.write(`${old.name}: ended with ${code}`);
  // `weft run` ends with what its app ended with: SIGTERM.
  assert.equal(code, service === 'front' ? 143 : 0, `${old.name}: ${old.proxy.errors()}`);
  return [next, { name, usedAfter }];
}

test(`a storm: no request fails, and new instances are used within a second (seed ${SEED})`, {
  timeout: (SECONDS + 120) * 1_000,
}, async (t: TestContext) => {
  const random = seededRandom(SEED);
  const diary = new Diary();
  let config: StormConfig | null = null;
  const mesh = await makeStormMesh(t, (ports) => (config = new StormConfig(ports)).text());
  assert.ok(config !== null);
  const plane = new Plane(mesh, diary);
  await plane.ready;
  const edge = await mesh.startEdge();
  const fleet = await Promise.all([
    mesh.startInstance('front', 'front-1'),
    mesh.startInstance('front', 'front-2'),
    mesh.startInstance('back', 'back-1', 'v1'),
    mesh.startInstance('back', 'back-2', 'v1'),
    mesh.startInstance('back', 'back-3', 'v2'),
    mesh.startInstance('back', 'back-4', 'v2'),
  ]);
  await Promise.all([edge.ready, ...fleet.map(({ proxy }) => proxy.ready)]);
  const traffic = startTraffic({ ports: mesh.ports, ca: mesh.ca, paths: PATHS, pace: 15 });
  t.after(() => traffic.stop());
  await eventually(() => fleet.every(({ name }) => traffic.firstAnswers.has(name)));
  diary.write('the storm begins');
  const end = performance.now() + SECONDS * 1_000;
  const before = traffic.failures.length;
  const waits = monitorEventLoopDelay({ resolution: 10 });
  waits.enable();
  const storm: Storm = { mesh, plane, diary, random, traffic, over: () => performance.now() > end };
  const rolls: Roll[] = [];
  const rollThem = async (): Promise<void> => {
    for (let n = 0; !storm.over(); n += 1) {
      // Those beside their app and those that run it, by turns.
      const at = [2, 0, 4, 1, 3, 5][n % fleet.length] ?? 0;
      const old = fleet[at] as Instance;
      const version = at < 2 ? undefined : at < 4 ? 'v1' : 'v2';
      const [next, result] = await roll(storm, old, `${old.name.split('-')[0]}-${at + 1}-${n}`, version);
      fleet[at] = next;
      rolls.push(result);
    }
  };
  await Promise.all([killThePlane(storm), editTheConfig(storm, config), rollThem()]);
  await traffic.stop();
  const failures = traffic.failures.slice(before);
  t.diagnostic(
    `${traffic.answered} answers, slowest ${Math.round(traffic.slowest)} ms, ${plane.outages.length} returns of the control plane, ` +
      `${rolls.length} instances rolled, used after ${rolls.map(({ usedAfter }) => Math.round(usedAfter)).join(', ')} ms, ` +
      `longest wait of this process ${Math.round(waits.max / 1e6)} ms`,
  );
  // A second, and what a busy machine adds: as this process has to wait for its turn, so do all the others.
  const limit = 1_000 + (10 * waits.max) / 1e6;
  const late = rolls.flatMap(({ name, usedAfter }) =>
    usedAfter > limit ? [`${name} used after ${Math.round(usedAfter)} ms, not ${Math.round(limit)}`] : [],
  );
  const troubles = [...failures, ...late];
  if (troubles.length > 0 || process.env['WEFT_STORM_DIARY'] !== undefined) {
    console.log([...diary.lines, ...failures].toSorted().join('\n'));
  }
  assert.deepEqual(troubles, []);
  assert.ok(traffic.answered > 200, 'there was traffic');
});
