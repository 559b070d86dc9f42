// `npm run bench:control`: the control plane, built and started as it is shipped, under simulated proxies that speak the
// real stream over mutual TLS from other processes. Eight minutes at most. The last line says pass or FAIL with the
// figures; exit 1 where it fails. See bench/README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type CompileCost, measureCompile } from './compile.ts';
import { describeRun, figuresOf, publishRun } from './report.ts';
import { type Outcome, runScenario } from './scenario.ts';
import { JUDGED_SERVICES, lastLine, MOST_SERVICES, SMALL_SERVICES, verdictsOf } from './verdicts.ts';

const { values } = parseArgs({
  options: {
    /** Meshes of so many services, with two proxies each; default: all that is judged, and growth. */
    services: { type: 'string', multiple: true },
    compile: { type: 'string', multiple: true },
    seconds: { type: 'string' },
    write: { type: 'boolean', default: false },
    source: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});

const LIMIT_MS = 470_000;
/** Each: services, seconds of changes, and the ms that it is given at most. What is judged comes first. */
const MESHES = [
  { services: JUDGED_SERVICES, seconds: 20, needs: 150_000 },
  { services: SMALL_SERVICES, seconds: 8, needs: 60_000 },
  { services: 250, seconds: 8, needs: 60_000 },
  { services: 5_000, seconds: 8, needs: 170_000 },
] as const;
const COMPILED = [100, 300, JUDGED_SERVICES, 3_000, MOST_SERVICES] as const;

const say = (line: string): void =>
  void process.stderr.write(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${line}\n`);
const notes: string[] = [];
const outcomes: Outcome[] = [];
const compiled: CompileCost[] = [];
const work = mkdtempSync(join(tmpdir(), 'weft-bench-control-'));

async function measureAll(): Promise<void> {
  const named = values.services?.map(Number);
  const meshes = named?.map((services) => ({ services, seconds: 8, needs: 0 })) ?? MESHES;
  for (const services of values.compile?.map(Number) ?? (named === undefined ? COMPILED : [])) {
    compiled.push(await measureCompile(services));
    say(`${services} services compiled`);
  }
  for (const { services, seconds, needs } of meshes) {
    if (performance.now() + needs > LIMIT_MS) {
      notes.push(`${(services * 2 + 1).toLocaleString('en')} proxies: not measured, there was no time left`);
      continue;
    }
    say(`${services} services, ${services * 2 + 1} proxies`);
    const spec = {
      services,
      instances: 2,
      rate: 10,
      seconds: Number(values.seconds ?? seconds),
      idleSeconds: 5,
      source: values.source,
      profile: values.profile ?? null,
    };
    try {
      outcomes.push(await runScenario(spec, join(work, String(services)), say));
    } catch (error) {
      notes.push(`${services * 2 + 1} proxies: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

const outOfTime = new AbortController();
const late = delay(LIMIT_MS, null, { signal: outOfTime.signal }).then(
  () => void notes.push('stopped: there was no time left'),
  () => {},
);
// What is still running then ends with this process: its parent is gone.
await Promise.race([measureAll(), late]);
outOfTime.abort();
rmSync(work, { recursive: true, force: true });
const verdicts = verdictsOf(outcomes, compiled);
const run = figuresOf({ outcomes, compiled, verdicts, notes });
process.stdout.write(`\n${describeRun(run)}\n\n`);
if (values.write) publishRun(run);
process.stdout.write(`${lastLine(verdicts)}\n`);
process.exit(verdicts.every(({ met }) => met) ? 0 : 1);
