import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { diskOf } from '../../../../../control-plane/cli/explain/disk.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';

async function folderOf(t: TestContext, mode: number): Promise<string> {
  const folder = join(await temporaryFolder(t), 'state');
  await mkdir(join(folder, 'tokens'), { recursive: true });
  await writeFile(join(folder, 'root.key'), 'secret', { mode: 0o644 });
  await writeFile(join(folder, 'tokens', 'one.json'), 'secret', { mode: 0o640 });
  await writeFile(join(folder, 'sealed.key'), 'secret', { mode: 0o600 });
  await writeFile(join(folder, 'root.pem'), 'public', { mode: 0o644 });
  await chmod(folder, mode);
  return folder;
}

test('secrets that others may read are named, wherever in the folder they lie; certificates are none', async (t) => {
  const folder = await folderOf(t, 0o755);
  const facts = await diskOf([folder]);
  assert.deepEqual(facts?.exposed.toSorted(), [join(folder, 'root.key'), join(folder, 'tokens', 'one.json')]);
  assert.equal(facts?.writable, true);
  assert.ok((facts?.free ?? 0) > 0 && (facts?.size ?? 0) >= (facts?.free ?? 0));
});

test('nobody gets at what lies in a folder of its owner alone; every folder that is given counts', async (t) => {
  const [closed, open] = [await folderOf(t, 0o700), await folderOf(t, 0o711)];
  assert.deepEqual((await diskOf([closed]))?.exposed, []);
  assert.equal((await diskOf([closed, open]))?.exposed.length, 2);
  assert.deepEqual((await diskOf([closed, join(closed, 'none')]))?.exposed, []);
});

test('where there is no such folder nothing is said', async (t) => {
  assert.equal(await diskOf([join(await temporaryFolder(t), 'none')]), null);
});
