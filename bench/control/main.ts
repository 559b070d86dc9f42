// `npm run bench:control`: the control plane under 2,000 simulated proxies.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runScenario } from './scenario.ts';

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    source: { type: 'boolean', default: false },
    profile: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});

const work = mkdtempSync(join(tmpdir(), 'weft-bench-control-'));
try {
  const outcome = await runScenario(
    {
      services: Number(values.services),
      instances: 2,
      calls: 5,
      rate: 10,
      seconds: Number(values.seconds),
      idleSeconds: 5,
      source: values.source,
      profile: values.profile ?? null,
    },
    work,
    (line) => void process.stderr.write(`${line}\n`),
  );
  process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
} finally {
  if (values.keep) process.stderr.write(`${work}\n`);
  else rmSync(work, { recursive: true, force: true });
}
