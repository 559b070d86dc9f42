// The control plane as a process: settings, log, signals, and what its parent is told. `weft control-plane` and
// control-plane/main.ts both end here.
import { MeshError } from '../core/kit/error.ts';
import type { Log } from '../core/kit/log.ts';
import { CONTROL_PLANE_SETTINGS } from '../host/control-plane-settings.ts';
import { onParentGone, reportToParent, type BoundPort } from '../host/ipc.ts';
import { createLog } from '../host/log.ts';
import { readSettings } from '../host/settings.ts';
import { watchStopSignals } from '../host/signals.ts';
import { startControlPlane } from './start.ts';

/** Runs an edge beside the control plane, with its own restarts; `--edge NAME`. */
export type RunEdge = (edge: EdgeRequest) => Promise<{ close(): Promise<void> }>;

export interface EdgeRequest {
  readonly name: string;
  /** Of the control plane: where the edge finds discovery and join. */
  readonly ports: readonly BoundPort[];
  readonly caDir: string;
  readonly stateDir: string;
  readonly log: Log;
}

/**
 * Returns once it was stopped by SIGTERM, SIGINT or the loss of its parent. Throws MeshError, one line for the user.
 *
 * @param argv flags only, without the name of the command
 * @param runEdge null: this build cannot run an edge beside it
 */
export async function runControlPlane(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  runEdge: RunEdge | null = null,
): Promise<void> {
  const { settings, words } = await readSettings(CONTROL_PLANE_SETTINGS, argv, env);
  const [stray] = words;
  if (stray !== undefined) {
    throw new MeshError('usage', {
      detail: `unexpected '${stray}'`,
      hint: 'configuration files are named by --config',
    });
  }
  if (settings.edge !== null && runEdge === null) {
    throw new MeshError('usage', { detail: '--edge is not available here', hint: 'run `weft edge` beside it' });
  }
  const log = createLog({ name: 'control-plane', level: settings.logLevel });
  const signals = watchStopSignals();
  onParentGone(() => signals.requestStop('the parent has gone'));
  const plane = await startControlPlane(settings, { log });
  try {
    reportToParent({ kind: 'listening', ports: plane.ports });
    log.info({ ports: plane.ports, admin: plane.admin }, 'control plane listens');
    const { caDir, stateDir, edge: name } = settings;
    const edge = name === null ? null : await runEdge?.({ name, ports: plane.ports, caDir, stateDir, log });
    reportToParent({ kind: 'ready' });
    await aborted(signals.stop);
    log.info({ reason: String(signals.stop.reason) }, 'control plane stops');
    await edge?.close();
  } finally {
    await plane.close();
    signals.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
