// What the thread of the process and its workers say to each other, and what a worker is started with. All of it is plain
// data that a thread can hand to another; the keys in it go nowhere else.
import type { SnapshotHash } from '../../../core/model/brand.ts';
import type { View } from '../../../core/model/view.ts';
import type { LogLevel } from '../../../host/log.ts';
import type { HeldPort } from '../../accept/port-sharing.ts';
import type { Refusal } from '../../agent/agent.ts';
import type { Denial } from '../../telemetry/denials.ts';
import type { KeyMaterial, MeshMaterial } from '../../tls/material.ts';
import type { MeshIdentity, Role } from '../build-proxy.ts';
import type { PathReport } from '../data-path.ts';

export interface WorkerData {
  readonly role: Role;
  readonly identity: MeshIdentity | null;
  readonly log: { readonly name: string; readonly level: LogLevel; readonly to: 'stdout' | 'stderr' };
  readonly accessLog: boolean;
  readonly drain: number;
}

/** `held`: places that this process, or the one that it takes over from, has elsewhere. */
interface Held {
  readonly held: readonly HeldPort[];
}

interface Nothing {
  readonly ask: null;
  readonly answer: null;
}

/** What a worker is asked to do. */
export interface WorkerMethods {
  readonly start: { readonly ask: Held; readonly answer: PathReport };
  readonly apply: {
    readonly ask: Held & { readonly view: View; readonly warmLimit: number | undefined };
    readonly answer: { readonly refusal: Refusal | null; readonly report: PathReport };
  };
  readonly renewIdentity: { readonly ask: MeshMaterial; readonly answer: null };
  readonly renewCertificates: Nothing;
  readonly report: { readonly ask: null; readonly answer: PathReport };
  readonly drainInbound: { readonly ask: { readonly cap: number }; readonly answer: null };
  readonly drain: { readonly ask: { readonly cap: number }; readonly answer: null };
}

/** What a worker asks for. */
export interface ProcessMethods {
  readonly certificate: { readonly ask: readonly string[]; readonly answer: KeyMaterial };
  readonly denied: {
    readonly ask: { readonly denial: Denial; readonly snapshot: SnapshotHash };
    readonly answer: null;
  };
}
