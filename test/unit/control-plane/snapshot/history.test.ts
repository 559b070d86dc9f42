import assert from 'node:assert/strict';
import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { History, type HistoryOptions } from '../../../../control-plane/snapshot/history.ts';
import { FileStore } from '../../../../control-plane/store/file-store.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const WATCHED = { names: ['weft.yaml'], hash: 'w' };

async function open(t: TestContext, folder: string, options: Partial<HistoryOptions> = {}) {
  const said: string[] = [];
  const onDamage = (what: string) => said.push(what);
  const store = new FileStore(folder, onDamage);
  t.after(() => store.close());
  const history = new History({ store, onDamage, ...options });
  await history.load();
  const record = (hash: string, text = `text of ${hash}`, source: 'file' | 'apply' = 'apply') =>
    history.record(
      { hash, source, who: 'eve', time: 1_000, services: 2, edges: 1 },
      [{ name: 'weft.yaml', text }],
      WATCHED,
    );
  return { history, store, said, record };
}

test('what was in force is known after a restart, with its text, its source and who', async (t) => {
  const folder = await temporaryFolder(t);
  const { history: before, record } = await open(t, folder);
  assert.equal(before.inForce, null);
  await record('aaaa');
  await record('bbbb');
  const { history } = await open(t, folder);
  assert.deepEqual(history.inForce, { number: 2, source: 'apply', watched: WATCHED });
  assert.deepEqual(
    history.entries.map(({ hash, who, number }) => [hash, who, number]),
    [
      ['aaaa', 'eve', 1],
      ['bbbb', 'eve', 2],
    ],
  );
  assert.deepEqual(await history.textsOf(1), [{ name: 'weft.yaml', text: 'text of aaaa' }]);
  assert.equal(await history.textsOf(7), null);
});

test('only the last ones are kept, by number and by size, and the one in force always', async (t) => {
  const { history, record } = await open(t, await temporaryFolder(t), { most: 3, mostText: 5_000 });
  for (const hash of ['a', 'b', 'c', 'd', 'e']) await record(hash);
  assert.deepEqual(
    history.entries.map(({ hash }) => hash),
    ['c', 'd', 'e'],
  );
  await record('f', 'x'.repeat(4_700));
  assert.deepEqual(
    history.entries.map(({ hash }) => hash),
    ['e', 'f'],
  );
  await record('g', 'x'.repeat(9_000));
  assert.deepEqual(
    history.entries.map(({ hash }) => hash),
    ['g'],
  );
});

test('the audit log has a line for every change, also for one whose writer was killed before it', async (t) => {
  const folder = await temporaryFolder(t);
  const { record, store } = await open(t, folder);
  await record('aaaa');
  await record('bbbb');
  await store.close();
  const file = join(folder, 'audit.jsonl');
  const [first = ''] = (await readFile(file, 'utf8')).split('\n');
  await truncate(file, first.length + 1);
  const { history, store: next } = await open(t, folder);
  await history.recover();
  await history.recover();
  assert.deepEqual(await next.tail('audit', 9), [
    { time: '1970-01-01T00:00:01.000Z', action: 'apply', who: 'eve', hash: 'aaaa', number: 1, services: 2, edges: 1 },
    { time: '1970-01-01T00:00:01.000Z', action: 'apply', who: 'eve', hash: 'bbbb', number: 2, services: 2, edges: 1 },
  ]);
});

test('a damaged entry is left out and said; a torn pointer falls back to the one before', async (t) => {
  const folder = await temporaryFolder(t);
  const { record, store } = await open(t, folder);
  for (const hash of ['a', 'b', 'c']) await record(hash);
  await store.close();
  await truncate(join(folder, 'history/0000000001.state'), 100);
  await truncate(join(folder, 'in-force.state'), 100);
  const { history, said } = await open(t, folder);
  assert.equal(history.inForce?.number, 2);
  assert.deepEqual(
    history.entries.map(({ hash }) => hash),
    ['b'],
  );
  assert.match(said.join('\n'), /0000000001.*left out/);
  assert.match(said.join('\n'), /in-force\.state is damaged: the one before it is used/);
});
