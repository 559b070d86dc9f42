// The control plane as a process: settings, log, signals, and what its parent is told. `weft control-plane` and
// control-plane/main.ts both end here.
import { MeshError } from '../core/kit/error.ts';
import type { Log } from '../core/kit/log.ts';
import { nearestName } from '../core/config/nearest.ts';
import { CONTROL_PLANE_SETTINGS, type ControlPlaneSettings } from '../host/control-plane-settings.ts';
import { onParentGone, reportToParent } from '../host/ipc.ts';
import { createLog } from '../host/log.ts';
import { readSettings } from '../host/settings.ts';
import { watchStopSignals } from '../host/signals.ts';
import { runEdgeChild, type EdgeChild } from './edge-child.ts';
import { startControlPlane, type ControlPlane } from './start.ts';

/**
 * Returns once it was stopped by SIGTERM, SIGINT or the loss of its parent. Throws MeshError, one line for the user.
 *
 * @param argv flags and configuration files, without the name of the command
 */
export async function runControlPlane(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { settings: given, words } = await readSettings(CONTROL_PLANE_SETTINGS, argv, env);
  // `weft control-plane weft.yaml` is what everybody types first.
  const settings = words.length === 0 ? given : { ...given, config: words };
  const log = createLog({ name: 'control-plane', level: settings.logLevel });
  const signals = watchStopSignals();
  onParentGone(() => signals.requestStop('the parent has gone'));
  const plane = await startControlPlane(settings, { log });
  try {
    reportToParent({ kind: 'listening', ports: plane.ports });
    log.info({ ports: plane.ports, admin: plane.admin }, 'control plane listens');
    const edge = settings.edge === null ? null : await startEdge(settings.edge, settings, plane, env, log);
    reportToParent({ kind: 'ready' });
    await aborted(signals.stop);
    log.info({ reason: String(signals.stop.reason) }, 'control plane stops');
    await edge?.close();
  } finally {
    await plane.close();
    signals.close();
  }
}

async function startEdge(
  name: string,
  settings: ControlPlaneSettings,
  plane: ControlPlane,
  env: NodeJS.ProcessEnv,
  log: Log,
): Promise<EdgeChild> {
  const edges = plane.edges();
  const workers = edges.get(name);
  if (workers === undefined) {
    const names = [...edges.keys()];
    const near = nearestName(name, names);
    const hint = near === null ? `there is ${names.join(', ') || 'none'}` : `did you mean ${near}?`;
    throw new MeshError('usage', { detail: `--edge: there is no edge "${name}" in the configuration`, hint });
  }
  const { caDir, stateDir, status, drain } = settings;
  // Both write whole JSON lines, each with its name.
  const onLine = (line: string) => void process.stdout.write(`${line}\n`);
  return runEdgeChild({ name, ports: plane.ports, caDir, stateDir, status, drain, workers, env, log, onLine });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
