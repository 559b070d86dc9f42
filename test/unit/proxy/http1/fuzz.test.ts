// The bounded part of `npm run fuzz`: every target, from the same seeds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runTarget } from '../../../fuzz/run-target.ts';
import { TARGETS } from '../../../fuzz/targets.ts';

/** Inputs for each target: seconds in all. */
const COUNT = 5_000;

for (const make of TARGETS) {
  const target = make();
  test(`${target.name}: no fault in ${COUNT} mutated inputs`, async (t) => {
    t.after(() => target.close?.());
    const fault = await runTarget(target, { count: COUNT, seed: 1 });
    assert.equal(
      fault === null ? '' : `seed ${fault.seed}: ${String(fault.error)}: ${JSON.stringify(fault.input)}`,
      '',
    );
  });
}

test('a fault is reported with the seed that shows it again', async () => {
  const target = { name: 'odd', batch: 4, limit: 1_000, make: (random: () => number) => Buffer.from([random() * 256]) };
  const check = (input: Buffer): void => assert.ok((input[0] ?? 0) < 250);
  const fault = await runTarget({ ...target, check }, { count: 10_000, seed: 5 });
  assert.ok(fault !== null && fault.seed >= 5);
  const again = await runTarget({ ...target, check }, { count: 1, seed: fault.seed });
  assert.equal(again?.input, fault.input);
});
