import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { runBackup, runRestore } from '../../../../../control-plane/cli/state/backup.ts';
import { json, startAdminServer } from '../../../../../host/admin.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

async function makeState(t: TestContext) {
  const folder = await temporaryFolder(t);
  const [dir, caDir] = [join(folder, 'cp'), join(folder, 'ca')];
  await mkdir(join(dir, 'store/history'), { recursive: true });
  await mkdir(caDir);
  await writeFile(join(dir, 'store/in-force.state'), 'in force');
  await writeFile(join(dir, 'store/history/0000000001.state'), 'ä text', { mode: 0o600 });
  await writeFile(join(dir, 'store/.half.0123456789ab'), 'half');
  await writeFile(join(dir, 'issued.jsonl'), Buffer.from([0, 255, 10]));
  await writeFile(join(caDir, 'root.key'), 'secret', { mode: 0o600 });
  const said: string[] = [];
  const args = { file: join(folder, 'weft.backup'), dir, caDir, withCa: false };
  return { folder, args, said, out: (line: string) => void said.push(line) };
}

test('what was saved comes back byte by byte, with its modes; the file is for its owner only', async (t) => {
  const { folder, args, said, out } = await makeState(t);
  assert.equal(await runBackup({ ...args, withCa: true }, NOW, out), 0);
  assert.equal((await stat(args.file)).mode & 0o777, 0o600);
  assert.match(said[0] ?? '', /3 files, 1 of the authority; it holds secrets/);
  const there = { ...args, dir: join(folder, 'new/cp'), caDir: join(folder, 'new/ca') };
  await runRestore({ ...there, withCa: true, force: false }, NOW, out);
  assert.deepEqual(await readFile(join(there.dir, 'issued.jsonl')), Buffer.from([0, 255, 10]));
  assert.equal(await readFile(join(there.dir, 'store/history/0000000001.state'), 'utf8'), 'ä text');
  assert.deepEqual((await readdir(join(there.dir, 'store'))).sort(), ['history', 'in-force.state']);
  assert.equal((await stat(join(there.caDir, 'root.key'))).mode & 0o777, 0o600);
  assert.match(said.join('\n'), /new\/cp: 3 files as of 2026-01-02T03:04:05/);
});

test('the authority is only in it, and only taken from it, if asked for', async (t) => {
  const { folder, args, said, out } = await makeState(t);
  await runBackup(args, NOW, out);
  const there = { ...args, dir: join(folder, 'new'), caDir: join(folder, 'new-ca') };
  await assert.rejects(runRestore({ ...there, withCa: true, force: false }, NOW, out), { code: 'usage' });
  await assert.rejects(stat(there.dir), { code: 'ENOENT' });
  await runBackup({ ...args, withCa: true }, NOW, out);
  await runRestore({ ...there, force: false }, NOW, out);
  assert.match(said.at(-1) ?? '', /the authority in it was left out/);
  await assert.rejects(stat(there.caDir), { code: 'ENOENT' });
});

test('a state that is there stays, unless it may be moved aside', async (t) => {
  const { args, said, out } = await makeState(t);
  await runBackup(args, NOW, out);
  await writeFile(join(args.dir, 'issued.jsonl'), 'newer');
  await assert.rejects(runRestore({ ...args, force: false }, NOW, out), { code: 'usage', hint: /--force/ });
  assert.equal(await readFile(join(args.dir, 'issued.jsonl'), 'utf8'), 'newer');
  await runRestore({ ...args, force: true }, NOW, out);
  assert.deepEqual(await readFile(join(args.dir, 'issued.jsonl')), Buffer.from([0, 255, 10]));
  assert.match(said.at(-1) ?? '', /what was there is in .*cp\.before-20260102T030405Z/);
  assert.equal(await readFile(join(`${args.dir}.before-20260102T030405Z`, 'issued.jsonl'), 'utf8'), 'newer');
});

test('nothing is restored under a control plane that runs', async (t) => {
  const { args, out } = await makeState(t);
  await runBackup(args, NOW, out);
  const server = await startAdminServer(join(args.dir, 'admin.sock'), { '/ready': () => json({}) });
  t.after(() => server.close());
  await assert.rejects(runRestore({ ...args, force: true }, NOW, out), { code: 'address-in-use' });
});

test('an archive that is cut, changed, foreign or leads outside is refused, and nothing is changed', async (t) => {
  const { folder, args, out } = await makeState(t);
  await runBackup(args, NOW, out);
  const packed = await readFile(args.file);
  const lines = gunzipSync(packed).toString('utf8').split('\n');
  const repack = (change: (line: string) => string) => gzipSync(lines.map(change).join('\n'));
  const wrong: readonly (readonly [Buffer, RegExp])[] = [
    [packed.subarray(0, packed.length / 2), /no backup of weft, or damaged/],
    [Buffer.from('hello'), /no backup/],
    [gzipSync(lines.filter((_, index) => index !== 2).join('\n')), /cut short/],
    [gzipSync(lines.slice(0, -2).join('\n')), /cut short|damaged/],
    [
      repack((line) => line.replace('"mode"', '"x":1,"mode"').replace(/"data":"./, '"data":"Z')),
      /is not what was saved/,
    ],
    [repack((line) => line.replace('state/issued.jsonl', 'state/../../issued.jsonl')), /outside its folder/],
    [repack((line) => line.replace('"format":1', '"format":2')), /newer version/],
  ];
  const there = { ...args, dir: join(folder, 'new'), force: true };
  for (const [bytes, detail] of wrong) {
    await writeFile(args.file, bytes);
    await assert.rejects(runRestore(there, NOW, out), { code: 'state-corrupt', detail });
    await assert.rejects(stat(there.dir), { code: 'ENOENT' });
  }
});

test('a file that is no backup is never written over', async (t) => {
  const { args, out } = await makeState(t);
  await writeFile(args.file, 'version: 1\n');
  await assert.rejects(runBackup(args, NOW, out), { code: 'usage' });
  assert.equal(await readFile(args.file, 'utf8'), 'version: 1\n');
  await assert.rejects(runBackup({ ...args, file: `${args.file}2`, dir: `${args.dir}-none` }, NOW, out), {
    code: 'file-unreadable',
    detail: /does not exist/,
  });
});
