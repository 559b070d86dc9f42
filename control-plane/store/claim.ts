// One control plane per state folder: a socket that lives as long as the process is bound before anything in the folder
// is read or written, so that a second one, started by mistake, cannot put its configuration into the history of the first.
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { startAdminServer, type RunningServer } from '../../host/admin.ts';

/** Throws MeshError `state-in-use` while another process has the folder. What a killed one left is taken over. */
export async function claimFolder(stateDir: string): Promise<Pick<RunningServer, 'close'>> {
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
