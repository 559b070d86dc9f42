import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FileStore } from '../../../../control-plane/store/file-store.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

async function makeStore(t: TestContext, folder?: string) {
  const place = folder ?? join(await temporaryFolder(t), 'store');
  const said: string[] = [];
  const store = new FileStore(place, (what) => said.push(what));
  t.after(() => store.close());
  return { store, said, folder: place };
}

test('a value comes back with its revision, in another process too, and only its owner can read it', async (t) => {
  const { store, folder } = await makeStore(t);
  assert.equal(await store.get('in-force'), null);
  assert.deepEqual(await store.put('in-force', 'one'), { ok: true, value: 1 });
  assert.deepEqual(await store.put('in-force', 'two\nlines ü'), { ok: true, value: 2 });
  const { store: other, said } = await makeStore(t, folder);
  assert.deepEqual(await other.get('in-force'), { value: 'two\nlines ü', revision: 2 });
  assert.equal((await stat(join(folder, 'in-force.state'))).mode & 0o777, 0o600);
  assert.deepEqual(said, []);
});

test('who expected another revision changes nothing and hears which there is', async (t) => {
  const { store } = await makeStore(t);
  assert.deepEqual(await store.put('key', 'a', 0), { ok: true, value: 1 });
  assert.deepEqual(await store.put('key', 'b', 0), { ok: false, error: { revision: 1 } });
  // Of two at once one is first.
  const both = await Promise.all([store.put('key', 'c', 1), store.put('key', 'd', 1)]);
  assert.deepEqual(
    both.map(({ ok }) => ok),
    [true, false],
  );
  assert.equal((await store.get('key'))?.value, 'c');
});

test('keys of a folder are listed in order, and what was deleted is gone with the one before it', async (t) => {
  const { store, folder } = await makeStore(t);
  for (const name of ['history/b', 'history/a', 'history/c']) await store.put(name, name);
  await store.put('history/b', 'again');
  await store.delete('history/b');
  assert.deepEqual(await store.keys('history'), ['history/a', 'history/c']);
  assert.equal(await store.get('history/b'), null);
  assert.deepEqual((await readdir(join(folder, 'history'))).sort(), ['a.state', 'c.state']);
  await store.delete('never/there');
});

for (const [how, damage] of [
  ['torn', (path: string) => truncate(path, 90)],
  ['emptied', (path: string) => truncate(path, 0)],
  ['edited', async (path: string) => writeFile(path, (await readFile(path, 'utf8')).replace('second', 'zecond'))],
] as const) {
  test(`a file that was ${how} is noticed and the value before it is used, until the next put`, async (t) => {
    const { store, said, folder } = await makeStore(t);
    await store.put('key', 'first');
    await store.put('key', 'second');
    await damage(join(folder, 'key.state'));
    assert.deepEqual(await store.get('key'), { value: 'first', revision: 1 });
    assert.match(said.join(), /key\.state is damaged: the one before it is used/);
    assert.deepEqual(await store.put('key', 'third', 1), { ok: true, value: 2 });
    assert.deepEqual(await store.get('key'), { value: 'third', revision: 2 });
    assert.ok((await readdir(folder)).includes('key.state.damaged'), 'the damaged file is kept');
    // What was damaged never took the place of the one before.
    await truncate(join(folder, 'key.state'), 3);
    assert.equal((await store.get('key'))?.value, 'first');
  });
}

test('a damaged value with none before it counts as absent, and is said', async (t) => {
  const { store, said, folder } = await makeStore(t);
  await store.put('key', 'only');
  await truncate(join(folder, 'key.state'), 10);
  assert.equal(await store.get('key'), null);
  assert.match(said.join(), /damaged and there is none before it: it is left out/);
});

test('a log keeps its entries in order, and goes on in another process', async (t) => {
  const { store, folder } = await makeStore(t);
  await Promise.all([1, 2, 3].map((n) => store.append('audit', { n })));
  await store.close();
  const { store: other, said } = await makeStore(t, folder);
  await other.append('audit', { n: 4, text: 'zwölf\n' });
  assert.deepEqual(await other.tail('audit', 2), [{ n: 3 }, { n: 4, text: 'zwölf\n' }]);
  assert.deepEqual(await other.tail('nothing', 5), []);
  assert.deepEqual(said, []);
});

test('a torn last line is left out by readers, cut off by the next writer, and kept', async (t) => {
  const { store, said, folder } = await makeStore(t);
  const file = join(folder, 'audit.jsonl');
  await store.append('audit', { n: 1 });
  await store.close();
  await appendFile(file, '{"number":2,"su');
  assert.deepEqual(await store.tail('audit', 9), [{ n: 1 }]);
  await store.append('audit', { n: 2 });
  assert.deepEqual(await store.tail('audit', 9), [{ n: 1 }, { n: 2 }]);
  assert.match(said.join(), /the last line was torn; it is in .*audit\.jsonl\.torn/);
  assert.equal(await readFile(`${file}.torn`, 'utf8'), '{"number":2,"su');
});

test('a line that was changed or taken out is noticed, and the log goes on', async (t) => {
  const { store, folder } = await makeStore(t);
  for (const n of [1, 2, 3, 4]) await store.append('audit', { n });
  await store.close();
  const file = join(folder, 'audit.jsonl');
  const lines = (await readFile(file, 'utf8')).split('\n');
  for (const [changed, count] of [
    [lines.toSpliced(1, 1), 1],
    [lines.map((line) => line.replace('"n":3', '"n":33')), 1],
  ] as const) {
    await writeFile(file, changed.join('\n'));
    const { store: other, said } = await makeStore(t, folder);
    await other.append('audit', { n: 5 });
    assert.match(said.join(), new RegExp(`audit\\.jsonl: ${count} of its lines are damaged`));
    assert.deepEqual((await other.tail('audit', 1))[0], { n: 5 });
    await other.close();
  }
});

test('what a writer that was killed left half done is swept by the next one', async (t) => {
  const { store, folder } = await makeStore(t);
  await store.put('history/a', 'a');
  const half = join(folder, 'history', '.a.state.0123456789ab');
  await writeFile(half, 'half');
  const { store: other } = await makeStore(t, folder);
  await other.put('history/b', 'b');
  assert.deepEqual((await readdir(join(folder, 'history'))).sort(), ['a.state', 'b.state']);
});

test('a key cannot leave the folder', async (t) => {
  const { store } = await makeStore(t);
  await assert.rejects(async () => store.put('../escape', ''), TypeError);
});
