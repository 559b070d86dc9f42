import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ensureDir, readState, readTextBounded, writeFileAtomic, writeState } from '../../../host/files.ts';

describe('files', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-files-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('are replaced as a whole, with their mode, and leave nothing beside them', async () => {
    const own = join(folder, 'own');
    await ensureDir(own);
    const path = join(own, 'key.pem');
    await writeFile(path, 'old', { mode: 0o644 });
    await writeFileAtomic(path, 'new', 0o600);
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(own), ['key.pem']);
  });

  it('keep the old content when the new cannot be put in place', async () => {
    const place = join(folder, 'is-a-folder');
    await mkdir(place);
    await assert.rejects(writeFileAtomic(place, 'x'), /cannot be read/);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('.')),
      [],
    );
  });

  it('are not read beyond the limit', async () => {
    const path = join(folder, 'long');
    await writeFile(path, 'x'.repeat(101));
    await assert.rejects(readTextBounded(path, 100), { code: 'file-unreadable' });
    assert.equal((await readTextBounded(path, 101)).length, 101);
  });

  it('tighten the mode of a folder that is there already', async () => {
    const path = join(folder, 'loose');
    await mkdir(path);
    await chmod(path, 0o755);
    await ensureDir(path, 0o700);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
  });

  it('hold state that comes back as it was, or is noticed as damaged', async () => {
    const path = join(folder, 'state.json');
    assert.equal(await readState(path), null);
    await writeState(path, { list: [1, 'two'] });
    assert.deepEqual(await readState(path), { list: [1, 'two'] });
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const whole = await readFile(path, 'utf8');
    for (const damaged of [whole.slice(0, -5), whole.replace('two', 'six'), '', 'null', '{"body":1}']) {
      await writeFile(path, damaged);
      await assert.rejects(readState(path), { code: 'state-corrupt' });
    }
  });
});
