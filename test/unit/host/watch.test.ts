import { appendFile, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
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

  it('follows a symbolic link to a file elsewhere, and then to another', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'weft-watch-'));
    const path = join(folder, 'link.yaml');
    await writeFile(join(elsewhere, 'a.yaml'), 'one');
    await writeFile(join(elsewhere, 'b.yaml'), 'two');
    await symlink(join(elsewhere, 'a.yaml'), path);
    let changes = 0;
    const watch = await watchFiles([path], () => void (changes += 1), { debounce: 5, poll: 60_000 });
    await writeFile(join(elsewhere, 'a.yaml'), 'one and a half');
    await eventually(() => changes === 1);
    await symlink(join(elsewhere, 'b.yaml'), `${path}.new`);
    await rename(`${path}.new`, path);
    await eventually(() => changes === 2);
    await writeFile(join(elsewhere, 'b.yaml'), 'three');
    await eventually(() => changes === 3);
    watch.close();
    await rm(elsewhere, { recursive: true });
  });

  it('notices the swap of a linked folder, as Kubernetes replaces a mounted configuration', async () => {
    const path = join(folder, 'mounted.yaml');
    for (const [version, text] of Object.entries({ v1: 'one', v2: 'two' })) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'mounted.yaml'), text);
    }
    await symlink('v1', join(folder, '..data'));
    await symlink(join('..data', 'mounted.yaml'), path);
    let changes = 0;
    const watch = await watchFiles([path], () => void (changes += 1), { debounce: 5, poll: 60_000 });
    await symlink('v2', join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await eventually(() => changes === 1);
    watch.close();
  });

  it('notices an edit while another file of the folder is written without pause', async () => {
    const path = join(folder, 'busy.yaml');
    await writeFile(path, 'one');
    let changes = 0;
    const watch = await watchFiles([path], () => void (changes += 1), { debounce: 50, poll: 60_000 });
    const noise = setInterval(() => void appendFile(join(folder, 'access.log'), 'x\n'), 5);
    await writeFile(path, 'two');
    await eventually(() => changes === 1, 2_000).finally(() => clearInterval(noise));
    watch.close();
  });

  it('goes on where the whole folder was replaced', async () => {
    const inner = join(folder, 'inner');
    const path = join(inner, 'weft.yaml');
    await mkdir(inner);
    await writeFile(path, 'one');
    let changes = 0;
    const watch = await watchFiles([path], () => void (changes += 1), { debounce: 5, poll: 20 });
    await rm(inner, { recursive: true });
    await eventually(() => changes === 1);
    await mkdir(inner);
    await writeFile(path, 'two');
    await eventually(() => changes === 2);
    await writeFile(path, 'three');
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
