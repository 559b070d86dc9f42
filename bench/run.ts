// `npm run bench`: Weft beside its peers, in one run on this machine, built as it is shipped. See bench/README.md. The
// last lines say met, equal or missed per target; exit 1 where one is missed or not
// measured, or a suite failed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Effort, PROFILES } from './effort.ts';
import { describe, publish, verdicts } from './publish.ts';
import { stopGenerators } from './process.ts';
import { figures, store } from './results.ts';
import type { Row } from './sample.ts';
import type { Suite, SuiteContext } from './suite.ts';
import { SUITES } from './suites.ts';

const { values } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    point: { type: 'string', multiple: true },
    profile: { type: 'string', default: 'full' },
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    warmup: { type: 'string' },
    write: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

function effortOf(): Effort {
  const name = values.quick ? 'quick' : values.profile;
  const profile = PROFILES[name];
  if (profile === undefined) throw new Error(`--profile is one of ${Object.keys(PROFILES).join(', ')}`);
  const given = (text: string | undefined, fallback: number): number => (text === undefined ? fallback : Number(text));
  const rounds = given(values.rounds, profile.rounds);
  const seconds = given(values.seconds, profile.seconds);
  return {
    ...profile,
    rounds,
    seconds,
    warmup: given(values.warmup, profile.warmup),
    peerRounds: Math.min(rounds, profile.peerRounds),
    fixedRounds: Math.min(rounds, profile.fixedRounds),
    bodyRounds: Math.min(rounds, profile.bodyRounds),
  };
}

function chosen(): readonly Suite[] {
  const names = values.suite;
  if (names === undefined) return SUITES;
  // `bodies` is all that begin so.
  const isNamed = ({ name }: Suite): boolean => names.some((given) => name === given || name.startsWith(`${given}-`));
  const unknown = names.filter((given) => !SUITES.some(({ name }) => name === given || name.startsWith(`${given}-`)));
  if (unknown.length > 0)
    throw new Error(`no suite ${unknown.join(', ')}; there are ${SUITES.map((s) => s.name).join(', ')}`);
  return SUITES.filter(isNamed);
}

interface Ran {
  readonly rows: readonly Row[];
  readonly failed: boolean;
}

/** What a suite had measured before it failed is shown, not kept. */
async function runSuite(suite: Suite, effort: Effort): Promise<Ran> {
  const context: SuiteContext = {
    work: mkdtempSync(join(tmpdir(), 'weft-bench-')),
    effort,
    running: [],
    rows: [],
    notes: [],
    only: values.only === undefined ? null : new Set(values.only.flatMap((names) => names.split(','))),
    points: values.point ?? null,
    say: (line) => void process.stderr.write(`${suite.name}: ${line}\n`),
  };
  let failed = false;
  const stopAll = async (): Promise<void> => {
    for (const subject of context.running.splice(0).toReversed()) await subject.stop().catch(() => {});
  };
  const interrupt = (): void => {
    stopGenerators();
    void stopAll().finally(() => {
      rmSync(context.work, { recursive: true, force: true });
      process.exit(130);
    });
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    await suite.run(context);
  } catch (error) {
    failed = true;
    process.stderr.write(`${suite.name} failed: ${error instanceof Error ? error.message : String(error)}\n`);
  } finally {
    await stopAll();
    for (const signal of SIGNALS) process.off(signal, interrupt);
    rmSync(context.work, { recursive: true, force: true });
  }
  const { rows, notes } = context;
  const parts = [`\n## ${suite.title}`, notes.map((note) => `- ${note}`).join('\n'), describe(suite, rows)];
  process.stdout.write(`${parts.filter((part) => part !== '').join('\n\n')}\n`);
  if (values.write && !failed) {
    store(figures(suite.name, effort, rows, notes));
    publish(SUITES);
  }
  return { rows, failed };
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
}

async function main(): Promise<void> {
  if (values.render) {
    publish(SUITES);
    return;
  }
  const effort = effortOf();
  const suites = chosen();
  const estimates = suites.map((suite) => ({ name: suite.name, seconds: suite.estimate(effort) }));
  const total = estimates.reduce((sum, { seconds }) => sum + seconds, 0);
  const lines = estimates.map(({ name, seconds }) => `${name.padEnd(18)} ${minutes(seconds).padStart(6)}`);
  process.stderr.write(`${lines.join('\n')}\n${'together, about'.padEnd(18)} ${minutes(total).padStart(6)}\n`);
  if (values.list) return;
  const ran = new Map<string, readonly Row[]>();
  let failed = 0;
  for (const suite of suites) {
    const began = performance.now();
    const outcome = await runSuite(suite, effort);
    const took = minutes((performance.now() - began) / 1_000);
    process.stderr.write(`${suite.name}: took ${took}, expected ${minutes(suite.estimate(effort))}\n`);
    ran.set(suite.name, outcome.rows);
    if (outcome.failed) failed += 1;
  }
  const { lines: judged, open } = verdicts(ran);
  process.stdout.write(`\n${judged.join('\n')}\n`);
  process.exitCode = failed > 0 || open > 0 ? 1 : 0;
}

await main();
