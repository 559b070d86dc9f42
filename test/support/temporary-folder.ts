// A folder for one test, removed when the test file's process ends: a test's hooks run in the order in which they were
// registered, so one that removed it would meet the processes that still write into it.
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const folders: string[] = [];

/** @param _test whose folder it is; every caller has one, and a folder made outside a test would have no end. */
export async function temporaryFolder(_test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-test-'));
  if (folders.length === 0) process.once('exit', removeAll);
  folders.push(folder);
  return folder;
}

function removeAll(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
