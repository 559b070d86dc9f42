// Who may use a state folder, and what is said when it goes away under the one who does.
import assert from 'node:assert/strict';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { claimFolder } from '../../../../control-plane/store/claim.ts';
import { MeshError } from '../../../../core/kit/error.ts';
import { silentLog } from '../../../../core/kit/log.ts';
import { eventually } from '../../../support/eventually.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

test('a folder is claimed by one at a time, and free when that one closes', async (t) => {
  const stateDir = await temporaryFolder(t);
  const first = await claimFolder({ stateDir, log: silentLog });
  await assert.rejects(
    claimFolder({ stateDir, log: silentLog }),
    (error) => error instanceof MeshError && error.code === 'state-in-use' && error.detail.includes(stateDir),
  );
  await first.close();
  const second = await claimFolder({ stateDir, log: silentLog });
  await second.close();
});

test('a folder that is removed or replaced while it is used is said once, until it is back', async (t) => {
  const stateDir = join(await temporaryFolder(t), 'state');
  await mkdir(stateDir);
  const log = recordingLog();
  const claim = await claimFolder({ stateDir, log, every: 5 });
  t.after(() => claim.close());
  await rename(stateDir, `${stateDir}.away`);
  await eventually(() => log.lines.length === 1);
  await mkdir(stateDir);
  await rm(stateDir, { recursive: true });
  await rename(`${stateDir}.away`, stateDir);
  const looks = performance.now() + 50;
  await eventually(() => performance.now() > looks);
  assert.deepEqual(log.lines.length, 1);
  await rm(stateDir, { recursive: true });
  await eventually(() => log.lines.length === 2);
  assert.equal(log.lines[0]?.level, 'error');
  assert.match(log.lines[0]?.message ?? '', /the state folder was removed or replaced/);
});
