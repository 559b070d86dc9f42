import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { announcedNamespace, announceNamespace, currentNamespace } from '../../../host/namespace.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test('what a pod announces is what a process of the same namespace finds its own', async (context) => {
  const path = join(await temporaryFolder(context), 'pod');
  assert.equal(await announcedNamespace(path), null);
  await announceNamespace(path);
  assert.match(await currentNamespace(), /^net:\[\d+\]$/);
  assert.equal(await announcedNamespace(path), await currentNamespace());
  await writeFile(path, 'net:[1]\n');
  assert.equal(await announcedNamespace(path), 'net:[1]');
});
