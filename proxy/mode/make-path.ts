// The data path that the settings ask for: on this thread, or on several.
import { MeshError } from '../../core/kit/error.ts';
import type { Log } from '../../core/kit/log.ts';
import { CAN_SHARE_PORTS } from '../../host/shared-port.ts';
import type { HeldPort } from '../accept/port-sharing.ts';
import type { DenialSink } from '../telemetry/denials.ts';
import { buildPath, type MeshIdentity, type Role } from './build-proxy.ts';
import type { ServerCertificates } from './certificates.ts';
import type { DataPath } from './data-path.ts';
import { SharedPorts } from './shared-ports.ts';
import type { WorkerData } from './workers/contract.ts';
import { WorkerPath } from './workers/worker-path.ts';

export interface PathOptions {
  readonly workers: number;
  readonly role: Role;
  readonly identity: MeshIdentity | null;
  readonly certificates: ServerCertificates;
  readonly denials: DenialSink;
  readonly log: Log;
  /** How workers make one like it. */
  readonly logAs: WorkerData['log'];
  readonly accessLog: boolean;
  readonly drain: number;
  /** Places that the process has which this one takes over from. */
  readonly held: readonly HeldPort[];
}

/** Throws MeshError `usage` for workers where the system cannot share a port among them. */
export function makePath(options: PathOptions): DataPath {
  const { workers, role, identity, certificates, denials, log, logAs, accessLog, drain, held } = options;
  if (workers === 1) {
    const sharing = CAN_SHARE_PORTS ? new SharedPorts() : null;
    sharing?.adopt(held, new Set());
    return buildPath({ role, identity, certificates, denials, log, accessLog, drain, sharing });
  }
  if (!CAN_SHARE_PORTS) {
    const detail = `only Linux spreads connections over threads, this is ${process.platform}`;
    throw new MeshError('usage', { detail, hint: 'leave out --workers' });
  }
  return new WorkerPath({
    count: workers,
    // The main module of this process.
    entry: process.argv[1] ?? '',
    data: { role, identity, log: logAs, accessLog, drain },
    certificates,
    denials,
    log,
    held,
    random: Math.random,
  });
}
