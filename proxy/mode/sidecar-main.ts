// `weft sidecar` and `weft run -- CMD`: inbound and outbound of one service in one process.
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { createLog } from '../../host/log.ts';
import { announcedNamespace, currentNamespace } from '../../host/namespace.ts';
import type { SidecarSettings } from '../../host/proxy-settings.ts';
import { appTarget } from './app-target.ts';
import { makePath } from './make-path.ts';
import { meshIdentity, MeshProcess } from './mesh-process.ts';
import { lookEvery, PodWatch } from './pod-watch.ts';
import { requireRole } from './role.ts';
import { runChild } from './run.ts';
import { Shell } from './shell.ts';
import { findPredecessor } from './takeover.ts';

/** `command`: the app to start once there is a certificate and a view; null: somebody else runs it. */
export async function runSidecar(settings: SidecarSettings, command: readonly string[] | null): Promise<number> {
  const name = settings.name ?? 'sidecar';
  // The child's output is the app's own: the proxy's lines stay out of its way.
  const logAs = { name, level: settings.logLevel, to: command === null ? 'stdout' : 'stderr' } as const;
  const log = createLog(logAs);
  const { status, drain, accessLog, workers } = settings;
  const stateDir = settings.stateDir ?? join('.weft', 'proxies', name);
  if (command !== null && settings.takeover) {
    const hint = 'weft sidecar beside an app can be replaced; `weft run` ends with its app';
    throw new MeshError('usage', { detail: '--takeover is not for `weft run`', hint });
  }
  const predecessor = settings.takeover ? await findPredecessor(stateDir) : null;
  const staysFor = command === null ? '' : 'it runs an app, which would end with it';
  const shell = new Shell({ log, status, stateDir, drain, predecessor, staysFor });
  const sidecar = new MeshProcess({
    shell,
    controlPlane: settings.controlPlane,
    join: settings.join,
    token: settings.token,
    stateDir,
    drain,
    app: (view) => appTarget(view, settings.app),
    path: ({ self, identity, certificates }) => {
      const { account: service, namespace, trustDomain } = self;
      requireRole('sidecar', service);
      const { app, appPorts, inbound, outbound, outboundByHost, names, transparent } = settings;
      return makePath({
        workers,
        role: {
          kind: 'sidecar',
          service,
          namespace,
          settings: { app, appPorts, inbound, outbound, outboundByHost, names, transparent },
        },
        identity: meshIdentity(identity, trustDomain),
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
  const watch = settings.pods === null ? null : podWatch(settings.pods, shell);
  watch?.start();
  await watch?.joined;
  if (shell.signals.stop.aborted) return 0;
  try {
    await sidecar.start();
  } catch (error) {
    if (shell.signals.stop.aborted) return 0;
    throw error;
  }
  if (command !== null) return runChild(command, sidecar, shell, drain);
  log.info({ reason: await shell.stopped() }, 'stopping');
  watch?.close();
  // Who was replaced has left its callers and its app to the successor.
  if (!shell.replaced) {
    await sidecar.drainInbound(drain);
    await sidecar.appEnded(drain);
  }
  await sidecar.close();
  return 0;
}

function podWatch(folder: string, shell: Shell): PodWatch {
  const file = join(folder, hostname());
  const watch = new PodWatch({
    announced: () => announcedNamespace(file),
    current: currentNamespace,
    every: lookEvery,
    onMoved: () => {
      const reason = 'the pod came back in another network namespace';
      shell.signals.requestStop(reason);
      // Nobody can be reached from here any more: there is nothing to drain.
      shell.signals.requestStop(reason);
    },
  });
  shell.signals.stop.addEventListener('abort', () => watch.close(), { once: true });
  return watch;
}
