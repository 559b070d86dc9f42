import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { build } from 'esbuild';
import { History } from '../../../../control-plane/snapshot/history.ts';
import { FileStore } from '../../../../control-plane/store/file-store.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const WRITER = join(import.meta.dirname, '../../../support/store-writer.ts');
const KILLS = 200;
const AT_ONCE = 4;

/** Seeded, so that a failure can be told; how long a write takes is the machine's own chance. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Lets a process write, kills it within `span` ms of its first safe write, and returns the last that was safe. */
async function writeAndKill(writer: string, folder: string, seed: number, span: number): Promise<number> {
  const child = fork(writer, [folder, String(seed)]);
  let safe = 0;
  let timer: NodeJS.Timeout | null = null;
  child.on('message', (message) => {
    if (typeof message !== 'object' || !('safe' in message) || typeof message.safe !== 'number') return;
    safe = message.safe;
    timer ??= setTimeout(() => child.kill('SIGKILL'), span);
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');
  return safe;
}

async function look(folder: string, safe: number, seed: number): Promise<void> {
  const said: string[] = [];
  const store = new FileStore(folder, (what) => said.push(what));
  const history = new History({ store, onDamage: (what) => said.push(what), most: 5 });
  await history.load();
  const number = history.inForce?.number ?? 0;
  // The one that was being written may be there as a whole: it was not told as safe yet.
  assert.ok(number >= safe && number <= safe + 1, `seed ${seed}: ${number} in force, ${safe} was safe`);
  const [file] = (await history.textsOf(number)) ?? assert.fail(`seed ${seed}: no text of ${number}`);
  assert.ok(file?.text.startsWith(`${number} `));
  assert.ok(history.entries.length <= 7 && history.entries.length >= Math.min(5, number));
  await history.recover();
  const audit = (await store.tail('audit', 1_000_000)) as { number: number }[];
  assert.deepEqual(
    audit.map((line) => line.number),
    Array.from({ length: number }, (_, index) => index + 1),
    `seed ${seed}: every change has its line, once`,
  );
  await store.close();
  // A torn audit line may be cut off; nothing else is ever damaged by a kill.
  assert.deepEqual(
    said.filter((what) => !what.includes('the last line was torn')),
    [],
  );
}

async function chain(t: TestContext, writer: string, seed: number): Promise<void> {
  const random = randomOf(seed);
  const folder = join(await temporaryFolder(t), 'store');
  for (let round = 0; round < KILLS / AT_ONCE; round++) {
    const safe = await writeAndKill(writer, folder, seed, random() * 25);
    await look(folder, safe, seed);
  }
}

test(`${KILLS} kills in the middle of writes lose no change that was told as safe, and leave a state that loads`, async (t) => {
  // In one file it starts three times as fast.
  const writer = join(await temporaryFolder(t), 'writer.mjs');
  await build({ entryPoints: [WRITER], bundle: true, platform: 'node', format: 'esm', outfile: writer });
  await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => chain(t, writer, index + 1)));
});
