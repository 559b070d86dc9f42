import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { watchFiles } from '../../../host/watch.ts';
import { eventually } from '../../support/eventually.ts';

describe('a file watch', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-watch-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('notices an edit in place and a replaced file, but no touch and no other file', async () => {
    const path = join(folder, 'weft.yaml');
    await writeFile(path, 'one');
    let changes = 0;
    const watch = await watchFiles([path], () => void (changes += 1), { debounce: 5, poll: 60_000 });
    await writeFile(join(folder, 'other.yaml'), 'x');
    await utimes(path, new Date(), new Date());
    await writeFile(path, 'two');
    await eventually(() => changes === 1);
    await writeFile(`${path}.new`, 'three');
    await rename(`${path}.new`, path);
    await eventually(() => changes === 2);
    await rm(path);
    await eventually(() => changes === 3);
    watch.close();
  });

  it('looks by itself where no notice comes', async () => {
    const path = join(folder, 'poll.yaml');
    await writeFile(path, 'one');
    let changes = 0;
    const watch = await watchFiles([path], () => void (changes += 1), { debounce: 60_000, poll: 20 });
    await writeFile(path, 'two');
    await eventually(() => changes === 1);
    watch.close();
  });
});
