// Runs one target: batch after batch, each from a seed of its own, so that what fails can be repeated alone.
import { seededRandom } from '../../core/kit/random.ts';
import type { FuzzFault, FuzzRun, FuzzTarget } from './target.ts';

/** Milliseconds between two words on how far it is. */
const PROGRESS = 10_000;

/** The first fault, or null. Batch `n` has the seed `run.seed + n`. */
export async function runTarget(target: FuzzTarget, run: FuzzRun): Promise<FuzzFault | null> {
  let next = performance.now() + PROGRESS;
  const batches = Math.ceil(run.count / target.batch);
  for (let at = 0; at < batches; at++) {
    const seed = run.seed + at;
    const random = seededRandom(seed);
    const inputs = Array.from({ length: target.batch }, () => target.make(random));
    const before = process.cpuUsage();
    const faults = await Promise.all(inputs.map((input) => faultOf(target, input, seed, random)));
    for (const fault of faults) if (fault !== null) return fault;
    // Of the processor: what others do meanwhile is no hang.
    const used = process.cpuUsage(before);
    const took = (used.user + used.system) / 1_000;
    if (took > target.limit) {
      const error = new Error(`a batch took ${Math.round(took)} ms, at most ${target.limit} are right`);
      return { target: target.name, seed, input: (inputs[0] ?? Buffer.alloc(0)).toString('latin1'), error };
    }
    // What the codecs put off to the next tick has its turn.
    if (at % 64 === 0) await new Promise((done) => setImmediate(done));
    if (performance.now() > next) {
      run.onProgress?.((at + 1) * target.batch);
      next = performance.now() + PROGRESS;
    }
  }
  return null;
}

async function faultOf(
  target: FuzzTarget,
  input: Buffer,
  seed: number,
  random: () => number,
): Promise<FuzzFault | null> {
  // A copy for the message: a target may move bytes about.
  const text = input.toString('latin1');
  try {
    await target.check(input, random);
    return null;
  } catch (error) {
    return { target: target.name, seed, input: text, error };
  }
}
