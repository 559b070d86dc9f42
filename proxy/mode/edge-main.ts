// `weft edge` of a mesh: it joins as `edge-<name>` and takes its routes from the control plane.
import { join } from 'node:path';
import { createLog } from '../../host/log.ts';
import type { EdgeSettings } from '../../host/proxy-settings.ts';
import { makePath } from './make-path.ts';
import { meshIdentity, MeshProcess } from './mesh-process.ts';
import { requireRole } from './role.ts';
import { Shell } from './shell.ts';
import { findPredecessor } from './takeover.ts';

export async function runEdge(settings: EdgeSettings): Promise<number> {
  const name = settings.name ?? (settings.edge === null ? 'edge' : `edge-${settings.edge}`);
  const logAs = { name, level: settings.logLevel, to: 'stdout' } as const;
  const log = createLog(logAs);
  const { status, drain, accessLog, workers, controlPlane, token } = settings;
  const stateDir = settings.stateDir ?? join('.weft', 'proxies', name);
  const predecessor = settings.takeover ? await findPredecessor(stateDir) : null;
  const shell = new Shell({ log, status, stateDir, drain, predecessor });
  const edge = new MeshProcess({
    shell,
    controlPlane,
    join: settings.join,
    token,
    stateDir,
    drain,
    path: ({ self, identity, certificates }) => {
      requireRole('edge', self.account);
      return makePath({
        workers,
        role: { kind: 'edge' },
        identity: meshIdentity(identity, self.trustDomain),
        certificates,
        denials: shell.denials,
        log,
        logAs,
        accessLog,
        drain,
        held: predecessor?.ports ?? [],
      });
    },
  });
  try {
    await edge.start();
  } catch (error) {
    if (shell.signals.stop.aborted) return 0;
    throw error;
  }
  log.info({ reason: await shell.stopped() }, 'stopping');
  await edge.close();
  return 0;
}
