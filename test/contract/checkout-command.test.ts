import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const TOOLS = fileURLToPath(new URL('../../tools', import.meta.url));
const run = promisify(execFile);

describe('weft of a checkout', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weft-checkout-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('works in the folder that it is called in', async () => {
    const env = { ...process.env, PATH: `${process.env['PATH']}:${TOOLS}` };
    const { stdout } = await run('sh', ['-c', 'weft init && weft validate'], { cwd: folder, env });
    assert.equal(stdout, 'wrote weft.yaml\nnext: weft up\nvalid: 2 services, 1 edge\n');
  });

  it('works through a symbolic link', async () => {
    await symlink(join(TOOLS, 'weft'), join(folder, 'linked'));
    assert.match((await run(join(folder, 'linked'), ['--version'], { cwd: folder })).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
