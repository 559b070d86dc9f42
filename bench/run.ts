// `npm run bench`: Weft beside its peers, in one run on this machine, built as it is shipped. Options: --suite NAME (may be repeated; default
// all), --seconds N (per round), --rounds N, --write (update bench/RESULTS.md and the README's table). The last lines
// say pass or fail per suite; exit 1 where a target is missed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pair } from './pair.ts';
import { plaintext } from './plaintext.ts';
import { medianCpu, type Row, table } from './report.ts';
import { compare, type Effort, type Stoppable, type Suite } from './suite.ts';

const SUITES: readonly Suite[] = [plaintext, pair];

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});

interface Outcome {
  readonly passed: boolean;
  readonly line: string;
}

async function runSuite(suite: Suite, effort: Effort): Promise<Outcome> {
  const work = mkdtempSync(join(tmpdir(), 'weft-bench-'));
  const running: Stoppable[] = [];
  try {
    const rows = await compare(suite, await suite.start(work, running), effort);
    const text = table(rows, suite.base);
    const about = `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${effort.rounds} rounds of ${effort.seconds} s each, interleaved, medians.`;
    process.stdout.write(`\n${suite.name}\n\n${text}\n\n${about}\n`);
    if (values.write) {
      write(join(here, 'RESULTS.md'), suite.name, `${about}\n\n${text}`);
      write(
        join(here, '..', 'README.md'),
        suite.name,
        table(
          rows.filter((row) => row.connections === suite.target.connections),
          suite.base,
        ),
      );
    }
    return judge(suite, rows);
  } finally {
    for (const subject of running.toReversed()) await subject.stop();
    rmSync(work, { recursive: true, force: true });
  }
}

function write(file: string, name: string, text: string): void {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const old = readFileSync(file, 'utf8');
  const [from, to] = [old.indexOf(open), old.indexOf(close)];
  if (from < 0 || to < 0) throw new Error(`${file} has no place for ${name}`);
  writeFileSync(file, `${old.slice(0, from)}${open}\n${text}\n${old.slice(to)}`);
}

function judge(suite: Suite, rows: readonly Row[]): Outcome {
  const { subject, connections, ratio } = suite.target;
  const of = (name: string): number => {
    const row = rows.find((each) => each.subject === name && each.connections === connections);
    return row === undefined ? Number.NaN : medianCpu(row);
  };
  const found = of(subject) / of(suite.base);
  const passed = found <= ratio;
  const verdict = passed ? 'pass' : 'fail';
  const line = `${verdict}: ${suite.name}: ${found.toFixed(2)}× ${suite.base}'s CPU per request at ${connections} connections (target ${ratio}×)`;
  return { passed, line };
}

const effort = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
const chosen = SUITES.filter((suite) => values.suite === undefined || values.suite.includes(suite.name));
const outcomes: Outcome[] = [];
for (const suite of chosen) outcomes.push(await runSuite(suite, effort));
process.stdout.write(`\n${outcomes.map((outcome) => outcome.line).join('\n')}\n`);
process.exitCode = outcomes.length > 0 && outcomes.every((outcome) => outcome.passed) ? 0 : 1;
