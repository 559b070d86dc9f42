// One control plane per state folder: a socket that lives as long as the process is bound before anything in the folder
// is read or written, so that a second one, started by mistake, cannot put its configuration into the history of the first.
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import { startAdminServer, type RunningServer } from '../../host/admin.ts';

export interface ClaimOptions {
  readonly stateDir: string;
  readonly log: Log;
  /** Between two looks at whether the folder is still the one that was claimed, in ms. Default 5,000. */
  readonly every?: number;
}

const GONE =
  'the state folder was removed or replaced: what is issued and applied from now on is lost ' +
  '(put it back, and start the control plane again)';

/** Throws MeshError `state-in-use` while another process has the folder. What a killed one left is taken over. */
export async function claimFolder({
  stateDir,
  log,
  every = 5_000,
}: ClaimOptions): Promise<Pick<RunningServer, 'close'>> {
  const server = await claim(stateDir);
  const mine = await inodeOf(server.address);
  let gone = false;
  const look = setInterval(() => {
    void inodeOf(server.address).then((now) => {
      if (now !== mine && !gone) log.error({ code: 'state-corrupt', folder: stateDir }, GONE);
      gone = now !== mine;
    });
  }, every);
  look.unref();
  return {
    close: () => {
      clearInterval(look);
      return server.close();
    },
  };
}

async function claim(stateDir: string): Promise<RunningServer> {
  try {
    return await startAdminServer(join(stateDir, 'claim.sock'), {});
  } catch (cause) {
    if (!(cause instanceof MeshError) || cause.code !== 'address-in-use') throw cause;
    throw new MeshError('state-in-use', {
      detail: `another control plane runs on ${stateDir}`,
      hint: 'stop it, or give this one another --state-dir',
      cause,
    });
  }
}

/** null: there is nothing. */
async function inodeOf(path: string): Promise<number | null> {
  return lstat(path).then(
    ({ ino }) => ino,
    () => null,
  );
}
