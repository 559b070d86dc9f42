import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileLog } from '../../../../control-plane/store/file-log.ts';
import { follows, readLine, type LogEnd } from '../../../../control-plane/store/log-lines.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const BOUNDS = { mostBytes: 400, mostFull: 3 };
const numbers = (entries: readonly unknown[]) => entries.map((entry) => (entry as { n: number }).n);

test('a log is bounded: full files are put aside and the oldest removed, and numbers and sums go on across them', async (t) => {
  const folder = await temporaryFolder(t);
  const said: string[] = [];
  const make = () => new FileLog(join(folder, 'audit.jsonl'), (what) => said.push(what), BOUNDS);
  let log = make();
  for (let n = 1; n <= 100; n++) {
    await log.append({ n });
    if (n % 7 !== 0) continue;
    // A restart, also of a log that has just been put aside.
    await log.close();
    log = make();
    assert.deepEqual(numbers(await log.tail(3)), [n - 2, n - 1, n]);
  }
  const names = (await readdir(folder)).toSorted();
  assert.equal(names.length, BOUNDS.mostFull + 1, names.join());
  for (const name of names) assert.ok((await stat(join(folder, name))).size < BOUNDS.mostBytes + 100, name);
  const kept = numbers(await log.tail(1_000));
  assert.deepEqual(
    kept,
    Array.from(kept, (_, i) => 100 - kept.length + 1 + i),
  );
  let before: LogEnd | null = null;
  for (const name of [...names.filter((each) => each !== 'audit.jsonl'), 'audit.jsonl']) {
    for (const text of (await readFile(join(folder, name), 'utf8')).trim().split('\n')) {
      const line = readLine(text);
      assert.ok(line !== null && (before === null || follows(before, line)), text);
      before = line;
    }
  }
  assert.equal(before?.number, 100);
  assert.deepEqual(said, []);
  await log.close();
});

test('what is taken out of a full file is noticed by the one after it', async (t) => {
  const folder = await temporaryFolder(t);
  const said: string[] = [];
  const path = join(folder, 'audit.jsonl');
  const log = new FileLog(path, (what) => said.push(what), BOUNDS);
  for (let n = 1; n <= 10; n++) await log.append({ n });
  await log.close();
  const full = join(folder, (await readdir(folder)).find((name) => name.startsWith('audit-')) ?? '');
  const lines = (await readFile(full, 'utf8')).trim().split('\n');
  await writeFile(full, `${lines.slice(0, -1).join('\n')}\n`);
  const again = new FileLog(path, (what) => said.push(what), BOUNDS);
  await again.append({ n: 11 });
  await again.close();
  assert.match(said.join(), /damaged/);
});
