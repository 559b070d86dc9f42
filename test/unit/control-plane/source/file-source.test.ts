import assert from 'node:assert/strict';
import { rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FileSource } from '../../../../control-plane/source/file-source.ts';
import { eventually } from '../../../support/eventually.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

interface Watched {
  readonly source: FileSource;
  readonly path: string;
  /** What was handed on, in order: the ports of `web`, or the first error. */
  readonly seen: string[];
}

const withPort = (port: number) => `version: 1\nservices: { web: { port: ${port} } }\n`;

async function watched(context: TestContext, text: string | null, more: readonly string[] = []): Promise<Watched> {
  const path = join(await temporaryFolder(context), 'weft.yaml');
  if (text !== null) await writeFile(path, text);
  const seen: string[] = [];
  const source = new FileSource({
    files: [path, ...more],
    debounce: 10,
    onConfig: ({ mesh }) => {
      const web = mesh.services.get('web');
      seen.push(`port ${web?.kind === 'workload' ? web.port : '-'} of ${mesh.services.size}`);
    },
    onInvalid: (errors) => seen.push(errors[0]?.message ?? ''),
  });
  context.after(() => source.close());
  await source.start();
  return { source, path, seen };
}

test('what the files say at the start is handed on before start resolves', async (context) => {
  const { seen } = await watched(context, withPort(1));
  assert.deepEqual(seen, ['port 1 of 1']);
});

test('a file that is not there at the start is reported, and taken once it comes', async (context) => {
  const { path, seen } = await watched(context, null);
  assert.deepEqual(seen, ['the file does not exist']);
  await writeFile(path, withPort(2));
  await eventually(() => seen.at(-1) === 'port 2 of 1');
});

test('an edit is handed on well within a second', async (context) => {
  const { path, seen } = await watched(context, withPort(1));
  const start = performance.now();
  await writeFile(path, withPort(2));
  await eventually(() => seen.at(-1) === 'port 2 of 1');
  assert.ok(performance.now() - start < 1000);
});

test('an invalid edit is reported once, and the way back is handed on', async (context) => {
  const { path, seen } = await watched(context, withPort(1));
  await writeFile(path, 'version: 1\nservices: { web: { prot: 1 } }\n');
  await eventually(() => seen.length === 2);
  assert.match(seen[1] ?? '', /unknown key "prot"/);
  await writeFile(path, withPort(1));
  await eventually(() => seen.length === 3);
  assert.equal(seen[2], 'port 1 of 1');
});

test('a write of the same text and a touch hand on nothing', async (context) => {
  const { path, seen } = await watched(context, withPort(1));
  await writeFile(path, withPort(1));
  await utimes(path, new Date(), new Date());
  await writeFile(path, withPort(2));
  await eventually(() => seen.at(-1) === 'port 2 of 1');
  assert.deepEqual(seen, ['port 1 of 1', 'port 2 of 1']);
});

test('a file replaced by a rename is read', async (context) => {
  const { path, seen } = await watched(context, withPort(1));
  await writeFile(`${path}.new`, withPort(3));
  await rename(`${path}.new`, path);
  await eventually(() => seen.at(-1) === 'port 3 of 1');
  assert.equal(seen.length, 2);
});

test('a file that an editor removes and writes again was never gone', async (context) => {
  const { path, seen } = await watched(context, withPort(1));
  await rm(path);
  await writeFile(path, '');
  await writeFile(path, withPort(4));
  await eventually(() => seen.at(-1) === 'port 4 of 1');
  assert.deepEqual(seen, ['port 1 of 1', 'port 4 of 1']);
});

test('a deleted file is reported and hands on nothing', async (context) => {
  const { path, seen } = await watched(context, withPort(1));
  await rm(path);
  await eventually(() => seen.length === 2);
  assert.deepEqual(seen, ['port 1 of 1', 'the file does not exist']);
});

test('several files are one configuration, and an edit of any is an edit of it', async (context) => {
  const other = join(await temporaryFolder(context), 'more.yaml');
  await writeFile(other, 'version: 1\nservices: { api: { port: 9 } }\n');
  const { seen } = await watched(context, withPort(1), [other]);
  assert.deepEqual(seen, ['port 1 of 2']);
  await writeFile(other, 'version: 1\n');
  await eventually(() => seen.at(-1) === 'port 1 of 1');
});

test('after close nothing is handed on, and an aborted signal closes', async (context) => {
  const { source, path, seen } = await watched(context, withPort(1));
  await writeFile(path, withPort(2));
  await source.close();
  const abort = new AbortController();
  const second = new FileSource({
    files: [path],
    onConfig: () => seen.push('second'),
    onInvalid: () => seen.push('second'),
  });
  abort.abort();
  await second.start(abort.signal);
  await writeFile(path, withPort(3));
  const third = new FileSource({ files: [path], onConfig: () => seen.push('third'), onInvalid: () => {} });
  await third.start();
  await third.close();
  assert.deepEqual(seen, ['port 1 of 1', 'third']);
});
