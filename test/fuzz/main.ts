// `npm run fuzz [-- --count N] [--seed S] [--target NAME,…]`: N mutated inputs for every target, from seed S on.
import { parseArgs } from 'node:util';
import { runTarget } from './run-target.ts';
import type { FuzzFault } from './target.ts';
import { TARGETS } from './targets.ts';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '200000' }, seed: { type: 'string' }, target: { type: 'string' } },
});
const count = Number(values.count);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const wanted = values.target?.split(',') ?? null;
const targets = TARGETS.map((make) => make());
const names = targets.map(({ name }) => name);
const unknown = wanted?.filter((name) => !names.includes(name)) ?? [];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function report(fault: FuzzFault): void {
  say(`${fault.target}: a fault; again with --target ${fault.target} --seed ${fault.seed} --count 1`);
  say(`input (latin1): ${JSON.stringify(fault.input).replaceAll(/[^ -~]/g, escaped)}`);
  say(fault.error instanceof Error ? (fault.error.stack ?? fault.error.message) : String(fault.error));
}

if (unknown.length > 0 || !(count > 0) || !Number.isInteger(seed)) {
  say(`--count and --seed are whole numbers, --target is one or more of ${names.join(',')}`);
  process.exitCode = 2;
} else {
  for (const target of targets) {
    if (wanted !== null && !wanted.includes(target.name)) continue;
    const began = performance.now();
    const fault = await runTarget(target, {
      count,
      seed,
      onProgress: (done) => say(`${target.name}: ${done} of ${count}`),
    });
    if (fault !== null) {
      report(fault);
      process.exitCode = 1;
      break;
    }
    const seconds = (performance.now() - began) / 1_000;
    say(`${target.name}: no fault in ${count} inputs from seed ${seed} on, in ${seconds.toFixed(1)} s`);
  }
}
for (const target of targets) target.close?.();
