// What a control plane remembers of the instances of its last run.
import assert from 'node:assert/strict';
import { appendFile, chmod, mkdir, readFile, rmdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { KnownInstances } from '../../../../control-plane/registry/known-instances.ts';
import type { Instance } from '../../../../control-plane/registry/registry.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const instance = (name: string, port = 15_006): Instance => ({
  account: 'orders',
  version: null,
  instance: name,
  address: '10.0.0.1',
  inboundPort: port,
});

async function folderOf(t: TestContext) {
  const path = join(await temporaryFolder(t), 'instances.jsonl');
  const log = recordingLog();
  const run = () => {
    const known = new KnownInstances({ path, log, after: () => () => {} });
    t.after(() => known.close());
    return known;
  };
  return { path, log, run };
}

test('the first run remembers nothing, the next one whom the last one knew', async (t) => {
  const { run, path } = await folderOf(t);
  const first = run();
  assert.equal(await first.open(), null);
  first.note(instance('orders-1'), true);
  first.note({ ...instance('orders-2'), version: 'v2', address: 'fd00::2' }, true);
  first.note(instance('orders-3'), true);
  first.note(instance('orders-1', 15_106), true);
  first.note(instance('orders-3'), false);
  // Nobody calls a job or an edge.
  first.note(instance('job-1', 0), true);
  // As after SIGKILL: nothing is closed.
  assert.deepEqual(await run().open(), [
    instance('orders-1', 15_106),
    { ...instance('orders-2'), version: 'v2', address: 'fd00::2' },
  ]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test('a torn line and lines that say nonsense are skipped, and the next run goes on after them', async (t) => {
  const { run, path, log } = await folderOf(t);
  const first = run();
  await first.open();
  first.note(instance('orders-1'), true);
  first.note(instance('orders-2'), true);
  first.close();
  const strange = ['null', '[]', '{"account":7}', '{', JSON.stringify({ ...instance('x'), address: 'nowhere' })];
  await appendFile(path, `${strange.join('\n')}\n${JSON.stringify(instance('orders-3'))}`);
  await truncate(path, (await stat(path)).size - 5);
  const second = run();
  assert.deepEqual(await second.open(), [instance('orders-1'), instance('orders-2')]);
  second.note(instance('orders-4'), true);
  assert.deepEqual(await run().open(), [instance('orders-1'), instance('orders-2'), instance('orders-4')]);
  assert.deepEqual(log.lines, []);
});

test('a file does not grow with the time that the control plane runs', async (t) => {
  const { run, path } = await folderOf(t);
  const first = run();
  await first.open();
  first.note(instance('orders-1'), true);
  for (let i = 0; i < 5_001; i++) first.note(instance('orders-2'), i % 2 === 0);
  assert.ok((await readFile(path, 'utf8')).split('\n').length < 1_100);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await run().open(), [instance('orders-1'), instance('orders-2')]);
});

test('what could not be written for a while is in the file as soon as it can be', async (t) => {
  const { run, path, log } = await folderOf(t);
  await mkdir(path);
  const known = run();
  assert.equal(await known.open(), null);
  known.note(instance('orders-1'), true);
  known.note(instance('orders-2'), true);
  known.note(instance('orders-1'), false);
  await rmdir(path);
  known.note(instance('orders-3'), true);
  known.note(instance('orders-4'), true);
  assert.deepEqual(
    (await run().open())?.map(({ instance: name }) => name),
    ['orders-2', 'orders-3', 'orders-4'],
  );
  assert.equal(log.lines.filter(({ level }) => level === 'error').length, 1);
});

test('a file that cannot be written or read is said once and stops nothing', async (t) => {
  const { run, path, log } = await folderOf(t);
  await mkdir(path);
  await chmod(path, 0o700);
  const known = run();
  assert.equal(await known.open(), null);
  known.note(instance('orders-1'), true);
  known.note(instance('orders-2'), true);
  assert.deepEqual(
    log.lines.map(({ level }) => level),
    ['warn', 'error'],
  );
});
